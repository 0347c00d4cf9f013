//! What is said in a chat, on its way to the partner.

use super::Turn;
use crate::chat::filter;
use crate::chat::say::Say;
use crate::chat::texts::Key;
use nobat_core::bot::{Outgoing, Partner, Want};
use nobat_core::envelope::Class;

impl Turn<'_> {
    pub(super) fn talk(&mut self, partner: Partner, text: &str) {
        if self.settings.private && filter::gives_away(text) {
            return self.plain(Key::NotSentPrivate);
        }
        self.spoke();
        let said = Say::Relayed { text: text.to_owned() };
        let what = Outgoing { class: Class::Relay, pinned: true, ..Outgoing::reply(said.payload()) };
        self.want(Want::Relay { pair: partner.pair, what });
    }
}
