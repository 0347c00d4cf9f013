use std::collections::HashMap;

use super::*;
use crate::dataset::Truth;

fn plan_of(kind: Kind) -> (Profile, Vec<Planned>) {
    let profile = kind.profile();
    let truth = Truth::generate(profile.records, profile.seed);
    let plan = schedule(&profile, &truth);
    (profile, plan)
}

fn per_user(plan: &[Planned]) -> HashMap<u64, usize> {
    let mut count = HashMap::new();
    for planned in plan {
        *count.entry(planned.user).or_insert(0) += 1;
    }
    count
}

#[test]
fn the_same_seed_plans_the_same_calls() {
    let profile = Kind::Smoke.profile();
    let truth = Truth::generate(profile.records, profile.seed);
    assert_eq!(schedule(&profile, &truth), schedule(&profile, &truth));
    let other = Profile { seed: 2, ..profile.clone() };
    assert_ne!(schedule(&profile, &truth), schedule(&other, &truth));
}

#[test]
fn in_burst_510_each_of_17_lanes_owes_exactly_1500() {
    let (_, plan) = plan_of(Kind::Burst510);
    assert_eq!(plan.len(), 25_500);
    assert_eq!(per_user(&plan).len(), 25_500);
    let mut lanes = [0; 17];
    for planned in &plan {
        assert_eq!(planned.at, Duration::ZERO);
        lanes[(planned.user % 17) as usize] += 1;
    }
    assert_eq!(lanes, [1500; 17]);
}

#[test]
fn burst_chats_is_300_chats_with_5_different_questions_in_order() {
    let (_, plan) = plan_of(Kind::BurstChats);
    assert_eq!(plan.len(), 1500);
    let counts = per_user(&plan);
    assert_eq!(counts.len(), 300);
    assert!(counts.values().all(|&count| count == 5));
    for chat in plan.chunks(5) {
        let mut texts: Vec<_> = chat.iter().map(|planned| format!("{:?}", planned.what)).collect();
        assert!(chat.iter().all(|planned| planned.user == chat[0].user));
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 5);
    }
}

#[test]
fn the_day_has_about_three_messages_a_student_and_steep_first_minutes() {
    let (profile, plan) = plan_of(Kind::ResultsDay);
    let each = plan.len() as f64 / f64::from(profile.students);
    assert!((2.8..3.2).contains(&each), "{each} messages a student");
    assert!(plan.windows(2).all(|pair| pair[0].at <= pair[1].at), "sorted by moment");
    let early = plan.iter().filter(|planned| planned.at < Duration::from_secs(360)).count();
    assert!(early * 100 > plan.len() * 40, "{early} of {} in the first tenth", plan.len());
    assert!(length(&plan) <= Duration::from_secs(3600));
}

#[test]
fn compression_squeezes_the_hour_and_changes_nothing_else() {
    let truth = Truth::generate(3_000, 1);
    let day = Profile { students: 300, ..Kind::ResultsDay.profile() };
    let fast = Profile { compress: 10.0, ..day.clone() };
    let (slow_plan, fast_plan) = (schedule(&day, &truth), schedule(&fast, &truth));
    assert_eq!(slow_plan.len(), fast_plan.len());
    for (slow, fast) in slow_plan.iter().zip(&fast_plan) {
        assert_eq!((slow.user, &slow.what), (fast.user, &fast.what));
        assert!((slow.at.as_secs_f64() / 10.0 - fast.at.as_secs_f64()).abs() < 1e-6);
    }
}

#[test]
fn random_ids_stay_within_5_percent_of_even_lanes() {
    let profile = Profile { students: 100_000, random_ids: true, ..Kind::Burst510.profile() };
    let plan = schedule(&profile, &Truth::generate(1_000, 1));
    let mut lanes = [0u32; 17];
    for planned in &plan {
        lanes[(planned.user % 17) as usize] += 1;
    }
    let even = 100_000.0 / 17.0;
    assert!(lanes.iter().all(|&lane| (f64::from(lane) / even - 1.0).abs() < 0.05), "{lanes:?}");
}

#[test]
fn words_on_the_command_line_are_parsed_or_explained() {
    assert_eq!("main-only".parse(), Ok(Reach::MainOnly));
    assert_eq!("0.25".parse(), Ok(Reach::Share(0.25)));
    assert!("2".parse::<Reach>().is_err_and(|error| error.contains("share from 0 to 1")));
    let median = Duration::from_millis(60);
    assert_eq!("lognormal:60ms:0.5".parse(), Ok(Latency::LogNormal { median, sigma: 0.5 }));
    assert!("uniform".parse::<Latency>().is_err_and(|error| error.contains("lognormal:60ms:0.5")));
    assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
    assert!(parse_duration("-1s").is_err());
    assert!(parse_duration("x").is_err());
}

#[test]
fn bars_give_way_to_what_the_settings_make_impossible() {
    let mut profile = Kind::Burst510.profile();
    profile.settle_bars(false);
    assert_eq!(profile.bars.drain_over_bound, Some(1.01));
    profile.latency = Latency::LogNormal { median: Duration::from_millis(60), sigma: 0.5 };
    profile.settle_bars(false);
    assert_eq!(profile.bars.drain_over_bound, Some(1.075));
    profile.adaptive = true;
    profile.settle_bars(false);
    assert_eq!(profile.bars, Bars { sends_per_s: Some(510.0), ..Bars::default() });
}
