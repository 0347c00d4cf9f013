//! The values of the chat bot.

use super::keys;
use super::values::Values;
use std::path::PathBuf;
use std::time::Duration;

/// The chat bot.
#[derive(Clone, Debug)]
pub struct ChatConfig {
    /// The youngest that may use it, in years.
    pub age_min: u8,
    /// Users of different bots may meet.
    pub cross_bot: bool,
    /// Messages that name an account, a link or a telephone number are not passed on.
    pub private: bool,
    /// A chat in which nobody has written for so long ends.
    pub idle: Duration,
    /// How long someone is searched for.
    pub patience: Duration,
    /// Inputs of one user within [`ChatConfig::flood_per`].
    pub flood_messages: u32,
    /// See there.
    pub flood_per: Duration,
    /// So many reports in a day shut a user out.
    pub reports_max: u8,
    /// For so long.
    pub shut_out_for: Duration,
    /// Users who may have searched since the start.
    pub seats: u32,
    /// Texts that replace the built-in ones.
    pub texts_dir: Option<PathBuf>,
}

pub(super) fn chat(values: &mut Values<'_>) -> ChatConfig {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    // The table bounds both below 256.
    let byte = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
    ChatConfig {
        age_min: byte(values.small(keys::CHAT_AGE_MIN)),
        cross_bot: values.flag(keys::CHAT_CROSS_BOT),
        private: values.flag(keys::CHAT_PRIVATE),
        idle: minutes(values.whole(keys::CHAT_IDLE)),
        patience: minutes(values.whole(keys::CHAT_SEARCH)),
        flood_messages: values.small(keys::CHAT_FLOOD),
        flood_per: values.seconds(keys::CHAT_FLOOD_PER),
        reports_max: byte(values.small(keys::CHAT_REPORTS)),
        shut_out_for: minutes(60 * values.whole(keys::CHAT_SHUT_OUT)),
        seats: values.small(keys::CHAT_SEATS),
        texts_dir: values.path(keys::CHAT_TEXTS_DIR),
    }
}
