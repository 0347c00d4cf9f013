//! Doctored logs: each check strikes for its bug, and a sound log passes.

use std::time::Duration;

use super::doctor::Bug;
use super::*;
use crate::wire::{Call, Delivery, Line, Outcome, Scope, Update, What, Wire};

fn ms(value: u64) -> At {
    Duration::from_millis(value)
}

/// A rehearsal of the simplest kind, written by hand: questions and answers at given moments.
struct Tape {
    truth: Truth,
    events: Vec<Wire>,
    next_id: i64,
}

impl Tape {
    fn new() -> Tape {
        Tape { truth: Truth::generate(500, 11), events: Vec::new(), next_id: 1 }
    }

    fn number(&self, nth: usize) -> u32 {
        self.truth.pupils()[nth].number
    }

    fn asks(&mut self, at: u64, user: u64, text: &str) {
        let update_id = self.next_id;
        self.next_id += 1;
        self.events.push(Wire::Update(Update {
            planned_at: ms(at),
            queued_at: ms(at),
            bot: 0,
            update_id,
            user,
            chat: user as i64,
            what: What::Text(text.to_owned()),
            message_id: None,
        }));
        self.events.push(Wire::Delivery(Delivery {
            bot: 0,
            update_id,
            attempt: 1,
            sent_at: ms(at),
            done_at: ms(at + 2),
            result: Ok(200),
        }));
    }

    /// A press of `data` under `message_id`, ended at once.
    fn presses(&mut self, at: u64, user: u64, message_id: i64, data: &str) {
        let callback_id = format!("press {at}");
        self.asks(at, user, "");
        let asked = self.events.len() - 2;
        if let Wire::Update(update) = &mut self.events[asked] {
            update.what = What::Press { data: data.to_owned(), message_id, callback_id: callback_id.clone() };
        }
        self.call(at + 3, user, "", Outcome::Accepted { message_id: None });
        if let Some(Wire::Call(call)) = self.events.last_mut() {
            call.method = "answercallbackquery".to_owned();
            (call.text, call.bot) = (None, 0);
            call.params.insert("callback_query_id".to_owned(), callback_id.into());
        }
    }

    /// A list of these pupils as message `message_id` of bot 0, each button carrying its place; `edit` puts it in
    /// the place of an earlier page.
    fn lists(&mut self, at: u64, user: u64, message_id: i64, pupils: &[usize], edit: bool) {
        self.call(at, user, "الأسماء المطابقة لبحثك: 2", Outcome::Accepted { message_id: Some(message_id) });
        let labels: Vec<String> = pupils.iter().map(|nth| self.truth.pupils()[*nth].label()).collect();
        if let Some(Wire::Call(call)) = self.events.last_mut() {
            call.bot = 0;
            call.buttons = labels.into_iter().zip(pupils.iter().map(|nth| format!("c{nth}"))).collect();
            call.buttons.push(("التالي ◀".to_owned(), "next".to_owned()));
            if edit {
                call.method = "editmessagetext".to_owned();
                call.params.insert("message_id".to_owned(), message_id.into());
            }
        }
    }

    fn call(&mut self, at: u64, user: u64, text: &str, outcome: Outcome) {
        let answered = !matches!(outcome, Outcome::AcceptedUnanswered { .. });
        self.events.push(Wire::Call(Call {
            bot: (user % 17) as usize,
            method: "sendmessage".to_owned(),
            chat: Some(user as i64),
            line: Some(Line { nth: user % 17, opened_at: ms(0) }),
            arrived_at: ms(at),
            decided_at: ms(at),
            answered_at: answered.then(|| ms(at + 1)),
            outcome,
            text: Some(text.to_owned()),
            buttons: Vec::new(),
            params: serde_json::Map::new(),
        }));
    }

    fn says(&mut self, at: u64, user: u64, text: &str) {
        self.call(at, user, text, Outcome::Accepted { message_id: Some(1) });
    }

    fn card(&self, nth: usize) -> String {
        card_of(&self.truth, nth)
    }

    fn audit(&self) -> Audit {
        audit(&self.log(), &self.truth, &by_name())
    }

    fn log(&self) -> Log {
        Log::of(self.events.iter().cloned())
    }
}

fn by_name() -> Rules {
    Rules { names: true, ..Rules::default() }
}

