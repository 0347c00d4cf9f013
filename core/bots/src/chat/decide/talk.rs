//! What is said in a chat, on its way to the partner.
//!
//! Everything passes by [`Turn::relay`], so that an album that is still coming in goes first and the order is
//! kept. Nothing passes that was written before its author was told of the chat: see [`Wrote`].

use super::Turn;
use crate::chat::album::PARTS_MAX;
use crate::chat::event::Event;
use crate::chat::filter;
use crate::chat::note::Note;
use crate::chat::passed::{Origin, Passed};
use crate::chat::say::Say;
use crate::chat::state::Parting;
use crate::chat::texts::Key;
use core::time::Duration;
use nobat_core::bot::{Content, Meeting, Outgoing, Partner, Want};
use nobat_core::envelope::{Class, Place};
use nobat_core::id::{MessageId, PairNo};
use nobat_core::record::Record;

/// "Typing" is shown for so long, and is worth nothing later.
const TYPING_DEADLINE: Duration = Duration::from_secs(3);
/// A sign on a message that is older than this need not be seen any more.
const SIGN_DEADLINE: Duration = Duration::from_secs(60);
/// Bytes of a sign: the longest emoji has 35.
const SIGN_MAX: usize = 40;

/// When and where someone in a chat wrote something. The platform delivers messages and presses of one user beside
/// each other, and what it could not deliver at first comes late: so a text that was meant for a former partner may
/// come when the next one is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrote {
    /// After he was told of this chat.
    Here,
    /// Before that.
    Before,
    /// The platform has not taken yet what tells him of this chat.
    Untold,
    /// To another bot than the one that he was told by. Its messages have numbers of their own.
    Elsewhere,
}

/// A message that is no text, as it came.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub message: MessageId,
    pub content: Content,
    pub caption: &'a str,
    pub reply_to: Option<MessageId>,
    pub album: &'a str,
}

