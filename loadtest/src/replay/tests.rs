use super::*;
use crate::dataset::Truth;
use crate::profile::schedule;

fn recorded() -> (Header, Vec<Planned>, Vec<u8>) {
    let profile = Profile { students: 40, records: 500, by_name: 0.2, ..Kind::Smoke.profile() };
    let mut plan = schedule(&profile, &Truth::generate(profile.records, profile.seed));
    for planned in &mut plan {
        planned.at = Duration::from_micros(planned.at.as_micros() as u64);
    }
    let what = What::Press { data: "c1".to_owned(), message_id: 7, callback_id: String::new() };
    plan.push(Planned { at: Duration::from_secs(90), what, ..plan[0].clone() });
    plan.push(Planned {
        at: Duration::from_secs(91),
        what: What::Other("my_chat_member".to_owned()),
        ..plan[0].clone()
    });
    let mut bytes = Vec::new();
    write(&Header::of(&profile), &plan, &mut bytes).expect("writing to memory");
    (Header::of(&profile), plan, bytes)
}

#[test]
fn a_recording_read_at_its_own_speed_is_the_same_schedule() {
    let (header, plan, bytes) = recorded();
    assert_eq!(read(bytes.as_slice(), 1.0).expect("its own writing"), (header, plan));
}

#[test]
fn a_faster_replay_has_the_same_acts_in_less_time() {
    let (_, plan, bytes) = recorded();
    let (_, fast) = read(bytes.as_slice(), 10.0).expect("its own writing");
    assert_eq!(fast.len(), plan.len());
    for (fast, slow) in fast.iter().zip(&plan) {
        assert_eq!((fast.user, &fast.what), (slow.user, &slow.what));
        assert_eq!(fast.at, slow.at.div_f64(10.0));
    }
}

#[test]
fn the_same_seed_records_the_same_bytes() {
    assert_eq!(recorded().2, recorded().2);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_skipped() {
    let header = r#"{"nobat_record":1,"records":1,"seed":1,"tokens":1}"#;
    let error = |text: String| read(text.as_bytes(), 1.0).expect_err("a bad recording").to_string();
    assert!(error(String::new()).starts_with("line 1 is no header"));
    assert!(error(header.replace(":1,\"records", ":2,\"records")).contains("version 2"));
    assert!(
        error(format!("{header}\n{{\"at_us\":1,\"user\":2,\"text\":\"a\"}}\nnonsense"))
            .starts_with("line 3: ")
    );
    let both = format!("{header}\n{{\"at_us\":1,\"user\":2,\"text\":\"a\",\"other\":\"b\"}}");
    assert!(error(both).contains("exactly one"));
}
