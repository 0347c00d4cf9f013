//! What is said in a chat, on its way to the partner.

use super::Turn;
use crate::chat::filter;
use crate::chat::say::Say;
use crate::chat::texts::Key;
use nobat_core::bot::{Content, Outgoing, Partner, Want};
use nobat_core::envelope::Class;
use nobat_core::id::MessageId;

impl Turn<'_> {
    pub(super) fn talk(&mut self, partner: Partner, text: &str) {
        if self.settings.private && filter::gives_away(text) {
            return self.plain(Key::NotSentPrivate);
        }
        self.relay(partner, &Say::Relayed { text: text.to_owned() });
    }

    /// A message that is no text. It is copied: the partner does not see whose it was.
    pub(super) fn show(&mut self, partner: Partner, message: MessageId, content: Content, caption: &str) {
        let refused = match content {
            // Never, whatever the configuration: it is somebody's number.
            Content::Contact => Some(Key::NotSentContact),
            Content::Other => Some(Key::NotSentKind),
            // A bot can copy what stands in its own chats alone.
            _ if partner.lane != self.view.lane => Some(Key::NotSentBots),
            _ if self.settings.private && filter::gives_away(caption) => Some(Key::NotSentPrivate),
            _ => None,
        };
        if let Some(why) = refused {
            return self.plain(why);
        }
        let (from, caption) = (self.view.chat, caption.to_owned());
        self.relay(partner, &Say::Copied { from, message, caption });
    }

    fn relay(&mut self, partner: Partner, say: &Say) {
        self.spoke();
        let what = Outgoing { class: Class::Relay, pinned: true, ..Outgoing::reply(say.payload()) };
        self.want(Want::Relay { pair: partner.pair, what });
    }
}
