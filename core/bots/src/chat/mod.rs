//! The anonymous chat: two strangers are brought together and talk without knowing who the other one is.
//!
//! What lives here: [`ChatBot`], the conversation; [`Texts`], the words. The shell gives it [`Settings`] and
//! calls it through the contract. Who meets whom, and that a message reaches the partner and nobody else, is
//! the engine's: this kind wants `Join`, `Leave` and `Relay` and hears what came of it. It does no I/O and
//! knows no other kind.
//!
//! # What a partner learns
//!
//! [`Profile`]: gender, age, how many chats. A message is passed on as its text, or copied, never forwarded,
//! and not at all if it names an account, a link or a telephone number ([`Settings::private`]) or is a
//! contact. That someone reported or blocked him, a partner is told as "has left".
//!
//! # Who answers whom
//!
//! Everything is pinned to the bot a user wrote to: with several public bots he is never answered by one that
//! he does not expect, though his partner may use another ([`Settings::cross_bot`]).

mod album;
mod button;
mod circle;
mod code;
mod common;
mod decide;
mod event;
mod extras;
mod filter;
mod gate;
mod knobs;
mod note;
mod passed;
mod person;
mod profile;
mod purse;
mod records;
mod render;
mod say;
mod shop;
mod state;
mod texts;

pub use album::Album;
pub use circle::{Circle, Invited, Refused, Rewards};
pub use common::{Change, Common};
pub use event::Event;
pub use extras::{Ban, Extras, Looks};
pub use gate::{CHANNELS_MAX, Channel, Gate};
pub use person::{Person, Taken};
pub use profile::{Gender, Profile, Wanted};
pub use purse::{Gave, Purse, Receipt};
pub use shop::{LockOffer, Offer, Shop};
pub use state::{Parting, State};
pub use texts::{Key, Language, Texts};

use core::time::Duration;
use nobat_core::bot::records::Row;
use nobat_core::bot::{
    Bot, Call, Decision, Echo, Input, Moment, Outcome, RenderView, Thread, Unrenderable, View,
};
use nobat_core::envelope::Payload;
use nobat_core::id::{ChatId, UserId};
use nobat_core::record::Record;
use say::Say;
use std::sync::Arc;

/// The oldest that anyone may say to be.
pub const AGE_MAX: u8 = 120;

/// What the operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The words.
    pub texts: Texts,
    /// The youngest that may use the bot, in years: 13 to [`AGE_MAX`].
    pub age_min: u8,
    /// Users of different bots may meet.
    pub cross_bot: bool,
    /// Messages that name an account, a link or a telephone number are not passed on.
    pub private: bool,
    /// A chat in which nobody has written for so long ends.
    pub idle: Duration,
    /// How long someone is searched for.
    pub patience: Duration,
    /// Inputs of one user in any [`Settings::flood_per`].
    pub flood_messages: u32,
    /// See there.
    pub flood_per: Duration,
    /// How often someone may ask for a partner within [`Looks::SPELL`], skipping included.
    pub looks_max: u8,
    /// So many reports within [`Settings::reports_window`] shut a user out.
    pub reports_max: u8,
    /// How long a report counts, from the first of them.
    pub reports_window: Duration,
    /// For how long he meets nobody.
    pub shut_out_for: Duration,
    /// What is passed on can be neither forwarded nor saved.
    pub protect: bool,
    /// Somebody is shown that his partner is about to send something, after a pause and before an album.
    pub typing: bool,
    /// The message that says that someone waits turns.
    pub animate: bool,
    /// What is sold; nothing by default.
    pub shop: Shop,
    /// Who may administer.
    pub admins: Vec<UserId>,
    /// In what language they are told things.
    pub admin_language: Language,
    /// Where reports go: a group of administrators in which every bot is a member.
    pub admin_chat: Option<ChatId>,
    /// What the bot itself notices is told in `admin_chat`.
    pub alerts: bool,
    /// A bank card to which users may pay as well, by hand, and whose it is.
    pub card: Option<(String, String)>,
    /// Where pictures and the like are copied to: a channel in which every bot may write.
    pub media_channel: Option<ChatId>,
    /// Who is not in all of them finds nobody; at most [`gate::CHANNELS_MAX`].
    pub channels: Vec<Channel>,
    /// How long it is believed that someone is in them.
    pub member_for: Duration,
    /// Users may bring others, for [`Settings::rewards`].
    pub referrals: bool,
    /// What that gives.
    pub rewards: Rewards,
    /// Hides the users' numbers in their links: a secret that must stay the same.
    pub code_key: u64,
    /// The bots' names without the `@`, by lane, for links.
    pub bot_names: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self {
            texts: Texts::default(),
            age_min: 13,
            cross_bot: true,
            private: true,
            idle: Duration::from_secs(30 * 60),
            patience: Duration::from_secs(30 * 60),
            flood_messages: 20,
            flood_per: Duration::from_secs(10),
            looks_max: 20,
            reports_max: 5,
            reports_window: day,
            shut_out_for: day,
            protect: false,
            typing: true,
            animate: true,
            shop: Shop::default(),
            admins: Vec::new(),
            admin_language: Language::English,
            admin_chat: None,
            alerts: true,
            card: None,
            media_channel: None,
            channels: Vec::new(),
            member_for: Duration::from_secs(6 * 3600),
            referrals: true,
            rewards: Rewards::default(),
            code_key: 0,
            bot_names: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether anything can be bought.
    fn sells(&self) -> bool {
        self.shop.is_open() || self.card.is_some()
    }
}

