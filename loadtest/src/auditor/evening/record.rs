//! What crossed the wire of an evening, in a form small enough to keep whole.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::auditor::Sent;
use crate::auditor::reading::Reading;
use crate::student::evening::Person;
use crate::student::evening::label::Label;
use crate::student::evening::reading::{Saying, numbers, plain};
use crate::wire::{At, BotIx, Call, Line, Outcome, Update, What, Wire};

/// Something that can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goods {
    /// Days as a VIP.
    Days(u32),
    /// Credits.
    Credits(u32),
}

/// What a user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A command, by its word.
    Command(Box<str>),
    /// A text meant for a partner.
    Said,
    /// Anything else meant for a partner.
    Shown,
    /// He changed a text of his.
    Changed,
    /// He set a sign on a message, or took it back.
    Signed,
    /// A number: his age.
    Number,
    /// A button, by what it said when it was last shown.
    Pressed {
        /// None if he was never shown it.
        label: Option<Label>,
        /// By this it is to be answered.
        callback: Box<str>,
    },
    /// He is about to pay: the question's number.
    Asks(Box<str>),
    /// He has paid.
    Paid {
        /// The platform's number.
        charge: Box<str>,
        /// What the invoice offered.
        goods: Option<Goods>,
    },
    /// A payment was given back to him.
    Refunded {
        /// The platform's number.
        charge: Box<str>,
    },
    /// He blocked the bot.
    Blocked,
    /// He did not block it any more.
    Returned,
    /// Nothing that a bot must answer.
    Other,
}

/// One update.
#[derive(Clone, Debug)]
pub struct Done {
    /// When the schedule meant it to happen.
    pub planned_at: At,
    /// When it happened.
    pub queued_at: At,
    /// The bot written to.
    pub bot: BotIx,
    /// Unique per bot.
    pub update_id: i64,
    /// Who.
    pub user: u64,
    /// What.
    pub deed: Deed,
    /// The number of his message in his chat, which the bot's messages there share the count with; 0 for what is none.
    pub message: i64,
    /// The message of his chat that he answered, changed or signed; 0 for none.
    pub refers: i64,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gist {
    /// The bot's own words.
    Notice(Saying),
    /// An invoice.
    Invoice,
    /// What somebody did, by its place in [`Record::done`].
    From(usize),
    /// Something copied that nobody is known to have sent.
    Unknown,
}

/// One message that reached a user.
#[derive(Clone, Debug)]
pub struct Got {
    /// When the platform took it.
    pub at: At,
    /// When the server was told, if it was.
    pub answered_at: Option<At>,
    /// The connection it came by, if it is known.
    pub line: Option<Line>,
    /// When it was complete at the platform.
    pub arrived_at: At,
    /// The bot that it came from.
    pub bot: BotIx,
    /// Who got it.
    pub user: u64,
    /// What it says.
    pub gist: Gist,
    /// Its number in his chat.
    pub message: i64,
    /// What its button to leave carries, in one number: the same for the two of a chat.
    pub key: u64,
}

impl Got {
    /// As the log of other rehearsals has it.
    pub(super) fn as_sent(&self) -> Sent {
        Sent {
            bot: self.bot,
            chat: i64::try_from(self.user).unwrap_or(i64::MAX),
            decided_at: self.at,
            answered_at: self.answered_at,
            line: self.line,
            arrived_at: self.arrived_at,
            reading: Reading::Words,
            edits: None,
        }
    }
}

/// A message that answers another one, an edit, or a sign: what of a chat hangs on a certain message.
#[derive(Clone, Copy, Debug)]
pub struct Thread {
    /// When the platform took it.
    pub at: At,
    /// The bot that it came from.
    pub bot: BotIx,
    /// Whose chat.
    pub user: u64,
    /// The message there on which it hangs; 0 for an answer that hangs on none.
    pub target: i64,
    /// What it carries, by its place in [`Record::done`]; nothing for a sign, which does not say whose it is.
    pub carries: Option<usize>,
}

/// An answer to a press or to the question before a payment.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// When the platform took it.
    pub at: At,
    /// It says something.
    pub says: bool,
}

/// A message: its bot, its chat, its number there.
pub(super) type MessageKey = (BotIx, i64, i64);

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Everybody, by id.
    pub people: HashMap<u64, Person>,
    /// In the order in which it happened.
    pub done: Vec<Done>,
    /// In the order in which the platform took it.
    pub got: Vec<Got>,
    /// By the number of the press or of the question.
    pub replies: HashMap<Box<str>, Reply>,
    /// Of [`Record::done`]: its message could not be handed to the partner, who has blocked his bot.
    pub undeliverable: Vec<usize>,
    /// In the order in which the platform took them.
    pub threads: Vec<Thread>,
    /// Single messages that were handed on, where they arrived: which deed each is.
    pub(super) copies: HashMap<MessageKey, usize>,
    /// Parts of albums, by their place in [`Record::done`]: which album.
    pub(super) albums: HashMap<usize, u64>,
    texts: HashMap<Box<str>, usize>,
    /// What users sent, where they sent it.
    pub(super) messages: HashMap<MessageKey, usize>,
    invoices: HashMap<MessageKey, Goods>,
    /// What each was last about to pay for.
    bought: HashMap<(BotIx, u64), Goods>,
    buttons: HashMap<MessageKey, Vec<(Label, u64)>>,
}

