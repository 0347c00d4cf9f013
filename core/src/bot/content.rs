//! What a message holds that is no text, and what is paid for.

/// What a message holds, as far as kinds tell messages apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Content {
    /// A picture.
    Photo,
    /// A film.
    Video,
    /// A short film without sound.
    Animation,
    /// Music.
    Audio,
    /// A voice message.
    Voice,
    /// A round video message.
    VideoNote,
    /// A sticker.
    Sticker,
    /// Any other file.
    Document,
    /// A place on the map.
    Location,
    /// A poll.
    Poll,
    /// A die or the like.
    Dice,
    /// Somebody's name and telephone number.
    Contact,
    /// Anything else: what happened in the chat, games, kinds that are not known yet.
    Other,
}

/// Stars that were paid, or are about to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payment<'a> {
    /// The platform's number of it: the same for every copy of the news, and for ever. Empty before it is paid.
    pub charge: &'a str,
    /// What the kind wrote on the invoice, 1 to 128 bytes.
    pub payload: &'a str,
    /// How many; none if it was another currency.
    pub stars: Option<u32>,
}