/// The chat bot.
pub struct ChatBot {
    /// Of the configuration.
    base: Arc<Settings>,
    /// With what administrators have set over them.
    settings: Arc<Settings>,
    common: Arc<Common>,
}

impl ChatBot {
    /// With these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let base = Arc::new(settings);
        Self { settings: Arc::clone(&base), base, common: Arc::default() }
    }
}

impl Bot for ChatBot {
    type State = State;
    type Event = Event;

    fn decide(&self, view: &View<'_>, state: &State, input: &Input<'_>) -> Decision<Event> {
        decide::Turn::new(&self.settings, &self.common, view, state).take(input)
    }

    fn under(&self, common: &State) -> Option<Self> {
        let common = common.extras.common.as_deref().cloned().unwrap_or_default();
        let settings = match common.values == self.common.values {
            true => Arc::clone(&self.settings),
            false => Arc::new(self.base.under(&common)),
        };
        Some(Self { base: Arc::clone(&self.base), settings, common: Arc::new(common) })
    }

    fn evolve(state: &mut State, event: &Event) {
        state.apply(event);
    }

    fn rate(&self) -> Option<(u32, Duration)> {
        Some((self.settings.flood_messages, self.settings.flood_per))
    }

    fn card(state: &State) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(profile) = state.profile() {
            profile.encode(&mut out);
        }
        out
    }

    fn thread(&self, payload: &Payload) -> Option<Thread> {
        Say::read(payload).ok()?.thread()
    }

    fn echo(&self, payload: &Payload, outcome: Outcome) -> Option<Echo> {
        // Nearly everything is taken, and then nobody need be told.
        if outcome == Outcome::Sent && !Say::asks(payload) {
            return None;
        }
        Say::read(payload).ok()?.echo(outcome)
    }

    fn messages(&self, payload: &Payload) -> u8 {
        Say::messages(payload)
    }

    fn portrait(state: &State, row: &mut Row) {
        records::portrait(state, row);
    }

    fn noted(moment: &Moment<'_, Self>, out: &mut Vec<Row>) {
        records::noted(moment, out);
    }

    fn remembered(user: UserId, state: &State, out: &mut Vec<Row>) {
        records::remembered(user, state, out);
    }

    fn render(&self, view: &RenderView, payload: &Payload) -> Result<Call, Unrenderable> {
        let say = Say::read(payload)?;
        render::Voice { settings: &self.settings, refers: view.refers }.call(say)
    }
}
