//! Albums between people of two bots and of one, by hand.

use std::time::Duration;

use crate::auditor::evening::Record;
use crate::auditor::{Audit, Check, Log, Rules, audit};
use crate::dataset::Truth;
use crate::student::evening::{Gender, Language, Person};
use crate::wire::{At, BotIx, Call, Delivery, Outcome, Update, What, Wire};

/// Who sends albums, and to whom; each writes to the bot of his place.
const PEOPLE: [u64; 2] = [11, 12];
const NOT_SENT: &str = "⚠️ Not sent: your partner uses another bot, and only text can pass between bots.";

fn ms(value: u64) -> At {
    Duration::from_millis(value)
}

/// An evening of two, in milliseconds, in the order of time.
struct Tape {
    bots: [BotIx; 2],
    events: Vec<Wire>,
    /// The last number of the first one's chat.
    last: i64,
}

impl Tape {
    /// Both look for somebody and are told of each other after 5 s.
    fn met(bots: [BotIx; 2]) -> Tape {
        let mut tape = Tape { bots, events: Vec::new(), last: 0 };
        tape.does(1_000, 0, What::Text("/find".to_owned()), 1);
        tape.does(1_001, 1, What::Text("/find".to_owned()), 1);
        tape.tells(1_010, 0, "Searching for a partner …");
        tape.tells(1_010, 1, "Searching for a partner …");
        (0..2).for_each(|who| tape.tells(5_000, who, "🎉 You have a partner:\n👤 Man\n🎂 30"));
        for event in &mut tape.events {
            if let Wire::Call(call) = event {
                call.buttons = vec![("⏹ Leave".to_owned(), "stop 1".to_owned())];
            }
        }
        tape
    }

    fn does(&mut self, at: u64, who: usize, what: What, known_after: u64) {
        self.last += 1;
        let (bot, user, update_id) = (self.bots[who], PEOPLE[who], self.events.len() as i64);
        let (chat, message_id) = (user as i64, Some(self.last));
        let (planned_at, queued_at) = (ms(at), ms(at));
        self.events.push(Wire::Update(Update {
            planned_at,
            queued_at,
            bot,
            update_id,
            user,
            chat,
            what,
            message_id,
        }));
        let (sent_at, done_at) = (ms(at + known_after), ms(at + known_after + 2));
        let (attempt, result) = (1, Ok(200));
        self.events.push(Wire::Delivery(Delivery { bot, update_id, attempt, sent_at, done_at, result }));
    }

    /// The first one shows a picture, as a part of an album if that has a name.
    fn shows(&mut self, at: u64, album: &str, known_after: u64) {
        let name = if album.is_empty() { "media:photo".to_owned() } else { format!("media:photo+{album}") };
        self.does(at, 0, What::Other(name), known_after);
    }

    fn tells(&mut self, at: u64, who: usize, text: &str) {
        self.last += 1;
        self.events.push(Wire::Call(Call {
            bot: self.bots[who],
            method: "sendmessage".to_owned(),
            chat: Some(PEOPLE[who] as i64),
            line: None,
            arrived_at: ms(at),
            decided_at: ms(at),
            answered_at: Some(ms(at + 1)),
            outcome: Outcome::Accepted { message_id: Some(self.last) },
            text: Some(text.to_owned()),
            buttons: Vec::new(),
            params: serde_json::Map::new(),
        }));
    }

    fn audit(self) -> Audit {
        let person = |who: usize| Person {
            user: PEOPLE[who],
            bot: self.bots[who],
            language: Language::English,
            gender: Gender::Male,
            age: 30,
            member: true,
            vip: false,
        };
        let record = Record::new([person(0), person(1)]);
        let mut log = Log { evening: Some(Box::new(record)), ..Log::default() };
        self.events.into_iter().for_each(|event| log.push(event));
        log.settle();
        audit(&log, &Truth::generate(10, 1), &Rules::default())
    }
}

#[test]
fn one_word_stands_for_a_whole_album_and_leaves_the_next_picture_its_own() {
    let mut tape = Tape::met([0, 1]);
    (0..2).for_each(|part| tape.shows(10_000 + part, "7", 1));
    tape.tells(10_010, 0, NOT_SENT);
    tape.shows(12_000, "", 1);
    tape.tells(12_010, 0, NOT_SENT);
    let audit = tape.audit();
    assert_eq!(audit.findings, [], "{:?}", audit.dispositions);
    assert_eq!(audit.dispositions["refused"], 3);
}

#[test]
fn the_picture_after_a_refused_album_needs_a_word_of_its_own() {
    let mut tape = Tape::met([0, 1]);
    (0..2).for_each(|part| tape.shows(10_000 + part, "7", 1));
    tape.tells(10_010, 0, NOT_SENT);
    tape.shows(12_000, "", 1);
    assert_eq!(tape.audit().count(Check::Lost), 1);
}

#[test]
fn the_part_that_comes_first_may_be_the_second() {
    let mut tape = Tape::met([0, 1]);
    tape.shows(10_000, "7", 50);
    tape.shows(10_001, "7", 1);
    tape.tells(10_010, 0, NOT_SENT);
    assert_eq!(tape.audit().findings, []);
}

#[test]
fn an_album_of_which_nothing_is_said_is_lost_whole() {
    let mut tape = Tape::met([0, 1]);
    (0..2).for_each(|part| tape.shows(10_000 + part, "7", 1));
    assert_eq!(tape.audit().count(Check::Lost), 2);
}

#[test]
fn between_two_of_one_bot_a_word_of_one_part_excuses_no_other() {
    let mut tape = Tape::met([3, 3]);
    (0..2).for_each(|part| tape.shows(10_000 + part, "7", 1));
    tape.tells(10_010, 0, NOT_SENT);
    assert_eq!(tape.audit().count(Check::Lost), 1);
}

#[test]
fn he_may_be_told_of_each_part_and_of_no_part_twice() {
    let mut tape = Tape::met([0, 1]);
    (0..2).for_each(|part| tape.shows(10_000 + part, "7", 1));
    (0..2).for_each(|nth| tape.tells(10_010 + nth, 0, NOT_SENT));
    assert_eq!(tape.audit().findings, []);

    let mut tape = Tape::met([0, 1]);
    (0..2).for_each(|part| tape.shows(10_000 + part, "7", 1));
    (0..3).for_each(|nth| tape.tells(10_010 + nth, 0, NOT_SENT));
    assert_eq!(tape.audit().count(Check::Repeated), 1);
}
