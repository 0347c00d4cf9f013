//! The channels and groups that a chat bot needs, and what every bot has to be there: each user is asked about, and
//! each report and picture sent, by the bot that he writes to.

use super::Found;
use crate::channel::telegram::Api;
use crate::channel::telegram::api::{ApiError, get_chat, get_chat_member};
use crate::config::Config;

/// What a bot has to be in a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Need {
    /// Or it is not told who the members are, or may not post.
    Administrator,
    /// To write there.
    Member,
}

impl Need {
    fn is_met_by(self, status: &str) -> bool {
        match self {
            Self::Administrator => ["administrator", "creator"].contains(&status),
            Self::Member => ["administrator", "creator", "member"].contains(&status),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Member => "member",
        }
    }
}

/// One of them.
pub(super) struct Place {
    what: &'static str,
    /// `@name`, or the number of a private one.
    chat: String,
    need: Need,
}

/// All that this configuration names.
pub(super) fn of(config: &Config) -> Vec<Place> {
    let chat = &config.chat;
    let place = |what, chat: String, need| Place { what, chat, need };
    let required = chat.channels.iter().map(|c| place("channel", c.name.clone(), Need::Administrator));
    let reports = chat.admin_chat.map(|id| place("reports to", id.to_string(), Need::Member));
    let media = chat.media_channel.map(|id| place("media to", id.to_string(), Need::Administrator));
    required.chain(reports).chain(media).collect()
}

impl Place {
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.what, self.chat)
    }

    /// Does it exist, and is every bot what it has to be there?
    pub(super) fn look(&self, api: &dyn Api, config: &Config) -> Found {
        let Self { chat, need, .. } = self;
        let remedy = match need {
            Need::Administrator => {
                format!(
                    "make the bot an administrator of {chat}, and write its name as it is (@name or -100...)"
                )
            }
            Need::Member => format!("add the bot to {chat}, and write its number as it is (-100...)"),
        };
        let main = &config.lanes[0];
        if let Err(error) = get_chat(api, &main.token, chat) {
            return Found::bad(format!("{error}; {remedy}"));
        }
        let (mut wrong, mut status) = (Vec::new(), String::new());
        for (lane, bot) in config.lanes.iter().enumerate() {
            let name = if lane == 0 { "the bot".to_owned() } else { format!("the bot of lane {lane}") };
            match get_chat_member(api, &bot.token, chat, bot.bot_id.0) {
                Ok(member) if need.is_met_by(&member.status) => status = member.status,
                Ok(member) => wrong.push(format!("{name} is `{}` there", member.status)),
                Err(error @ ApiError::Unreachable(_)) => return Found::bad(format!("{chat}: {error}")),
                Err(error) => wrong.push(format!("{name}: {error}")),
            }
        }
        if !wrong.is_empty() {
            let need = need.word();
            return Found::bad(format!("{chat}: {}, and has to be its {need}; {remedy}", wrong.join(", ")));
        }
        match config.lanes.len() {
            1 => Found::good(format!("{chat}: the bot is its {status}")),
            bots => Found::good(format!("{chat}: each of the {bots} bots may do there what it has to")),
        }
    }
}
