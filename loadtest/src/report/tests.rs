use std::time::Duration;

use serde_json::{Value, json};

use super::compare::rows;
use super::*;
use crate::auditor::{Log, Rules, audit, doctor::Bug};
use crate::dataset::{Pupil, Truth};
use crate::profile::{Kind, Profile};
use crate::wire::{Call, Delivery, Outcome, Update, What, Wire};

fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

const WELCOME: &str = "Welcome. This is where you get your exam results.";

/// As `docs/results.md` draws it.
fn card(pupil: &Pupil) -> String {
    let marks: String = pupil.marks.iter().map(|mark| format!("x: {mark}\n")).collect();
    format!(
        "Exam number: {}\nName: {}\nSchool: {}\nGovernorate: {}\n\n{marks}\nTotal: {}\nAverage: {}\nResult: {}",
        pupil.number,
        pupil.name(),
        pupil.school(),
        pupil.governorate(),
        pupil.total(),
        pupil.average(),
        pupil.status(),
    )
}

/// 340 students ask at once over 17 lanes, 20 each; all are answered within the first second.
fn burst(lag: u64) -> (Truth, Log) {
    let truth = Truth::generate(400, 5);
    let mut events = Vec::new();
    for nth in 0..340u64 {
        let (user, pupil) = (17_000 + nth, &truth.pupils()[nth as usize]);
        let at = ms(100 + nth);
        let text = pupil.number.to_string();
        let queued_at = ms(lag);
        let (chat, update_id) = (user as i64, nth as i64 + 1);
        let what = What::Text(text);
        events.push(Wire::Update(Update {
            planned_at: ms(0),
            queued_at,
            bot: 0,
            update_id,
            user,
            chat,
            what,
            message_id: None,
        }));
        let sent_at = ms(lag);
        let done_at = sent_at + ms(1);
        events.push(Wire::Delivery(Delivery {
            bot: 0,
            update_id,
            attempt: 1,
            sent_at,
            done_at,
            result: Ok(200),
        }));
        let card = card(pupil);
        events.push(Wire::Call(Call {
            bot: (user % 17) as usize,
            method: "sendmessage".to_owned(),
            chat: Some(chat),
            line: None,
            arrived_at: at + ms(lag),
            decided_at: at + ms(lag),
            answered_at: Some(at + ms(lag)),
            outcome: Outcome::Accepted { message_id: Some(1) },
            text: Some(card),
            buttons: Vec::new(),
            params: serde_json::Map::new(),
        }));
    }
    (truth, Log::of(events))
}

fn report(lag: u64, bug: Option<Bug>) -> Report {
    let (truth, mut log) = burst(lag);
    if let Some(bug) = bug {
        assert!(bug.plant(&mut log));
    }
    let mut profile = Kind::Burst510.profile();
    profile.bars = crate::profile::Bars::default();
    let audit = audit(&log, &truth, &Rules::default());
    let server =
        ServerUse { exit: "graceful".to_owned(), rss_peak_bytes: 9, cpu_s: 0.5, ..ServerUse::default() };
    build(Run { profile: &profile, log: &log, audit: &audit, server, unfit: None, planted: None })
}

#[test]
fn the_json_has_the_fields_that_others_read() {
    let json = serde_json::to_value(report(0, None)).expect("a report is JSON");
    let at = |path: &str| path.split('.').fold(&json, |value, key| &value[key]).clone();
    assert_eq!(at("verdict"), json!("pass"));
    assert_eq!(at("profile"), json!("burst-510"));
    assert_eq!(at("generator.valid"), json!(true));
    let figures = "updates sends drain_s drain_over_bound refused_429 defiance lost repeated wrong_recipient \
                   order_violations latency_ms.update_to_200.p50 latency_ms.update_to_200.p99 \
                   latency_ms.update_to_200.max latency_ms.update_to_send.p50 latency_ms.update_to_send.p99 \
                   latency_ms.update_to_send.max server.rss_peak_bytes server.cpu_s generator.lag_p99_ms";
    for figure in figures.split_whitespace() {
        assert!(at(figure).is_number(), "{figure} is {:?}", at(figure));
    }
    assert_eq!((at("updates"), at("sends")), (json!(340), json!(340)));
    assert_eq!(at("latency_ms.update_to_send.max"), json!(439.0));
}

#[test]
fn a_planted_bug_turns_the_verdict_to_fail_and_the_status_to_1() {
    assert_eq!(report(0, None).verdict.exit_status(), 0);
    for bug in [Bug::SwappedRecipient, Bug::WrongMark, Bug::DroppedAnswer, Bug::Repeat, Bug::WrongBot] {
        let report = report(0, Some(bug));
        assert_eq!(report.verdict, Verdict::Fail, "{bug:?}");
        assert_eq!(report.verdict.exit_status(), 1);
        assert!(!report.reasons.is_empty());
    }
}

#[test]
fn a_lagging_generator_makes_the_run_invalid_and_the_status_2() {
    let lagged = report(150, None);
    assert_eq!((lagged.verdict, lagged.verdict.exit_status()), (Verdict::Invalid, 2));
    assert!(lagged.reasons[0].contains("lagged"));
    let swapped = report(150, Some(Bug::SwappedRecipient));
    assert_eq!(swapped.verdict, Verdict::Fail, "another's marks are a failure however the run went");
}

