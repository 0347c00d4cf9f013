//! The limits at their boundaries, to the nanosecond, and against a naive twin.

use proptest::prelude::*;

use super::*;

const S: Duration = Duration::from_secs(1);
const NS: Duration = Duration::from_nanos(1);

struct Desk {
    limits: Limits,
    token: TokenBook,
    chats: std::collections::HashMap<i64, ChatBook>,
}

impl Desk {
    fn new(limits: Limits) -> Self {
        Self { limits, token: TokenBook::default(), chats: std::collections::HashMap::new() }
    }

    fn attempt(chat: i64, at: At) -> Attempt {
        Attempt { arrived_at: at, at, answer_at: at, messages: 1, group: chat < 0, reply: true }
    }

    /// Sends as the emulator does: judge, then accept or announce.
    fn send(&mut self, chat: i64, at: At) -> Result<(), (u32, Scope, bool)> {
        self.send_as(chat, Self::attempt(chat, at))
    }

    fn send_as(&mut self, chat: i64, attempt: Attempt) -> Result<(), (u32, Scope, bool)> {
        let book = self.chats.entry(chat).or_default();
        match judge(&self.limits, &mut self.token, book, &attempt) {
            Judgement::Free => {
                accept(&self.limits, &mut self.token, book, &attempt);
                Ok(())
            }
            Judgement::Full { free_at, scope } => {
                Err((announce(&self.limits, &mut self.token, book, &attempt, free_at, scope), scope, false))
            }
            Judgement::Waiting { retry_after, scope, defiance } => Err((retry_after, scope, defiance)),
        }
    }
}

#[test]
fn the_31st_send_within_one_second_is_refused_and_names_one_second() {
    let mut desk = Desk::new(Limits::default());
    for chat in 1..=30 {
        assert_eq!(desk.send(chat, S), Ok(()));
    }
    assert_eq!(desk.send(31, S + S - NS), Err((1, Scope::Token, false)));
}

#[test]
fn a_send_exactly_one_second_after_the_first_of_thirty_is_accepted() {
    let mut desk = Desk::new(Limits::default());
    for chat in 1..=30 {
        assert_eq!(desk.send(chat, S), Ok(()));
    }
    assert_eq!(desk.send(31, S + S), Ok(()));
}

#[test]
fn a_private_chat_takes_a_burst_of_three_and_then_one_a_second() {
    let mut desk = Desk::new(Limits::default());
    for _ in 0..3 {
        assert_eq!(desk.send(7, S), Ok(()));
    }
    assert_eq!(desk.send(7, S + S - NS), Err((1, Scope::Chat, false)));
    let mut desk = Desk::new(Limits::default());
    for at in [S, S, S, 2 * S, 3 * S] {
        assert_eq!(desk.send(7, at), Ok(()));
    }
    assert!(desk.send(7, 3 * S + S / 2).is_err());
}

#[test]
fn a_group_takes_twenty_in_any_minute() {
    let mut desk = Desk::new(Limits::default());
    for i in 0..20 {
        assert_eq!(desk.send(-5, S * i), Ok(()));
    }
    assert_eq!(desk.send(-5, 20 * S), Err((40, Scope::Group, false)));
    // A wait of the group leaves private chats alone.
    assert_eq!(desk.send(5, 20 * S), Ok(()));
    assert_eq!(desk.send(-5, 60 * S), Ok(()));
}

#[test]
fn a_chat_refusal_can_stop_the_whole_token() {
    let mut desk = Desk::new(Limits { chat_wait: WaitScope::Token, ..Limits::default() });
    for _ in 0..3 {
        assert_eq!(desk.send(7, S), Ok(()));
    }
    assert_eq!(desk.send(7, S), Err((1, Scope::Chat, false)));
    assert!(desk.send(8, S + S / 10).is_err(), "another chat of the token is stopped too");
    assert_eq!(desk.send(8, 10 * S), Ok(()));
}