impl Record {
    /// An empty record of these people.
    pub fn new(people: impl IntoIterator<Item = Person>) -> Record {
        Record {
            people: people.into_iter().map(|person| (person.user, person)).collect(),
            ..Record::default()
        }
    }

    /// Adds an event, in the order in which the platform told it.
    pub fn see(&mut self, event: &Wire) {
        match event {
            Wire::Update(update) => self.update(update),
            Wire::Call(call) => self.call(call),
            _ => {}
        }
    }

    /// Sorts by time, keeping the order of arrival: what is looked up by place stays where it is.
    pub(crate) fn settle(&mut self) {
        self.got.sort_by_key(|got| got.at);
    }

    fn update(&mut self, update: &Update) {
        let nth = self.done.len();
        let deed = match &update.what {
            What::Text(text) => match text.strip_prefix('/') {
                Some(command) => Deed::Command(command.split_whitespace().next().unwrap_or_default().into()),
                None if text.chars().all(char::is_numeric) => Deed::Number,
                None => {
                    self.texts.insert(text.as_str().into(), nth);
                    Deed::Said
                }
            },
            What::Press { data, message_id, callback_id } => {
                let shown = self.buttons.get(&(update.bot, update.chat, *message_id));
                let label = shown.and_then(|shown| shown.iter().find(|(_, known)| *known == hash(data)));
                Deed::Pressed { label: label.map(|(label, _)| *label), callback: callback_id.as_str().into() }
            }
            What::Other(name) => self.other(update, name),
        };
        if let Some(message) = update.message_id {
            self.messages.insert((update.bot, update.chat, message), nth);
        }
        let Update { planned_at, queued_at, bot, update_id, user, .. } = *update;
        let message = update.message_id.unwrap_or_default();
        let refers = refers(&update.what);
        self.done.push(Done { planned_at, queued_at, bot, update_id, user, deed, message, refers });
    }

    fn other(&mut self, update: &Update, name: &str) -> Deed {
        let mut parts = name.splitn(3, ':');
        let mut part = || parts.next().unwrap_or_default();
        let (word, first, second) = (part(), part(), part());
        let buyer = (update.bot, update.user);
        match word {
            "my_chat_member" if first.is_empty() => Deed::Blocked,
            "my_chat_member" => Deed::Returned,
            "media" => {
                let album = first.split_once('+').map(|(_, album)| hash(album));
                self.albums.extend(album.map(|album| (self.done.len(), album)));
                Deed::Shown
            }
            "reply" => {
                self.texts.insert(second.into(), self.done.len());
                Deed::Said
            }
            "edit" => {
                self.texts.insert(second.into(), self.done.len());
                Deed::Changed
            }
            "react" => Deed::Signed,
            "pay" => {
                let message = first.parse().unwrap_or_default();
                if let Some(goods) = self.invoices.get(&(update.bot, update.chat, message)) {
                    self.bought.insert(buyer, *goods);
                }
                Deed::Asks(second.into())
            }
            "successful_payment" => {
                Deed::Paid { charge: first.into(), goods: self.bought.get(&buyer).copied() }
            }
            "refunded_payment" => Deed::Refunded { charge: first.into() },
            _ => Deed::Other,
        }
    }

    fn call(&mut self, call: &Call) {
        match call.method.as_str() {
            "answercallbackquery" => self.reply(call, "callback_query_id", "text"),
            "answerprecheckoutquery" => self.reply(call, "pre_checkout_query_id", "error_message"),
            "sendchataction" => {}
            "editmessagetext" | "setmessagereaction" => self.hang(call),
            method if method.starts_with("send") || method.starts_with("copy") => self.message(call),
            _ => {}
        }
    }

    /// An edit that carries what somebody changed, or a sign. Other edits are the bot's own.
    fn hang(&mut self, call: &Call) {
        let text = call.text.as_deref().unwrap_or_default();
        let carries = self.texts.get(text).copied().filter(|_| call.method == "editmessagetext");
        let ours = carries.is_some() || call.method == "setmessagereaction";
        if let (true, true, Some(chat)) = (ours, accepted(&call.outcome), call.chat) {
            let (user, target) = (u64::try_from(chat).unwrap_or_default(), parameter(call, "message_id"));
            self.threads.push(Thread { at: call.decided_at, bot: call.bot, user, target, carries });
        }
    }