fn card_of(truth: &Truth, nth: usize) -> String {
    let pupil = &truth.pupils()[nth];
    let marks: String = pupil.marks.iter().map(|mark| format!("المادة: \u{2068}{mark}\u{2069}\n")).collect();
    format!(
        "الرقم الامتحاني: \u{2068}{}\u{2069}\nالاسم: \u{2068}{}\u{2069}\nالمدرسة: \u{2068}{}\u{2069}\nالمحافظة: \u{2068}{}\u{2069}\n\n{marks}\nالمجموع: \u{2068}{}\u{2069}\nالمعدل: \u{2068}{}\u{2069}\nالنتيجة: {}",
        pupil.number,
        pupil.name(),
        pupil.school(),
        pupil.governorate(),
        pupil.total(),
        pupil.average(),
        pupil.status(),
    )
}

/// Two pupils whose names begin alike.
fn namesakes(truth: &Truth) -> [usize; 2] {
    let beginning = |nth: usize| truth.pupils()[nth].names()[..2].to_vec();
    let pairs = (0..truth.pupils().len()).flat_map(|one| (0..one).map(move |other| [one, other]));
    pairs.into_iter().find(|[one, other]| beginning(*one) == beginning(*other)).expect("common names")
}

/// 100 users who greet and ask, all answered in time and in order.
fn sound() -> Tape {
    let mut tape = Tape::new();
    for nth in 0..100u64 {
        let (user, at) = (5_000 + nth * 17, 10 * nth);
        let number = tape.number(nth as usize).to_string();
        tape.asks(at, user, "/start");
        tape.asks(at + 1, user, &number);
    }
    for nth in 0..100u64 {
        let (user, at) = (5_000 + nth * 17, 2_000 + 80 * nth);
        let card = tape.card(nth as usize);
        tape.says(at, user, "أهلا بك، من هنا تحصل على نتيجتك");
        tape.says(at + 40, user, &card);
    }
    // One who asks by name, turns the page and chooses.
    let [one, other] = namesakes(&tape.truth);
    let words = tape.truth.pupils()[one].names()[..2].join(" ");
    tape.asks(11_000, 9_000, &words);
    tape.lists(11_100, 9_000, 77, &[8, 9], false);
    tape.presses(13_000, 9_000, 77, "next");
    tape.lists(13_100, 9_000, 77, &[one, other], true);
    tape.presses(15_000, 9_000, 77, &format!("c{one}"));
    let card = tape.card(one);
    tape.says(15_100, 9_000, &card);
    tape
}

fn struck(audit: &Audit) -> Vec<Check> {
    audit.counts.iter().filter(|(_, count)| **count > 0).map(|(check, _)| *check).collect()
}

#[test]
fn a_sound_log_passes_with_every_update_disposed_of() {
    let audit = sound().audit();
    assert_eq!(struck(&audit), [], "{:?}", audit.findings);
    assert_eq!(audit.dispositions, [("answered", 203)].into());
    assert_eq!(audit.answers.len(), 203);
}

#[test]
fn each_planted_bug_is_caught_by_its_check() {
    for bug in Bug::ALL {
        let tape = sound();
        let mut log = tape.log();
        assert!(bug.plant(&mut log), "{bug:?} finds no place");
        let audit = audit(&log, &tape.truth, &by_name());
        assert!(audit.count(bug.caught_by()) > 0, "{bug:?} escaped: {:?}", audit.findings);
    }
}

#[test]
fn the_same_question_again_is_covered_by_one_later_answer() {
    let mut tape = Tape::new();
    let (number, card) = (tape.number(3).to_string(), tape.card(3));
    tape.asks(0, 34, &number);
    tape.asks(500, 34, &number);
    tape.says(1_000, 34, &card);
    let audit = tape.audit();
    assert_eq!(audit.dispositions, [("answered", 1), ("covered", 1)].into());
    assert_eq!(struck(&audit), []);
}

#[test]
fn a_question_delivered_after_the_answer_is_not_covered_by_it() {
    let mut tape = Tape::new();
    let (number, card) = (tape.number(3).to_string(), tape.card(3));
    tape.asks(0, 34, &number);
    tape.says(1_000, 34, &card);
    tape.asks(1_500, 34, &number);
    let audit = tape.audit();
    assert_eq!(audit.dispositions, [("answered", 1), ("lost", 1)].into());
    assert_eq!(struck(&audit), [Check::Lost]);
}