impl Turn<'_> {
    /// When he wrote something, as the numbers in his chat have it.
    pub(super) fn wrote(&self, message: MessageId) -> Wrote {
        match self.view.received.opened() {
            _ if self.view.lane.0 != self.state.lane => Wrote::Elsewhere,
            // A pair of an older journal: nobody will ever tell its number.
            None if !self.state.numbered => Wrote::Here,
            None => Wrote::Untold,
            Some(told) if message > told => Wrote::Here,
            Some(_) => Wrote::Before,
        }
    }

    /// What he is told if he did not write it for this partner.
    fn misdirected(&self, partner: Partner, message: MessageId) -> Option<Say> {
        let language = self.language();
        match self.wrote(message) {
            Wrote::Here => None,
            Wrote::Elsewhere => Some(Say::Text { language, key: Key::OtherBot }),
            Wrote::Untold | Wrote::Before => Some(Say::Early { language, pair: partner.pair }),
        }
    }

    pub(super) fn talk(
        &mut self,
        partner: Partner,
        text: &str,
        message: MessageId,
        reply_to: Option<MessageId>,
    ) {
        if let Some(why) = self.misdirected(partner, message) {
            return self.say(&why);
        }
        if self.settings.private && filter::gives_away(text) {
            return self.plain(Key::NotSentPrivate);
        }
        self.pass(partner, message, reply_to, Passed::Said { text: text.to_owned() });
    }

    /// A message that is no text. It is copied: the partner does not see whose it was.
    pub(super) fn show(&mut self, partner: Partner, shown: Shown<'_>) {
        let Shown { message, reply_to, album, .. } = shown;
        match self.misdirected(partner, message).or_else(|| self.unshowable(partner, &shown)) {
            Some(why) if album.is_empty() => self.say(&why),
            Some(why) => self.refuse_part(partner, album, &why),
            None if album.is_empty() => {
                let (from, caption) = (self.view.chat, shown.caption.to_owned());
                self.pass(partner, message, reply_to, Passed::Shown { from, caption });
                self.archive(vec![message]);
            }
            None => self.collect(partner, &shown),
        }
    }

    /// What he is told if this cannot be copied to his partner.
    fn unshowable(&self, partner: Partner, shown: &Shown<'_>) -> Option<Say> {
        let key = match shown.content {
            // Never, whatever the configuration: it is somebody's number.
            Content::Contact => Key::NotSentContact,
            Content::Other => Key::NotSentKind,
            // A bot can copy what stands in its own chats alone.
            _ if partner.lane != self.view.lane => Key::NotSentBots,
            // What is asked in it cannot be looked at.
            Content::Poll if self.settings.private => Key::NotSentKind,
            _ if self.settings.private && filter::gives_away(shown.caption) => Key::NotSentPrivate,
            _ => return None,
        };
        Some(Say::Text { language: self.language(), key })
    }

    /// A part of an album is not passed on. He is told once for all of them.
    fn refuse_part(&mut self, partner: Partner, album: &str, why: &Say) {
        if self.state.extras.album.as_ref().is_some_and(|known| *known.name == *album) {
            return;
        }
        self.pass_album(partner);
        self.happened(Event::AlbumRefused { name: album.into(), at: self.now() });
        self.say(why);
        self.arm_again();
    }

    /// A part of an album waits for the others.
    fn collect(&mut self, partner: Partner, part: &Shown<'_>) {
        if self.state.extras.album.as_ref().is_some_and(|album| *album.name != *part.album) {
            self.pass_album(partner);
        }
        let first = self.state.extras.album.is_none();
        if first {
            self.type_to(partner, part.message);
        }
        self.happened(Event::AlbumPart {
            name: part.album.into(),
            part: part.message,
            words: part.caption.into(),
            at: self.now(),
        });
        match &self.state.extras.album {
            Some(album) if album.parts.len() >= PARTS_MAX => self.pass_album(partner),
            _ if first => self.arm_again(),
            _ => {}
        }
    }

    /// Passes on the album that has come in, if there is one.
    pub(super) fn pass_album(&mut self, partner: Partner) {
        let Some(mut album) = self.state.extras.album.clone() else { return };
        self.happened(Event::AlbumSent);
        album.parts.sort_unstable();
        let Some((first, more)) = album.parts.split_first() else { return };
        let (from, more) = (self.view.chat, more.to_vec());
        let shown = match more.is_empty() {
            true => Passed::Shown { from, caption: core::mem::take(&mut album.words) },
            false => Passed::Album { from, more },
        };
        self.pass(partner, *first, None, shown);
        self.archive(album.parts.clone());
        if !album.words.is_empty() {
            self.relay(partner.pair, &Say::Relayed { text: album.words });
        }
    }

    pub(super) fn edited(
        &mut self,
        partner: Partner,
        message: MessageId,
        text: &str,
        content: Option<Content>,
    ) {
        // What he changes there was never passed on here.
        if self.wrote(message) != Wrote::Here {
            return;
        }
        let caption = match content {
            None => false,
            Some(
                Content::Photo
                | Content::Video
                | Content::Animation
                | Content::Audio
                | Content::Voice
                | Content::Document,
            ) => true,
            // A live place moves all the time; the others have no words.
            Some(_) => return,
        };
        if self.settings.private && filter::gives_away(text) {
            return self.plain(Key::NotSentPrivate);
        }
        self.pass(partner, message, None, Passed::Edited { text: text.to_owned(), caption });
    }

    pub(super) fn reacted(&mut self, partner: Partner, message: MessageId, emoji: &str) {
        if emoji.len() > SIGN_MAX || self.wrote(message) != Wrote::Here {
            return;
        }
        let what = Passed::Signed { emoji: emoji.to_owned() };
        // The message stands there already: nothing has to wait for it.
        self.beside(partner, message, what, Class::Relay, SIGN_DEADLINE);
    }

    /// What came of something he said.
    pub(super) fn heard(&mut self, note: &[u8]) {
        let note = Note::from_bytes(note);
        if let Ok(Note::Member { channel, joined }) = note {
            return self.member(channel, joined);
        }
        let Meeting::Paired(partner) = self.view.meeting else { return };
        match note {
            Ok(Note::Undelivered { pair }) if pair == partner.pair => self.plain(Key::NotDelivered),
            Ok(Note::Unreached { pair }) if pair == partner.pair => self.part(partner, Parting::Unreached),
            _ => {}
        }
    }

    fn pass(&mut self, partner: Partner, message: MessageId, reply_to: Option<MessageId>, what: Passed) {
        self.pass_album(partner);
        if self.spoke() {
            self.type_to(partner, message);
        }
        let origin = self.origin(partner, message, reply_to);
        self.relay(partner.pair, &Say::Passed { origin, what });
    }

    const fn origin(&self, partner: Partner, message: MessageId, reply_to: Option<MessageId>) -> Origin {
        Origin { pair: partner.pair, author: self.view.user, message, reply_to }
    }

    /// Shows the partner that something comes.
    fn type_to(&mut self, partner: Partner, message: MessageId) {
        if self.settings.typing {
            self.beside(partner, message, Passed::Typing, Class::Bulk, TYPING_DEADLINE);
        }
    }

    /// Something that is no message, and may be lost.
    fn beside(&mut self, partner: Partner, message: MessageId, what: Passed, class: Class, within: Duration) {
        let say = Say::Passed { origin: self.origin(partner, message, None), what };
        let (place, deadline) = (Place::Call, Some(self.now().after(within)));
        let what = Outgoing { class, pinned: true, place, deadline, ..Outgoing::reply(say.payload()) };
        self.want(Want::Relay { pair: partner.pair, what });
    }

    fn relay(&mut self, pair: PairNo, say: &Say) {
        let what = Outgoing { class: Class::Relay, pinned: true, ..Outgoing::reply(say.payload()) };
        self.want(Want::Relay { pair, what });
    }
}
