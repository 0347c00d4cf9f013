//! What one of a pair passes on to the other: the payloads that hang together with a message of his.
//!
//! What lives here: [`Passed`] and where it comes from, [`Origin`]; which messages it copies or speaks of
//! ([`Passed::thread`]), and who hears if it does not arrive. A durable format. Nothing of it but the words
//! is ever shown: whose it is the bot must know and the partner must not.

use super::note::Note;
use nobat_core::bot::{Call, Echo, Outcome, Thread, Unrenderable};
use nobat_core::envelope::DropReason;
use nobat_core::id::{ChatId, MessageId, PairNo, UserId};
use nobat_core::record::{Malformed, Reader, Write};

/// A message of one of a pair, in his chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Origin {
    pub pair: PairNo,
    pub author: UserId,
    pub message: MessageId,
    /// The message of his chat that it answers.
    pub reply_to: Option<MessageId>,
}

/// What becomes of it at his partner's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Passed {
    /// He wrote this.
    Said { text: String },
    /// It is copied, with this text under it.
    Shown { from: ChatId, caption: String },
    /// It is the first part of an album; these are the others.
    Album { from: ChatId, more: Vec<MessageId> },
    /// It was changed: its text, or the text under it.
    Edited { text: String, caption: bool },
    /// He set this sign on it, or took it back.
    Signed { emoji: String },
    /// He is about to send something.
    Typing,
}

const SAID: u16 = 14;
const SHOWN: u16 = 15;
pub(super) const ALBUM: u16 = 16;
const EDITED: u16 = 17;
const SIGNED: u16 = 18;
const TYPING: u16 = 19;

impl Passed {
    pub(super) const fn template(&self) -> u16 {
        match self {
            Self::Said { .. } => SAID,
            Self::Shown { .. } => SHOWN,
            Self::Album { .. } => ALBUM,
            Self::Edited { .. } => EDITED,
            Self::Signed { .. } => SIGNED,
            Self::Typing => TYPING,
        }
    }

    pub(super) fn encode(&self, origin: &Origin, out: &mut Vec<u8>) {
        out.put_varint(origin.pair.0);
        out.put_varint(origin.author.0);
        out.put_signed(origin.message.0);
        // No message has the number 0.
        out.put_signed(origin.reply_to.map_or(0, |message| message.0));
        match self {
            Self::Said { text } => out.put_str(text),
            Self::Shown { from, caption } => {
                out.put_signed(from.0);
                out.put_str(caption);
            }
            Self::Album { from, more } => {
                out.put_signed(from.0);
                out.put_u8(more.len() as u8);
                more.iter().for_each(|message| out.put_signed(message.0));
            }
            Self::Edited { text, caption } => {
                out.put_str(text);
                out.put_u8(u8::from(*caption));
            }
            Self::Signed { emoji } => out.put_str(emoji),
            Self::Typing => {}
        }
    }

    /// None if the template is another one's.
    pub(super) fn decode(template: u16, from: &mut Reader<'_>) -> Option<Result<(Origin, Self), Malformed>> {
        (SAID..=TYPING).contains(&template).then(|| {
            let (pair, author) = (PairNo(from.varint()?), UserId(from.varint()?));
            let (message, reply_to) = (MessageId(from.signed()?), MessageId(from.signed()?));
            let reply_to = Some(reply_to).filter(|message| message.0 != 0);
            Ok((Origin { pair, author, message, reply_to }, Self::body(template, from)?))
        })
    }

    fn body(template: u16, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match template {
            SAID => Self::Said { text: from.str()?.to_owned() },
            SHOWN => Self::Shown { from: ChatId(from.signed()?), caption: from.str()?.to_owned() },
            ALBUM => {
                let chat = ChatId(from.signed()?);
                let more = (0..from.u8()?).map(|_| from.signed().map(MessageId));
                Self::Album { from: chat, more: more.collect::<Result<_, _>>()? }
            }
            EDITED => Self::Edited { text: from.str()?.to_owned(), caption: from.u8()? != 0 },
            SIGNED => Self::Signed { emoji: from.str()?.to_owned() },
            _ => Self::Typing,
        })
    }

    pub(super) fn thread(&self, origin: &Origin) -> Option<Thread> {
        let Origin { pair, author, message, reply_to } = *origin;
        let (copies, refers) = match self {
            Self::Said { .. } | Self::Shown { .. } => (vec![message], reply_to),
            Self::Album { more, .. } => {
                (core::iter::once(message).chain(more.iter().copied()).collect(), None)
            }
            Self::Edited { .. } | Self::Signed { .. } => (Vec::new(), Some(message)),
            Self::Typing => return None,
        };
        Some(Thread { pair, author, copies, refers })
    }

    /// Its author hears if a message of his did not arrive; not of an edit or a sign.
    pub(super) fn echo(&self, origin: &Origin, outcome: Outcome) -> Option<Echo> {
        let Outcome::Dropped(why) = outcome else { return None };
        let pair = origin.pair;
        let note = match (self, why) {
            (Self::Edited { .. } | Self::Signed { .. } | Self::Typing, _) => return None,
            (_, DropReason::Unreachable) => Note::Unreached { pair },
            _ => Note::Undelivered { pair },
        };
        Some(Echo { to: origin.author, note: note.bytes() })
    }

    /// `refers`: the message in the partner's chat that it speaks of.
    pub(super) fn call(
        self,
        origin: &Origin,
        refers: Option<MessageId>,
        protect: bool,
    ) -> Result<Call, Unrenderable> {
        let message = origin.message;
        Ok(match self {
            Self::Said { text } => Call::Said { text, protect, reply_to: refers },
            Self::Shown { from, caption } => Call::Copy { from, message, caption, protect, reply_to: refers },
            Self::Album { from, more } => {
                let messages = core::iter::once(message).chain(more).collect();
                Call::CopyAlbum { from, messages, protect }
            }
            Self::Edited { text, caption } => {
                let message = refers.ok_or(Unrenderable::FORGOTTEN)?;
                match caption {
                    true => Call::EditCaption { message, caption: text },
                    false => Call::EditText { message, text, keyboard: Vec::new() },
                }
            }
            Self::Signed { emoji } => Call::React { message: refers.ok_or(Unrenderable::FORGOTTEN)?, emoji },
            Self::Typing => Call::Typing,
        })
    }
}
