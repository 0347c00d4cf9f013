//! What an update is to Nobat: who, where, which kind, and what was said.
//!
//! What lives here: [`Update`] and its parts, and the mapping to the bot contract's input. The decoder
//! makes them; the webhook reads them.

use nobat_core::bot::{Content, Input, Payment};
use nobat_core::id::{ChatId, MessageId, UpdateId, UserId};
use std::borrow::Cow;

macro_rules! kinds {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// The field of an update that names its kind. Constant, so that it can label a counter.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs)]
        pub enum UpdateKind { $($variant),+ }

        impl UpdateKind {
            /// The platform's names in the order of the variants; the last stands for all we do not know.
            pub const NAMES: &'static [&'static str] = &[$($name),+];
            const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

kinds! {
    Message = "message",
    EditedMessage = "edited_message",
    ChannelPost = "channel_post",
    EditedChannelPost = "edited_channel_post",
    BusinessConnection = "business_connection",
    BusinessMessage = "business_message",
    EditedBusinessMessage = "edited_business_message",
    DeletedBusinessMessages = "deleted_business_messages",
    GuestMessage = "guest_message",
    MessageReaction = "message_reaction",
    MessageReactionCount = "message_reaction_count",
    InlineQuery = "inline_query",
    ChosenInlineResult = "chosen_inline_result",
    CallbackQuery = "callback_query",
    ShippingQuery = "shipping_query",
    PreCheckoutQuery = "pre_checkout_query",
    PurchasedPaidMedia = "purchased_paid_media",
    Poll = "poll",
    PollAnswer = "poll_answer",
    MyChatMember = "my_chat_member",
    ChatMember = "chat_member",
    ChatJoinRequest = "chat_join_request",
    ChatBoost = "chat_boost",
    RemovedChatBoost = "removed_chat_boost",
    ManagedBot = "managed_bot",
    Subscription = "subscription",
    StoppedMessageGeneration = "stopped_message_generation",
    Unknown = "unknown",
}

impl UpdateKind {
    /// The kind with the platform's name `field`; [`UpdateKind::Unknown`] for one not in Bot API 10.3.
    #[must_use]
    pub fn of(field: &[u8]) -> Self {
        let known = Self::NAMES.iter().position(|name| name.as_bytes() == field);
        known.map_or(Self::Unknown, |at| Self::ALL[at])
    }

    /// The platform's name; a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// The type of a chat.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ChatType {
    /// One person.
    Private,
    /// A small group.
    Group,
    /// A large group.
    Supergroup,
    /// A channel.
    Channel,
    /// Not said, or not known to us.
    Other,
}

impl ChatType {
    /// The type with the platform's name.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        match name {
            b"private" => Self::Private,
            b"group" => Self::Group,
            b"supergroup" => Self::Supergroup,
            b"channel" => Self::Channel,
            _ => Self::Other,
        }
    }
}