#[test]
fn the_ideal_scheduler_sends_30_in_any_second_and_loses_no_time() {
    let burst = ideal::latencies(vec![ms(0); 1500]);
    assert_eq!(burst.iter().max(), Some(&Duration::from_secs(49)));
    assert_eq!(burst.iter().filter(|latency| latency.is_zero()).count(), 30);
    let calm = ideal::latencies((0..100).map(|nth| ms(nth * 40)).collect());
    assert!(calm.iter().all(Duration::is_zero), "25 a second never wait");
}

#[test]
fn the_summary_begins_with_the_verdict() {
    let text = summary(&report(0, None), false);
    assert!(text.trim_start().starts_with("PASS  burst-510, 25,500 students"), "{text}");
    assert!(text.contains("wrong_recipient"));
}

#[test]
fn the_page_is_one_file_that_fetches_nothing() {
    let page = page(&report(0, Some(Bug::DroppedAnswer)));
    assert!(page.starts_with("<!doctype html>"));
    for outside in ["http://", "https://", "<script", "<link", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn a_comparison_names_what_became_worse() {
    let before =
        json!({"sends": 10, "latency_ms": {"update_to_200": {"p99": 2.0}}, "lost": 0, "series": {"x": 1}});
    let after =
        json!({"sends": 10, "latency_ms": {"update_to_200": {"p99": 3.0}}, "lost": 1, "series": {"x": 2}});
    let rows = rows(&before, &after);
    let worse: Vec<_> = rows.iter().filter(|row| row.worse() > 0.1).map(|row| row.path.as_str()).collect();
    assert_eq!(worse, ["latency_ms.update_to_200.p99", "lost"]);
    assert!(compare::table(&rows).contains("+50.0 %"));
    assert_eq!(compare::rows(&Value::Null, &json!({})), []);
}

#[test]
fn an_empty_run_is_invalid_and_still_has_a_page() {
    let (log, truth) = (Log::of([]), Truth::generate(1, 1));
    let audit = audit(&log, &truth, &Rules::default());
    let profile = Kind::Smoke.profile();
    let run = Run {
        profile: &profile,
        log: &log,
        audit: &audit,
        server: ServerUse::default(),
        unfit: None,
        planted: None,
    };
    let report = build(run);
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(!page(&report).contains("NaN"));
}

/// A student of each of the lanes 1 and 2 starts the main bot and comes to the own bot before the rush; then
/// both ask there.
fn handed_over(comes: bool, answered_by: usize) -> Report {
    let truth = Truth::generate(50, 5);
    let profile = Profile { students: 2, tokens: 3, ..Kind::Handoff.profile() };
    let rush = profile.rush().expect("a rush");
    let mut events = Vec::new();
    for (nth, user) in [(0, 3_001u64), (1, 3_002)] {
        let (own, pupil) = ((user % 3) as usize, &truth.pupils()[nth]);
        let asks = [
            (0, ms(0), "/start".to_owned()),
            (if comes { own } else { 0 }, ms(900), "/start h".to_owned()),
            (own, rush, pupil.number.to_string()),
        ];
        for (update_id, (bot, at, text)) in (1..).zip(asks) {
            let (chat, what) = (user as i64, What::Text(text));
            let (planned_at, queued_at) = (at, at);
            let update_id = update_id + 10 * nth as i64;
            let message_id = None;
            let update = Update { planned_at, queued_at, bot, update_id, user, chat, what, message_id };
            events.push(Wire::Update(update));
            let (sent_at, done_at, result) = (at, at, Ok(200));
            events.push(Wire::Delivery(Delivery { bot, update_id, attempt: 1, sent_at, done_at, result }));
            let (bot, text) =
                if at == rush { (answered_by.min(own), card(pupil)) } else { (bot, WELCOME.to_owned()) };
            events.push(Wire::Call(Call {
                bot,
                method: "sendmessage".to_owned(),
                chat: Some(chat),
                line: None,
                arrived_at: at + ms(5),
                decided_at: at + ms(5),
                answered_at: Some(at + ms(5)),
                outcome: Outcome::Accepted { message_id: Some(1) },
                text: Some(text),
                buttons: Vec::new(),
                params: serde_json::Map::new(),
            }));
        }
    }
    let log = Log::of(events);
    let audit = audit(&log, &truth, &Rules { lanes: 3, ..Rules::default() });
    let server = ServerUse { exit: "graceful".to_owned(), ..ServerUse::default() };
    build(Run { profile: &profile, log: &log, audit: &audit, server, unfit: None, planted: None })
}

#[test]
fn a_handoff_fails_if_a_student_stays_behind_or_another_bot_answers() {
    let good = handed_over(true, 2);
    assert_eq!((good.verdict, good.fullest_lane), (Verdict::Pass, 1), "{:?}", good.reasons);
    assert_eq!(good.handoff, Some(Handoff { left_behind: 0, handed_over: 2, answers: 2, by_another_bot: 0 }));
    let stayed = handed_over(false, 2);
    assert!(stayed.verdict == Verdict::Fail && stayed.reasons[0].starts_with("students_left_behind is 2"));
    let by_main = handed_over(true, 0);
    assert!(
        by_main.verdict == Verdict::Fail && by_main.reasons[0].starts_with("answers_by_another_bot is 2")
    );
}