#[test]
fn a_call_before_the_wait_is_over_is_a_defiance_unless_it_was_in_flight() {
    let mut desk = Desk::new(Limits { defiance: Defiance::Count, ..Limits::default() });
    (1..=30).for_each(|chat| assert_eq!(desk.send(chat, S), Ok(())));
    assert!(desk.send(31, S).is_err());
    let ms = Duration::from_millis;
    assert_eq!(desk.send(32, S + ms(50)), Err((1, Scope::Token, false)), "in flight");
    assert_eq!(desk.send(33, S + ms(50) + NS), Err((1, Scope::Token, true)), "too early");
    assert_eq!(desk.send(34, 2 * S), Ok(()), "counting does not move the end");
}

#[test]
fn the_excuse_counts_from_the_moment_the_refusal_was_told() {
    let mut desk = Desk::new(Limits { defiance: Defiance::Count, ..Limits::default() });
    (1..=30).for_each(|chat| assert_eq!(desk.send(chat, S), Ok(())));
    let told_at = S + Duration::from_millis(300);
    let refused = Attempt { answer_at: told_at, ..Desk::attempt(31, S) };
    assert!(desk.send_as(31, refused).is_err());
    let at = told_at + Duration::from_millis(40);
    assert_eq!(desk.send(32, at), Err((1, Scope::Token, false)));
}

#[test]
fn defiance_extends_and_escalates_the_wait() {
    let escalate = Defiance::Escalate { factor: 4, max_s: 10 };
    for (rule, expected) in [(Defiance::Extend, [1, 1, 1]), (escalate, [4, 10, 10])] {
        let mut desk = Desk::new(Limits { defiance: rule, ..Limits::default() });
        (1..=30).for_each(|chat| assert_eq!(desk.send(chat, S), Ok(())));
        assert!(desk.send(31, S).is_err());
        let mut at = S;
        for seconds in expected {
            at += Duration::from_millis(900);
            assert_eq!(desk.send(40, at), Err((seconds, Scope::Token, true)), "{rule:?}");
        }
    }
}

#[test]
fn replies_may_be_free_of_the_token_limit_while_bulk_is_not() {
    let mut desk = Desk::new(Limits { cap_replies: false, ..Limits::default() });
    (1..=100).for_each(|chat| assert_eq!(desk.send(chat, S), Ok(())));
    let bulk = |chat| Attempt { reply: false, ..Desk::attempt(chat, S) };
    (200..230).for_each(|chat| assert_eq!(desk.send_as(chat, bulk(chat)), Ok(())));
    assert_eq!(desk.send_as(300, bulk(300)), Err((1, Scope::Token, false)));
}

#[test]
fn an_album_counts_as_its_messages() {
    let mut desk = Desk::new(Limits::default());
    let album = |chat| Attempt { messages: 10, ..Desk::attempt(chat, S) };
    (1..=3).for_each(|chat| assert_eq!(desk.send_as(chat, album(chat)), Ok(())));
    assert_eq!(desk.send(9, S), Err((1, Scope::Token, false)));
}

proptest! {
    /// The log agrees with counting: an accepted send never makes 31 within one second, and a send is
    /// refused only if it would have.
    #[test]
    fn the_sliding_log_is_exact(gaps in proptest::collection::vec(0u64..80, 1..400)) {
        let mut desk = Desk::new(Limits { chat: None, defiance: Defiance::Count, ..Limits::default() });
        let mut accepted: Vec<At> = Vec::new();
        let mut at = S;
        for (i, gap) in gaps.into_iter().enumerate() {
            at += Duration::from_millis(gap);
            // The naive twin asks the log alone; waits are not its business.
            desk.token.wait = None;
            let within = accepted.iter().filter(|&&t| t + S > at).count();
            let verdict = desk.send(i as i64 + 1, at);
            prop_assert_eq!(verdict.is_ok(), within < 30);
            if verdict.is_ok() {
                accepted.push(at);
            }
        }
    }
}
