//! Asking a kind what an input means.
//!
//! What lives here: `Engine::decide`, which shows a bot what the engine knows of the user and holds what it answers to
//! the limits. It changes nothing: a decision is pure, and may be asked for again with more cells locked.

use super::cell::{Cell, Open};
use super::erased::Effects;
use super::turn::Turn;
use super::{Engine, Journal, Kind};
use crate::bot::{Input, Outgoing, Received, View, Waiting, Want};
use crate::limits::{ASIDE_BYTES_MAX, PAYLOAD_BYTES_MAX, RELAYS_PER_DECISION_MAX, SENDS_PER_DECISION_MAX};
use crate::time::Now;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

impl<J: Journal> Engine<J> {
    /// Asks the kind. None if nothing happened and nothing is said or wanted.
    pub(super) fn decide(
        &self,
        kind: &Kind,
        now: Now,
        turn: &Turn<'_>,
        cell: &Cell,
        input: &Input<'_>,
    ) -> Option<Effects> {
        let mut questions = [0; Open::QUESTIONS_SHOWN];
        let (n, first) = cell.waiting(&mut questions);
        let ahead = first.map_or(0, |stamp| stamp.saturating_sub(kind.load.ended.load(Relaxed)));
        let wait = Duration::from_millis(ahead * 1000 / u64::from(kind.load.per_s.load(Relaxed).max(1)));
        let view = View {
            now,
            user: turn.user,
            chat: turn.chat,
            lane: turn.lane,
            lanes: kind.lanes,
            language: turn.language,
            waiting: Waiting {
                questions: &questions[..n],
                ahead: u32::try_from(ahead).unwrap_or(u32::MAX),
                wait,
            },
            released: kind.released.load(Relaxed),
            meeting: cell.meeting(),
            received: cell.ties.as_ref().map_or_else(Received::default, |ties| Received(ties.links.all())),
            census: self.census(kind),
        };
        // A cell is only ever written by this engine: bytes that it cannot read are a bug. The user gets
        // no answer, the process goes on.
        let mut effects = match kind.bot().decide(&view, &cell.state, input).ok()? {
            Some(effects) => effects,
            // Nothing to say, yet who blocks a bot must stay unreachable after a restart, and an alarm that
            // rang must not ring again.
            None if matches!(input, Input::Blocked | Input::Alarm { .. }) => Effects::none(&cell.state),
            None => return None,
        };
        if matches!(input, Input::Alarm { .. }) {
            effects.wants.insert(0, Want::Alarm(None)); // A later one of the kind's own counts.
        }
        let fits = fits(&effects);
        debug_assert!(fits, "a decision over the limits");
        fits.then_some(effects)
    }
}

/// Whether a decision keeps to the limits.
fn fits(effects: &Effects) -> bool {
    let relays = effects.wants.iter().filter_map(|want| match want {
        Want::Relay { what, .. } | Want::Post { what, .. } => Some(what),
        _ => None,
    });
    let notes = effects.wants.iter().map(|want| match want {
        Want::Tell { note, .. } | Want::Inform { note, .. } => note.len(),
        _ => 0,
    });
    let args = |send: &Outgoing| send.payload.args.len();
    let all = || effects.sends.iter().chain(relays.clone());
    effects.sends.len() <= SENDS_PER_DECISION_MAX
        && relays.clone().count() <= RELAYS_PER_DECISION_MAX
        && all().all(|send| args(send) <= PAYLOAD_BYTES_MAX)
        && notes.sum::<usize>() <= ASIDE_BYTES_MAX
}