#[test]
fn answering_each_copy_of_a_question_is_no_repeat() {
    let mut tape = Tape::new();
    let (number, card) = (tape.number(3).to_string(), tape.card(3));
    tape.asks(0, 34, &number);
    tape.asks(500, 34, &number);
    tape.says(1_000, 34, &card);
    tape.says(2_000, 34, &card);
    assert_eq!(struck(&tape.audit()), []);
    tape.says(3_000, 34, &card);
    assert_eq!(struck(&tape.audit()), [Check::Repeated]);
}

#[test]
fn a_server_that_answers_every_copy_in_order_is_not_in_disorder() {
    let mut tape = Tape::new();
    let (mine, my_card) = (tape.number(3).to_string(), tape.card(3));
    let (friends, friends_card) = (tape.number(4).to_string(), tape.card(4));
    for (at, text) in [(0, &mine), (10, &mine), (20, &friends)] {
        tape.asks(at, 34, text);
    }
    tape.says(1_000, 34, &my_card);
    tape.asks(1_500, 34, &mine);
    tape.says(2_000, 34, &my_card);
    tape.says(3_000, 34, &friends_card);
    tape.says(4_000, 34, &my_card);
    let audit = tape.audit();
    assert_eq!(struck(&audit), [], "{:?}", audit.findings);
    assert_eq!(audit.dispositions, [("answered", 4)].into());
}

#[test]
fn a_later_question_of_the_same_wording_may_be_coalesced_or_answered() {
    let mut tape = Tape::new();
    let (mine, my_card) = (tape.number(3).to_string(), tape.card(3));
    let (friends, friends_card) = (tape.number(4).to_string(), tape.card(4));
    for (at, text) in [(0, &mine), (10, &friends), (20, &mine)] {
        tape.asks(at, 34, text);
    }
    tape.says(1_000, 34, &my_card);
    tape.says(2_000, 34, &friends_card);
    let coalesced = tape.audit();
    assert_eq!((struck(&coalesced), coalesced.dispositions["covered"]), (vec![], 1));
    tape.says(3_000, 34, &my_card);
    let answered = tape.audit();
    assert_eq!((struck(&answered), answered.dispositions["answered"]), (vec![], 3));
    let latencies: Vec<At> =
        answered.answers.iter().filter(|a| a.own).map(|a| a.accepted_at - a.planned_at).collect();
    assert_eq!(latencies, [ms(1_000), ms(1_990)], "a copy counts from its first answer");
}

/// Someone is answered, the server acts on the wire, is killed, and the next process answers again.
struct Repeat {
    /// Whether there is a third turn after the answer was surely read.
    third_turn: bool,
    /// When another user's first update is delivered. It is answered 200 at 2 ms later.
    first_update: u64,
    kill: u64,
    same_process: bool,
}

/// What holds: the answer is given at 1,000, read by 1,020, and the turns are over at 1,200.
const PROVEN: Repeat = Repeat { third_turn: true, first_update: 1_201, kill: 1_204, same_process: false };

fn judged(repeat: &Repeat) -> Vec<Check> {
    let mut tape = Tape::new();
    let (number, card) = (tape.number(3).to_string(), tape.card(3));
    let line = |nth, opened_at| Some(Line { nth, opened_at: ms(opened_at) });
    let mut send = |at: u64, user: u64, line: Option<Line>| {
        tape.asks(at.saturating_sub(500), user, &number);
        tape.says(at, user, &card);
        if let Some(Wire::Call(call)) = tape.events.last_mut() {
            call.line = line;
        }
    };
    send(1_000, 34, line(1, 0));
    // The next request on its connection; then turns on another one, each after the answer before.
    send(1_020, 51, line(1, 0));
    for (nth, at) in [1_031, 1_100, 1_150].into_iter().enumerate() {
        send(at, 68 + 17 * nth as u64, line(2, 0));
    }
    if repeat.third_turn {
        send(1_200, 136, line(2, 0));
    }
    tape.asks(repeat.first_update, 153, &number);
    tape.says(5_500, 153, &card);
    tape.says(5_000, 34, &card);
    if let Some(Wire::Call(call)) = tape.events.last_mut() {
        call.line = line(3, if repeat.same_process { 0 } else { 2_000 });
    }
    tape.events.push(Wire::Process { at: ms(repeat.kill), up: false });
    struck(&tape.audit())
}

