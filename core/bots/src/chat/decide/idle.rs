//! A chat in which nobody says anything ends.
//!
//! Each of the two knows only when he himself said something last, so that a message changes one cell and
//! not two. Everyone in a chat has an alarm. Who is rung and was silent for the idle time lets his partner
//! know; the partner, if he is silent too, is rung at once and ends the chat. If he is not, his own alarm
//! comes later and asks the other way round. [`Turn::spoke`] writes down one word
//! in an eighth of the idle time, not every one; so a chat ends between seven eighths of that time and the
//! whole of it after the last word.

use super::Turn;
use crate::chat::note::Note;
use crate::chat::state::{Event, Parting};
use nobat_core::bot::{Meeting, Want};

impl Turn<'_> {
    /// Remembers that he said something.
    pub(super) fn spoke(&mut self) {
        let now = self.now();
        let due = now >= self.state.said_at.after(self.settings.idle / 8) || now < self.state.said_at;
        if due || self.state.both_silent {
            self.happened(Event::Said { at: now });
        }
    }

    pub(super) fn rung(&mut self) {
        let Meeting::Paired(partner) = self.view.meeting else { return };
        let (now, idle) = (self.now(), self.settings.idle);
        if !self.state.silent_for(idle, now) {
            return self.want(Want::Alarm(Some(self.state.said_at.after(idle))));
        }
        if self.state.both_silent {
            return self.part(partner, Parting::Idle);
        }
        self.tell(partner, Note::Silent);
        self.want(Want::Alarm(Some(now.after(idle))));
    }

    pub(super) fn partner_is_silent(&mut self) {
        let now = self.now();
        if self.state.silent_for(self.settings.idle, now) {
            self.happened(Event::BothSilent);
            self.want(Want::Alarm(Some(now)));
        }
    }
}
