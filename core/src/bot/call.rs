//! What a bot says, without the words of any channel.

use crate::id::{ChatId, MessageId, UserId};

/// A channel-neutral call. Text is plain, never markup: nothing in the data can become formatting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// A text message.
    Text {
        /// At most 4,096 characters on Telegram.
        text: String,
        /// Buttons under it, by rows.
        keyboard: Vec<Vec<Button>>,
    },
    /// Replaces the text of a message of this bot.
    EditText {
        /// Which.
        message: MessageId,
        /// The new text.
        text: String,
        /// Buttons under it, by rows.
        keyboard: Vec<Vec<Button>>,
    },
    /// Answers a pressed button.
    AnswerCallback {
        /// The platform's id of the press.
        id: String,
        /// A short notice, at most 200 characters; empty for none.
        text: String,
        /// As a dialogue instead of a toast.
        alert: bool,
    },
    /// What one user wrote, for another: like a text, without buttons.
    Said {
        /// At most 4,096 characters on Telegram.
        text: String,
        /// It can be neither forwarded nor saved.
        protect: bool,
        /// The message of this chat that it answers.
        reply_to: Option<MessageId>,
    },
    /// A message of this same bot in another chat, without saying whose it is.
    Copy {
        /// The chat it stands in.
        from: ChatId,
        /// Which.
        message: MessageId,
        /// The text under it, without formatting; empty leaves it away.
        caption: String,
        /// It can be neither forwarded nor saved.
        protect: bool,
        /// The message of this chat that it answers.
        reply_to: Option<MessageId>,
    },
    /// Several messages of this same bot in another chat, as one album, without the texts under them.
    CopyAlbum {
        /// The chat they stand in.
        from: ChatId,
        /// Which, rising; 1 to 100.
        messages: Vec<MessageId>,
        /// They can be neither forwarded nor saved.
        protect: bool,
    },
    /// Replaces the text under a message of this bot.
    EditCaption {
        /// Which.
        message: MessageId,
        /// The new text; empty removes it.
        caption: String,
    },
    /// Sets a sign on a message of this chat.
    React {
        /// Which.
        message: MessageId,
        /// The sign; empty takes it back.
        emoji: String,
    },
    /// Asks whether a user is in a channel or group; see [`crate::bot::Outcome::Member`].
    IsMember {
        /// Its number, or its name with the `@`.
        channel: String,
        /// Who.
        user: UserId,
    },
    /// An invoice in Telegram Stars.
    Invoice {
        /// 1 to 32 characters.
        title: String,
        /// 1 to 255 characters.
        about: String,
        /// Comes back in [`crate::bot::Input::PreCheckout`] and [`crate::bot::Input::Paid`]; 1 to 128 bytes.
        payload: String,
        /// The price.
        stars: u32,
    },
    /// Answers [`crate::bot::Input::PreCheckout`].
    AnswerPreCheckout {
        /// The platform's id of the question.
        id: String,
        /// Why not, in words for the user; empty if he may pay.
        refusal: String,
    },
    /// Gives Stars back.
    RefundStars {
        /// To whom.
        user: UserId,
        /// The payment.
        charge: String,
    },
    /// Shows "typing".
    Typing,
}

/// An inline button.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Button {
    /// Its label.
    pub text: String,
    /// What it does.
    pub action: Action,
}

/// What an inline button does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Comes back as [`crate::bot::Input::Callback`]; 1 to 64 bytes.
    Callback(String),
    /// Opens an address.
    Url(String),
}