#[test]
fn a_repeat_over_a_kill_fails_once_the_wire_proves_that_its_end_was_durable() {
    assert_eq!(judged(&PROVEN), [Check::Repeated]);
    let unread = [
        ("two turns do not prove it", Repeat { third_turn: false, ..PROVEN }),
        ("the update came before the last turn", Repeat { first_update: 1_199, ..PROVEN }),
        ("its commit may not have been over", Repeat { kill: 1_202, ..PROVEN }),
    ];
    for (why, repeat) in unread {
        assert_eq!(judged(&repeat), [Check::ExcusedRepeat], "{why}");
    }
    let same = Repeat { same_process: true, kill: 1_202, ..PROVEN };
    assert_eq!(judged(&same), [Check::Repeated], "one process has no excuse");
}

#[test]
fn without_a_kill_a_repeat_is_excused_only_by_a_lost_answer() {
    let repeat_after = |first: Outcome| {
        let mut tape = Tape::new();
        let (number, card) = (tape.number(3).to_string(), tape.card(3));
        tape.asks(0, 34, &number);
        tape.call(1_000, 34, &card, first);
        tape.says(5_000, 34, &card);
        struck(&tape.audit())
    };
    assert_eq!(repeat_after(Outcome::Accepted { message_id: None }), [Check::Repeated]);
    assert_eq!(repeat_after(Outcome::AcceptedUnanswered { message_id: None }), [Check::ExcusedRepeat]);
}

#[test]
fn a_refusal_by_rate_needs_more_than_ten_requests_and_a_notice() {
    let play = |requests: u64, notice: bool| {
        let mut tape = Tape::new();
        let (number, card) = (tape.number(3).to_string(), tape.card(3));
        for nth in 0..requests {
            tape.asks(nth * 1_100, 34, &number);
            if nth < 10.min(requests - 1) {
                tape.says(nth * 1_100 + 50, 34, &card);
            }
        }
        if notice {
            tape.says(20_000, 34, "أرسلت رسائل كثيرة. انتظر 30 ثانية");
        }
        tape.audit().dispositions
    };
    assert_eq!(play(12, true), [("answered", 10), ("refused_by_rate", 2)].into());
    assert_eq!(play(12, false), [("answered", 10), ("lost", 2)].into());
    assert_eq!(play(4, true), [("answered", 3), ("lost", 1)].into());
}

#[test]
fn notices_answer_nothing() {
    let mut tape = Tape::new();
    let number = tape.number(3).to_string();
    tape.asks(0, 34, &number);
    tape.says(500, 34, "طلبك محفوظ، ودورك 120 في الانتظار");
    let audit = tape.audit();
    assert_eq!((audit.notices, audit.count(Check::Lost)), (1, 1));
}

#[test]
fn a_card_of_an_existing_number_is_not_replaced_by_words() {
    let mut tape = Tape::new();
    let number = tape.number(3).to_string();
    tape.asks(0, 34, &number);
    tape.says(500, 34, &format!("لا توجد نتيجة للرقم \u{2068}{number}\u{2069}"));
    assert!(tape.audit().count(Check::WrongAnswer) > 0);
    let mut tape = Tape::new();
    tape.asks(0, 34, &number);
    tape.says(500, 34, "أهلا بك، من هنا تحصل على نتيجتك");
    assert!(tape.audit().count(Check::Lost) > 0);
}

#[test]
fn an_answer_across_lanes_out_of_order_is_disorder() {
    let mut tape = Tape::new();
    let (first, second) = (tape.number(3).to_string(), tape.number(4).to_string());
    let (first_card, second_card) = (tape.card(3), tape.card(4));
    tape.asks(0, 34, &first);
    tape.asks(10, 34, &second);
    tape.says(1_000, 34, &second_card);
    tape.says(2_000, 34, &first_card);
    assert_eq!(struck(&tape.audit()), [Check::Disorder]);
}

