//! What wakes an administrator: troubles that last, told once in Telegram when they begin and once when they are over.
//!
//! What lives here: [`Alerts`], which the main thread looks at each tick, and [`Alarm`], the bell that the threads of
//! the disk hold. The log and the metrics say everything at once; this room says what somebody must do something
//! about, to `admin.user_ids`, through the pacer like any message. It needs no journal: a full disk is one of the
//! troubles. What the process cannot outlive (a failed sync) is the service manager's to tell.

use crate::config::Config;
use crate::observe::Registry;
use crate::outbound::{Mail, Outbox};
use nobat_core::id::{LaneIx, UserId};
use nobat_core::time::{Nanos, Now};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// An alert that could not be told for so long is told no more: the log has it.
const KEEPS: Duration = Duration::from_secs(6 * 3600);

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// Updates are answered 503, because the journal cannot be written.
    Journal,
    /// No backup could be made, or it does not open.
    Backup,
    /// No snapshot can be made: the journal grows, and the next start takes longer.
    Snapshot,
}

impl Trouble {
    const ALL: [Self; 3] = [Self::Journal, Self::Backup, Self::Snapshot];

    /// How long it must be over before that is said: a disk that is full again each second is one trouble.
    const fn settles(self) -> Duration {
        match self {
            Self::Journal => Duration::from_secs(10),
            Self::Backup | Self::Snapshot => Duration::ZERO,
        }
    }

    const fn over(self) -> &'static str {
        match self {
            Self::Journal => "the journal is written again and updates are taken. Nothing was lost.",
            Self::Backup => "a backup was made and opened again.",
            Self::Snapshot => "a snapshot was made again.",
        }
    }
}

/// Where a thread says that something is wrong, or not any more. Cheap, and never waits for anything slow.
#[derive(Clone, Default)]
pub(super) struct Alarm(Arc<Mutex<[Option<String>; Trouble::ALL.len()]>>);

impl Alarm {
    /// It is wrong, for this reason. The first reason of a streak is the one that is told.
    pub(super) fn raise(&self, trouble: Trouble, why: impl Into<String>) {
        self.0.lock()[trouble as usize].get_or_insert_with(|| why.into());
    }

    /// It is right.
    pub(super) fn clear(&self, trouble: Trouble) {
        self.0.lock()[trouble as usize] = None;
    }
}

/// What was told of one trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    /// That all is well, or nothing yet.
    Well,
    /// That it is wrong.
    Wrong,
    /// That it is wrong; it has been over since then.
    OverSince(Nanos),
}

/// Decides what is told.
pub(super) struct Alerts {
    alarm: Alarm,
    told: [Told; Trouble::ALL.len()],
    to: Vec<UserId>,
    lane: LaneIx,
    /// Which machine and directory: one person may look after several.
    whose: String,
}

impl Alerts {
    /// To the administrators of this configuration, by the bot of `admin.bot_token` if it has a lane, else the first.
    pub(super) fn new(config: &Config, alarm: Alarm) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let admin = config.admin.bot_token.as_ref();
        let lane = admin.and_then(|token| config.lanes.iter().position(|lane| lane.token == *token));
        Self {
            alarm,
            told: [Told::Well; Trouble::ALL.len()],
            to: config.admin.user_ids.clone(),
            lane: LaneIx(lane.and_then(|lane| u16::try_from(lane).ok()).unwrap_or(0)),
            whose: format!("{}, {}", host.trim(), config.data_dir.display()),
        }
    }

    /// Tells what is new.
    pub(super) fn look(&mut self, now: Now, outbox: &Outbox, registry: &Registry) {
        for says in self.news(now.mono) {
            registry.inc(crate::observe::names::ALERTS);
            for &to in &self.to {
                let (lane, until) = (self.lane, now.wall.after(KEEPS));
                outbox.put(Mail::Alert { to, lane, says: says.clone(), until });
            }
            outbox.wake();
        }
    }

    /// The texts that are due.
    fn news(&mut self, now: Nanos) -> Vec<String> {
        let wrong = self.alarm.0.lock();
        let mut news = Vec::new();
        for (trouble, (told, why)) in Trouble::ALL.into_iter().zip(self.told.iter_mut().zip(&*wrong)) {
            *told = match (*told, why) {
                (Told::Well, Some(why)) => {
                    news.push(format!("⚠️ Nobat ({}): {why}", self.whose));
                    Told::Wrong
                }
                (Told::OverSince(_), Some(_)) => Told::Wrong,
                (Told::Wrong, None) => Told::OverSince(now),
                (told, _) => told,
            };
            if matches!(*told, Told::OverSince(since) if now.since(since) >= trouble.settles()) {
                news.push(format!("✅ Nobat ({}): {}", self.whose, trouble.over()));
                *told = Told::Well;
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alerts() -> Alerts {
        Alerts {
            alarm: Alarm::default(),
            told: [Told::Well; Trouble::ALL.len()],
            to: Vec::new(),
            lane: LaneIx(0),
            whose: "here".to_owned(),
        }
    }

    const fn at(secs: u64) -> Nanos {
        Nanos::from_secs(secs)
    }

    #[test]
    fn a_streak_is_told_once_with_its_first_reason_and_its_end_once() {
        let mut alerts = alerts();
        let alarm = alerts.alarm.clone();
        assert!(alerts.news(at(1)).is_empty());
        alarm.clear(Trouble::Backup);
        assert!(alerts.news(at(2)).is_empty(), "what was never wrong is not told to be right");
        alarm.raise(Trouble::Backup, "first");
        alarm.raise(Trouble::Backup, "second");
        assert_eq!(alerts.news(at(3)), ["⚠️ Nobat (here): first"]);
        alarm.raise(Trouble::Backup, "third");
        assert!(alerts.news(at(4)).is_empty());
        alarm.clear(Trouble::Backup);
        let over = alerts.news(at(5));
        assert!(over.len() == 1 && over[0].contains("opened again"), "{over:?}");
        assert!(alerts.news(at(6)).is_empty());
        alarm.raise(Trouble::Backup, "another");
        assert_eq!(alerts.news(at(7)), ["⚠️ Nobat (here): another"]);
    }

    #[test]
    fn a_disk_that_is_full_again_and_again_is_one_trouble_until_it_was_well_for_a_while() {
        let mut alerts = alerts();
        let alarm = alerts.alarm.clone();
        let mut told = 0;
        for second in 0..100 {
            match second % 2 {
                0 => alarm.raise(Trouble::Journal, "full"),
                _ => alarm.clear(Trouble::Journal),
            }
            told += alerts.news(at(second)).len();
        }
        assert_eq!(told, 1);
        assert!(alerts.news(at(108)).is_empty());
        assert_eq!(alerts.news(at(109)).len(), 1, "well since second 99");
    }

    #[test]
    fn one_trouble_says_nothing_of_another() {
        let mut alerts = alerts();
        let alarm = alerts.alarm.clone();
        alarm.raise(Trouble::Snapshot, "none");
        alarm.raise(Trouble::Backup, "none");
        assert_eq!(alerts.news(at(1)).len(), 2);
        alarm.clear(Trouble::Snapshot);
        let over = alerts.news(at(2));
        assert!(over.len() == 1 && over[0].contains("snapshot"), "{over:?}");
    }
}