/// What was said or done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What<'a> {
    /// A new text message.
    Text {
        /// As written.
        text: &'a str,
        /// Its id.
        message: MessageId,
        /// The message of this chat that it answers.
        reply_to: Option<MessageId>,
    },
    /// A button was pressed.
    Callback {
        /// For the answer.
        id: &'a str,
        /// What the button carried; empty if nothing (a game's button).
        data: &'a str,
        /// The message that bore the button; none if it came from an inline message.
        message: Option<MessageId>,
    },
    /// A new message that is no text.
    OtherMessage {
        /// Its id.
        message: MessageId,
        /// What it holds.
        content: Content,
        /// The text under it, or empty.
        caption: &'a str,
        /// The message of this chat that it answers.
        reply_to: Option<MessageId>,
        /// The album that it is a part of, or empty.
        album: &'a str,
    },
    /// A message was changed.
    Edited {
        /// Which.
        message: MessageId,
        /// Its text now, or the text under it.
        text: &'a str,
        /// What it holds; none if it is a text.
        content: Option<Content>,
    },
    /// A sign was set on a message, or taken back.
    Reacted {
        /// Which.
        message: MessageId,
        /// The first of them that any bot can set; empty if there is none.
        emoji: &'a str,
    },
    /// He is about to pay.
    PreCheckout {
        /// For the answer.
        id: &'a str,
        /// Without a charge yet.
        payment: Payment<'a>,
    },
    /// He has paid.
    Paid(Payment<'a>),
    /// He has got a payment back.
    Refunded(Payment<'a>),
    /// The user started, blocked or unblocked this bot.
    MyChatMember {
        /// May the bot write to him now?
        reachable: bool,
    },
    /// Somebody came into a channel or group, or left it.
    ChatMember {
        /// Who.
        user: UserId,
        /// Its name without the `@`, or empty.
        name: &'a str,
        /// Is he in it now?
        joined: bool,
    },
    /// Something no bot kind asks for, or an odd shape.
    Nothing,
}

/// One update. Borrows its texts from the body that was decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Update<'a> {
    /// The platform's number; unique per bot.
    pub update_id: UpdateId,
    /// Which field it carried.
    pub kind: UpdateKind,
    /// Who did it; none for channel posts, polls and odd shapes.
    pub from: Option<UserId>,
    /// Was it a bot?
    pub from_bot: bool,
    /// Where.
    pub chat: Option<ChatId>,
    /// What sort of place.
    pub chat_type: ChatType,
    /// When, in seconds since 1970; none for callbacks (the date there is that of the button's message).
    pub date: Option<u64>,
    /// The language of his client (IETF tag), or empty.
    pub language: &'a str,
    /// What was said.
    pub what: What<'a>,
}

impl<'a> Update<'a> {
    /// Whose private conversation with the bot this belongs to: a person, in his own chat.
    ///
    /// What somebody does in a channel is his as well, with that chat.
    ///
    /// None for groups, channels, bots, and shapes without a person. A callback without a message (from an
    /// inline message), or a question before a payment, belongs to the private chat of whoever it is from.
    #[must_use]
    pub fn conversation(&self) -> Option<(UserId, ChatId)> {
        if let (What::ChatMember { user, .. }, Some(chat)) = (self.what, self.chat) {
            return Some((user, chat));
        }
        let user = self.from.filter(|_| !self.from_bot)?;
        let own = user.private_chat();
        let private = match (self.chat, self.chat_type) {
            (Some(chat), ChatType::Private | ChatType::Other) => chat == own,
            (Some(_), _) => false,
            (None, _) => matches!(self.what, What::Callback { .. } | What::PreCheckout { .. }),
        };
        private.then_some((user, own))
    }

    /// The input of the bot contract; none if no kind asks for it.
    #[must_use]
    pub fn input(&self) -> Option<Input<'a>> {
        match self.what {
            What::Text { text, message, reply_to } => {
                Some(Input::Text { text: Cow::Borrowed(text), message, reply_to })
            }
            What::Callback { id, data, message } => {
                Some(Input::Callback { id, data: Cow::Borrowed(data), message })
            }
            What::OtherMessage { message, content, caption, reply_to, album } => {
                let caption = Cow::Borrowed(caption);
                Some(Input::OtherMessage { message, content, caption, reply_to, album })
            }
            What::Edited { message, text, content } => {
                Some(Input::Edited { message, text: Cow::Borrowed(text), content })
            }
            What::Reacted { message, emoji } => Some(Input::Reacted { message, emoji }),
            What::PreCheckout { id, payment } => Some(Input::PreCheckout { id, payment }),
            What::Paid(payment) => Some(Input::Paid(payment)),
            What::Refunded(payment) => Some(Input::Refunded(payment)),
            What::MyChatMember { reachable: true } => Some(Input::Reachable),
            What::MyChatMember { reachable: false } => Some(Input::Blocked),
            What::ChatMember { name, joined, .. } => Some(Input::Member { name, joined }),
            What::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metric_knows_every_kind() {
        assert_eq!(UpdateKind::NAMES, crate::observe::names::UPDATE_KINDS);
        for name in UpdateKind::NAMES {
            assert_eq!(UpdateKind::of(name.as_bytes()).name(), *name);
        }
    }
}