#[test]
fn refusals_are_counted_by_scope_and_injected_ones_are_nobodys_fault() {
    let mut tape = Tape::new();
    for scope in [Scope::Token, Scope::Chat, Scope::Injected] {
        tape.call(100, 34, "x", Outcome::TooMany { retry_after: 3, scope, defiance: scope == Scope::Chat });
    }
    let audit = tape.audit();
    assert_eq!((audit.refused.own(), audit.refused.injected, audit.defiance), (2, 1, 1));
}

#[test]
fn thirty_in_any_second_pass_and_the_window_is_half_open() {
    let moments: Vec<At> = (0..30).map(|_| ms(0)).chain([ms(1_000)]).collect();
    assert_eq!(limits::over_window(&moments, 30, ms(1_000)), []);
    let moments: Vec<At> = (0..30).map(|_| ms(0)).chain([ms(999)]).collect();
    assert_eq!(limits::over_window(&moments, 30, ms(1_000)), [ms(999)]);
}

#[test]
fn an_update_never_delivered_is_lost_and_one_of_another_kind_owes_nothing() {
    let mut tape = Tape::new();
    tape.asks(0, 34, "/start");
    tape.events.truncate(1);
    let mut other = tape.events[0].clone();
    if let Wire::Update(update) = &mut other {
        update.update_id = 99;
        update.what = What::Other("my_chat_member".to_owned());
    }
    tape.events.push(other);
    let audit = tape.audit();
    assert_eq!(audit.dispositions, [("lost", 1), ("no_answer_due", 1)].into());
    assert!(audit.findings[0].what.contains("never delivered"));
}

#[test]
fn a_button_is_judged_by_what_it_said() {
    let play = |data: &str, card: usize| {
        let mut tape = Tape::new();
        let words = tape.truth.pupils()[7].names()[..2].join(" ");
        tape.asks(0, 34, &words);
        tape.lists(100, 34, 5, &[7, 8], false);
        tape.presses(1_000, 34, 5, data);
        let card = tape.card(card);
        tape.says(2_000, 34, &card);
        struck(&tape.audit())
    };
    assert_eq!(play("c7", 7), []);
    assert_eq!(play("c8", 8), []);
    assert_eq!(play("c7", 8), [Check::WrongRecipient, Check::Lost]);
    assert_eq!(play("c9", 9), [Check::WrongRecipient], "a button that was never shown");
}

#[test]
fn a_name_that_begins_like_a_pupils_is_not_said_not_to_be_found() {
    let mut tape = Tape::new();
    let words = tape.truth.pupils()[7].names()[..3].join(" ");
    tape.asks(0, 34, &words);
    tape.says(500, 34, "لم نجد اسماً مطابقاً: x");
    assert_eq!(struck(&tape.audit()), [Check::Lost, Check::WrongAnswer]);
}

#[test]
fn before_the_hour_questions_are_noted_and_nothing_is_told() {
    let play = |card_at: u64| {
        let mut tape = Tape::new();
        let (number, card) = (tape.number(3).to_string(), tape.card(3));
        tape.asks(0, 34, &number);
        tape.says(50, 34, "لم تُعلن النتائج بعد. سجّلنا طلبك");
        tape.says(card_at, 34, &card);
        let log = Log { hour: Some(ms(5_000)), ..tape.log() };
        struck(&audit(&log, &tape.truth, &Rules::default()))
    };
    assert_eq!(play(5_100), []);
    assert_eq!(play(4_900), [Check::Early]);
}

#[test]
fn at_the_hour_who_asked_first_is_served_first() {
    let play = |order: [u64; 3]| {
        let mut tape = Tape::new();
        for nth in 0..3u64 {
            let number = tape.number(nth as usize).to_string();
            tape.asks(100 * nth, 34 + 17 * nth, &number);
        }
        for (turn, nth) in order.into_iter().enumerate() {
            let card = tape.card(nth as usize);
            tape.says(5_000 + 1_300 * turn as u64, 34 + 17 * nth, &card);
        }
        let log = Log { hour: Some(ms(5_000)), ..tape.log() };
        struck(&audit(&log, &tape.truth, &Rules::default()))
    };
    assert_eq!(play([0, 1, 2]), []);
    assert_eq!(play([1, 0, 2]), [Check::Disorder]);
    assert_eq!(play([0, 2, 1]), [Check::Disorder]);
}
