//! People of another bot into the data directory, before the bot runs.
//!
//! What lives here: [`take_over`], which `nobat chat import` calls. It opens the data directory as a start does, gives
//! the engine each person as an input, and waits until all are durable. The frames are ordinary ones: what a
//! kill leaves is a part of the list, and the same import again brings the rest.

use super::ring::{Extra, RingJournal};
use super::standing::{RING_BYTES, RING_FRAMES};
use super::{ServeError, chat, recover};
use crate::clock::Clock;
use crate::config::Config;
use crate::disk::{self, Committed, DiskError, Hooks};
use crate::entropy;
use crate::recovery::Recovery;
use crate::say;
use nobat_bots::chat::Person;
use nobat_core::engine::{AdmittedAs, Busy, Engine};
use nobat_core::id::{KindIx, UserId};
use nobat_core::record::Record;
use nobat_core::sync::ring;
use std::thread;
use std::time::Duration;

/// For the journal's thread to make room.
const PAUSE: Duration = Duration::from_millis(1);

/// What became of a list.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TakenOver {
    /// Of whom something was new.
    pub changed: u64,
    /// Of whom all was known.
    pub known: u64,
}

/// Takes a list over. The bot must not run.
///
/// # Errors
/// [`ServeError`]: the data directory is in use, damaged or full. What was durable by then stays.
pub fn take_over(config: &Config, people: &[(UserId, Person)]) -> Result<TakenOver, ServeError> {
    let clock = Clock::start();
    let lanes = u16::try_from(config.lanes.len()).unwrap_or(u16::MAX);
    let engine = Engine::new(vec![chat::kind(config, lanes)?], entropy::seed());
    let Recovery { journal, engine, .. } = recover::recover(config, engine)?;
    let (producer, consumer) = ring::ring(RING_FRAMES, RING_BYTES, journal.next_seq());
    let engine = engine.attach(RingJournal(producer));
    let journal = disk::spawn(journal, consumer, Silent)?;
    let mut taken = TakenOver::default();
    let mut record = Vec::new();
    for (user, person) in people {
        record.clear();
        person.encode(&mut record);
        let admitted = loop {
            match engine.import(clock.now(), KindIx(0), *user, &record) {
                Ok(admitted) => break Some(admitted),
                Err(Busy::Journal | Busy::Pending) if !journal.failed() => thread::sleep(PAUSE),
                Err(_) => break None,
            }
        };
        match admitted.map(|admitted| admitted.as_what) {
            Some(AdmittedAs::Quiet) => taken.known += 1,
            Some(_) => taken.changed += 1,
            None => break,
        }
    }
    journal.stop_and_join()?;
    Ok(taken)
}

/// Nobody waits for a commit, and nothing is sent.
struct Silent;

impl Hooks<Extra> for Silent {
    fn committed(&mut self, _: &mut Vec<Committed<Extra>>) {}

    fn stalled(&mut self, error: &DiskError) {
        say!(
            Error,
            "the journal cannot be written; free space on the disk of the data directory",
            error = error
        );
    }

    fn healed(&mut self) {}

    fn failed(&mut self, error: &DiskError) {
        say!(Error, "the journal failed for good", error = error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_texts;
    use nobat_bots::chat::Gender;

    #[test]
    fn a_list_is_taken_over_once_however_often_it_is_imported() {
        let dir = tempfile::tempdir().expect("a directory");
        let toml = format!("[server]\ndata_dir = \"{}\"\n[journal]\nsegment_kb = 64\n", dir.path().display());
        let config = load_texts(&toml, "BOT_TOKENS=1000001:TEST\nPORT=8080\n").expect("a configuration");
        let person = |user: u64| {
            let (gender, credits) = (Some(Gender::Male), user as u32);
            (UserId(user), Person { gender, age: 30, credits, ..Person::default() })
        };
        let mut people: Vec<_> = (1..=500).map(person).collect();
        assert_eq!(take_over(&config, &people).expect("taken"), TakenOver { changed: 500, known: 0 });
        assert_eq!(take_over(&config, &people).expect("taken"), TakenOver { changed: 0, known: 500 });
        people[0].1.credits += 5;
        people.push(person(501));
        assert_eq!(take_over(&config, &people).expect("taken"), TakenOver { changed: 2, known: 499 });
    }
}
