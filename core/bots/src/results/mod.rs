//! Exam results: a pupil sends his number and gets his marks.
//!
//! What lives here: [`ResultsBot`], the conversation; [`dataset`], the pupils; [`Texts`], the words. The
//! shell gives it a [`Settings`] and a [`DatasetSource`] and calls it through the contract. It does no I/O
//! and knows no other kind.
//!
//! # Nobody gets another's marks
//!
//! The worst outcome is a pupil who gets another's marks. It is excluded by construction, in five steps,
//! each of which holds alone:
//!
//! 1. An envelope carries *what was asked* (the number, and the fingerprint of the code), never a row
//!    number, a pointer or rendered marks. A data set replaced between question and answer can make a
//!    question unanswerable; it cannot make it another's.
//! 2. Marks are read from a [`dataset::Student`] only by the card, and the card takes an `Entitled`, which
//!    only `door` can make. `door` looks the record up by the asked number *and compares the number that
//!    the found record bears with the asked one*; where a code is required, the code too. An index that is
//!    wrong ends in "not found".
//! 3. The card shows the number that stands in the record beside the name and the marks, so that even a
//!    mistaken reader sees whose it is.
//! 4. Choosing by name travels as number and tag, a hash over user, number and name; both are compared
//!    again when the card is made. The button of one user is nothing in another's hands, and the button of
//!    a record that has changed is "the list has changed".
//! 5. The columns of a row are written by one loop over one order and read by one row index from a file
//!    whose checksum and structure were verified at load; duplicates are refused at import, so a number is
//!    at most one row.
//!
//! What is left is the address: the envelope's user is the user of the view, and that is the engine's.
//!
//! # Not every wrong number is answered
//!
//! So many questions without a result in so long a time ([`Settings::misses_max`],
//! [`Settings::misses_window`]), then nothing is looked up for the rest of that time: numbers and codes
//! cannot be tried one after the other.

mod button;
mod card;
pub mod dataset;
mod decide;
mod door;
pub mod hash;
pub mod question;
mod render;
mod say;
mod shelf;
mod state;
mod texts;

pub use shelf::{DatasetSource, Shelf};
pub use state::{Event, State};
pub use texts::{Key, Language, TextError, Texts};

use core::time::Duration;
use nobat_core::bot::records::Row;
use nobat_core::bot::{Bot, Call, Decision, Input, RenderView, Unrenderable, View};
use nobat_core::envelope::Payload;
use say::Say;
use std::sync::Arc;

/// What the operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The words.
    pub texts: Texts,
    /// From this waiting time on a repeat is told its place in the queue, once per wait.
    pub wait_from: Duration,
    /// Questions without a result that one user may ask within [`Settings::misses_window`].
    pub misses_max: u8,
    /// How long they count, from the first of them.
    pub misses_window: Duration,
    /// Questions that one user may leave before the hour; at most 16 are told apart by the engine.
    pub asks_max: u8,
    /// The lanes' user names without `@`, by lane; empty: no handoff.
    pub handoff: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            texts: Texts::default(),
            wait_from: Duration::from_secs(10),
            misses_max: 5,
            misses_window: Duration::from_secs(600),
            asks_max: 5,
            handoff: Vec::new(),
        }
    }
}

/// The results bot.
pub struct ResultsBot {
    settings: Settings,
    source: Arc<dyn DatasetSource>,
}

impl ResultsBot {
    /// Over the data set that `source` holds at each moment.
    #[must_use]
    pub fn new(settings: Settings, source: Arc<dyn DatasetSource>) -> Self {
        Self { settings, source }
    }
}

impl Bot for ResultsBot {
    type State = State;
    type Event = Event;

    fn decide(&self, view: &View<'_>, state: &State, input: &Input<'_>) -> Decision<Event> {
        let set = self.source.current();
        let (settings, set, out) = (&self.settings, set.as_deref(), Decision::default());
        decide::Turn { settings, view, state, set, out }.take(input)
    }

    fn evolve(state: &mut State, event: &Event) {
        state.apply(event);
    }

    /// What he searched for is left out: it may be another's name.
    fn portrait(state: &State, row: &mut Row) {
        row.set("stage", "ready");
        row.set("language", state.language.tag());
    }

    fn render(&self, view: &RenderView, payload: &Payload) -> Result<Call, Unrenderable> {
        let say = Say::read(payload)?;
        let set = self.source.current();
        let (settings, set, language) = (&self.settings, set.as_deref(), say.language());
        Ok(render::Voice { settings, view, set, language }.call(say))
    }
}

#[cfg(test)]
mod tests;