    fn reply(&mut self, call: &Call, id: &str, words: &str) {
        if !accepted(&call.outcome) {
            return;
        }
        let text = |name: &str| call.params.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let reply = Reply { at: call.decided_at, says: !text(words).is_empty() };
        self.replies.entry(text(id).into()).or_insert(reply);
    }

    fn message(&mut self, call: &Call) {
        let Some(chat) = call.chat else { return };
        let origins = self.origins(call);
        match &call.outcome {
            outcome if accepted(outcome) => {}
            Outcome::Unreachable { .. } => return self.undeliverable.extend(origins),
            _ => return,
        }
        let (Outcome::Accepted { message_id } | Outcome::AcceptedUnanswered { message_id }) = call.outcome
        else {
            return;
        };
        let user = u64::try_from(chat).unwrap_or_default();
        let unanswered = matches!(call.outcome, Outcome::AcceptedUnanswered { .. });
        let answered_at = call.answered_at.filter(|_| !unanswered);
        let (at, line, arrived_at, key) = (call.decided_at, call.line, call.arrived_at, key(call));
        let message = message_id.unwrap_or_default();
        let got = |gist| Got { at, answered_at, line, arrived_at, bot: call.bot, user, gist, message, key };
        if let [only] = *origins {
            let place = (call.bot, chat, message);
            self.copies.insert(place, only);
            if self.done[only].refers != 0 {
                let target = call.params.get("reply_parameters").map_or(0, |to| number(to, "message_id"));
                self.threads.push(Thread { at, bot: call.bot, user, target, carries: Some(only) });
            }
        }
        if !origins.is_empty() {
            return self.got.extend(origins.into_iter().map(|done| got(Gist::From(done))));
        }
        let place = (call.bot, chat, message);
        let gist = match call.method.as_str() {
            "sendinvoice" => {
                self.invoices.extend(goods(call).map(|goods| (place, goods)));
                Gist::Invoice
            }
            "sendmessage" => Gist::Notice(Saying::of(call.text.as_deref().unwrap_or_default())),
            _ => Gist::Unknown,
        };
        if !call.buttons.is_empty() {
            let shown = call.buttons.iter().map(|(label, data)| (Label::of(label), hash(data)));
            self.buttons.insert(place, shown.collect());
        }
        self.got.push(got(gist));
    }

    /// What a message hands on, if it hands on what users sent.
    fn origins(&self, call: &Call) -> Vec<usize> {
        let number = |name: &str| Some(parameter(call, name)).filter(|number| *number != 0);
        let from = number("from_chat_id").unwrap_or_default();
        let of = |message: i64| self.messages.get(&(call.bot, from, message)).copied();
        match call.method.as_str() {
            "sendmessage" => {
                let text = call.text.as_deref().unwrap_or_default();
                self.texts.get(text).copied().into_iter().collect()
            }
            "copymessage" => number("message_id").and_then(of).into_iter().collect(),
            "copymessages" => {
                let ids = call.params.get("message_ids").and_then(serde_json::Value::as_array);
                ids.into_iter().flatten().filter_map(serde_json::Value::as_i64).filter_map(of).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A number among the parameters, which the platform takes as a number or as text; 0 without one.
fn parameter(call: &Call, name: &str) -> i64 {
    call.params.get(name).map_or(0, whole)
}

/// A field of a parameter, which may be text that holds an object.
fn number(object: &serde_json::Value, name: &str) -> i64 {
    match object.as_str() {
        Some(text) => serde_json::from_str(text).map_or(0, |object: serde_json::Value| whole(&object[name])),
        None => whole(&object[name]),
    }
}

fn whole(value: &serde_json::Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// The message that is answered, changed or signed; 0 for none.
fn refers(what: &What) -> i64 {
    let What::Other(name) = what else { return 0 };
    let mut parts = name.splitn(3, ':');
    let is_thread = parts.next().is_some_and(|word| matches!(word, "reply" | "edit" | "react"));
    parts.next().filter(|_| is_thread).and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { .. } | Outcome::AcceptedUnanswered { .. })
}

/// What an invoice offers, as its title says it to a person.
fn goods(call: &Call) -> Option<Goods> {
    let title = plain(call.params.get("title")?.as_str()?);
    let amount = *numbers(&title).first()?;
    let days = ["days", "يوما", "روز"].iter().any(|word| title.contains(word));
    Some(if days { Goods::Days(amount) } else { Goods::Credits(amount) })
}

/// What the button carries with which one leaves; 0 without one.
fn key(call: &Call) -> u64 {
    let leave = call.buttons.iter().find(|(label, _)| Label::of(label) == Label::Stop);
    leave.map_or(0, |(_, data)| hash(data))
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
