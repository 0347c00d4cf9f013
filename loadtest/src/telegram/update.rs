//! What users do, turned into updates in the platform's wire form and queued.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::chats::Stored;
use super::counters::count;
use super::delivery::queue::{Lane, Pending};
use super::fault::{FaultKind, Stage};
use super::json::to_wire;
use super::methods::money::{self, Invoice};
use super::reach::Known;
use super::shapes::{EntityOut, MessageOut, UserOut, bot_user, chat_of, student};
use super::world::{Bot, BotState, World};
use crate::wire::{At, BotIx, Update, What, Wire};

/// One thing a user does.
#[derive(Clone, Debug)]
pub struct Submit {
    pub bot: BotIx,
    pub user: u64,
    /// The user's id in a private chat, negative for a group.
    pub chat: i64,
    /// When the schedule meant it to happen.
    pub planned_at: At,
    /// A `Press` with an empty `callback_id` gets one. An `Other` is one of `my_chat_member` (the user blocks
    /// the bot), `edited_message`, `inline_query`, `pay:<message id>` (of an invoice; it becomes a
    /// `pre_checkout_query`), `paid-again` (the news of his last payment once more), or any other name, sent as
    /// an update of that kind.
    pub what: What,
    /// `ar`, `en` ... as the user's client says.
    pub language_code: Cow<'static, str>,
}

/// A kind of update with its order and its life.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) lane: Lane,
}

/// Queues what the user did. `None` if the bot does not exist, its `allowed_updates` leave the kind out, or
/// its queue is full (the platform loses it then). Cheap: one lock, one rendering.
pub(crate) fn submit(world: &World, submit: Submit) -> Option<i64> {
    let bot = world.bots.get(submit.bot)?;
    let Submit { user, chat, planned_at, mut what, language_code, .. } = submit;
    let mut guard = bot.state();
    let state = &mut *guard;
    let now = world.clock.now();
    if let What::Press { callback_id, .. } = &mut what {
        if callback_id.is_empty() {
            *callback_id = (world.dice.bits() >> 1).to_string();
        }
        state.callbacks.open(callback_id, now);
    }
    note_the_user(state, chat, &what, now);
    let from = student(user, Some(&language_code));
    let date = world.clock.unix_s(now);
    let kind = kind_of(&what, user, chat);
    let shown = what.clone();
    let cause = Cause { planned_at, now, user, chat, what };
    issue(world, bot, state, cause, kind, |state, update_id| match &shown {
        What::Text(text) => text_update(state, update_id, from, chat, date, text),
        What::Press { data, message_id, callback_id } => {
            let there = state.chats.entry(chat).find(*message_id).is_some();
            // A message that cannot be reached any more has date 0.
            let message =
                MessageOut::new(*message_id, bot_user(bot), chat_of(chat), if there { date } else { 0 });
            let chat_instance = chat.wrapping_mul(-7_046_029_254_386_353_131).to_string();
            let callback_query = CallbackOut { id: callback_id, from, message, chat_instance, data };
            to_wire(&CallbackUpdate { update_id, callback_query })
        }
        What::Other(name) => match paid_message(name) {
            Some(message_id) => {
                let id = (world.dice.bits() >> 1).to_string();
                let invoice = state.till.checkout(chat, message_id, user, now, &id);
                checkout_update(update_id, from, &id, invoice.cloned().unwrap_or_default())
            }
            None if name == PAID_AGAIN => {
                let payment = state.till.last_payment(user).unwrap_or_default();
                money::payment_update(state, update_id, from, chat, date, payment)
            }
            None => other_update(bot, update_id, from, chat, date, name, world.dice.bits()),
        },
    })
}

/// Who caused an update, when, and what it was.
pub(crate) struct Cause {
    pub(crate) planned_at: At,
    pub(crate) now: At,
    pub(crate) user: u64,
    pub(crate) chat: i64,
    pub(crate) what: What,
}

/// Gives an update its id, queues it and tells of it, all under the bot's lock: a delivery is never told
/// before its update.
pub(crate) fn issue(
    world: &World,
    bot: &Bot,
    state: &mut BotState,
    cause: Cause,
    kind: Kind,
    render: impl FnOnce(&mut BotState, i64) -> Bytes,
) -> Option<i64> {
    if !allowed(&state.allowed_updates, kind.name) {
        return None;
    }
    let update_id = state.next_update_id;
    state.next_update_id += 1;
    let body = render(state, update_id);
    let Cause { planned_at, now, user, chat, what } = cause;
    if !enqueue(world, bot, state, update_id, kind, body, now) {
        count(&bot.counters.updates_lost);
        let what = format!("queue of bot {} is full: update {update_id} is lost", bot.ix);
        world.tell(Wire::Fault { at: now, what });
        return None;
    }
    count(&bot.counters.updates);
    let queued_at = now;
    world.tell(Wire::Update(Update { planned_at, queued_at, bot: bot.ix, update_id, user, chat, what }));
    bot.work.notify_one();
    bot.poll.notify_one();
    Some(update_id)
}

/// Queues a rendered update. `false`: the queue is full.
fn enqueue(
    world: &World,
    bot: &Bot,
    state: &mut BotState,
    update_id: i64,
    kind: Kind,
    body: Bytes,
    now: At,
) -> bool {
    let rules = &world.config.delivery;
    let life = match kind.name {
        "callback_query" | "pre_checkout_query" | "shipping_query" => rules.expiry_query,
        "inline_query" => rules.expiry_inline,
        _ => rules.expiry_message,
    };
    let not_before = match world.faults.strike(Stage::Queueing, bot.ix, kind.name, now, &world.dice) {
        Some(FaultKind::HoldUpdate { hold_ms }) => now.saturating_add(At::from_millis(hold_ms)),
        _ => now,
    };
    let pending = Pending::new(update_id, kind.lane, kind.name, body, now + life, not_before);
    let pushed = state.queue.push(rules, pending);
    bot.publish(state);
    pushed
}

/// A user who writes has started the bot; one who changes his membership to `kicked` has blocked it.
fn note_the_user(state: &mut BotState, chat: i64, what: &What, now: At) {
    let record = state.chats.entry(chat);
    match what {
        What::Other(name) if name == "my_chat_member" => record.known = Known::Blocked,
        _ => {
            record.known = Known::Started;
            record.wrote_at = Some(now);
        }
    }
}

fn kind_of(what: &What, user: u64, chat: i64) -> Kind {
    let (name, lane) = match what {
        What::Text(_) => ("message", Lane::Chat(chat)),
        What::Press { .. } => ("callback_query", Lane::Callback(user)),
        What::Other(name) => match name.as_str() {
            "my_chat_member" => ("my_chat_member", Lane::Member(chat)),
            "edited_message" => ("edited_message", Lane::Chat(chat)),
            "inline_query" => ("inline_query", Lane::Other(user)),
            PAID_AGAIN => ("message", Lane::Chat(chat)),
            pay if paid_message(pay).is_some() => ("pre_checkout_query", Lane::Checkout(user)),
            _ => ("other", Lane::Other(user)),
        },
    };
    Kind { name, lane }
}

/// The news of the user's last payment once more, as an update of its own.
const PAID_AGAIN: &str = "paid-again";

/// The invoice's message of `pay:<message id>`.
fn paid_message(name: &str) -> Option<i64> {
    name.strip_prefix("pay:")?.parse().ok()
}

/// An empty list means every kind but those that must be asked for.
fn allowed(allowed_updates: &[String], kind: &str) -> bool {
    allowed_updates.is_empty() || kind == "other" || allowed_updates.iter().any(|a| a == kind)
}

#[derive(Serialize)]
struct MessageUpdate<'a> {
    update_id: i64,
    message: MessageOut<'a>,
}

fn text_update(
    state: &mut BotState,
    update_id: i64,
    from: UserOut<'_>,
    chat: i64,
    date: u64,
    text: &str,
) -> Bytes {
    let message_id = state.chats.next_message_id(chat);
    state.chats.entry(chat).remember(Stored { id: message_id, by_bot: false, content: 0 });
    let mut message = MessageOut::new(message_id, from, chat_of(chat), date);
    message.text = Some(text);
    if text.starts_with('/') {
        let length = text.split_whitespace().next().map_or(0, |command| command.encode_utf16().count());
        message.entities.push(EntityOut { offset: 0, length, kind: "bot_command", url: None });
    }
    to_wire(&MessageUpdate { update_id, message })
}

#[derive(Serialize)]
struct CallbackUpdate<'a> {
    update_id: i64,
    callback_query: CallbackOut<'a>,
}

#[derive(Serialize)]
struct CallbackOut<'a> {
    id: &'a str,
    from: UserOut<'a>,
    message: MessageOut<'a>,
    chat_instance: String,
    data: &'a str,
}

#[derive(Serialize)]
struct CheckoutUpdate<'a> {
    update_id: i64,
    pre_checkout_query: CheckoutOut<'a>,
}

#[derive(Serialize)]
struct CheckoutOut<'a> {
    id: &'a str,
    from: UserOut<'a>,
    #[serde(flatten)]
    invoice: Invoice,
}

fn checkout_update(update_id: i64, from: UserOut<'_>, id: &str, invoice: Invoice) -> Bytes {
    to_wire(&CheckoutUpdate { update_id, pre_checkout_query: CheckoutOut { id, from, invoice } })
}

fn other_update(
    bot: &Bot,
    update_id: i64,
    from: UserOut<'_>,
    chat: i64,
    date: u64,
    name: &str,
    chance: u64,
) -> Bytes {
    let chat_out = chat_of(chat);
    let content = match name {
        "my_chat_member" => {
            let member = |status: &str| json!({"user": bot_user(bot), "status": status});
            let (old, new) =
                (member("member"), json!({"user": bot_user(bot), "status": "kicked", "until_date": 0}));
            json!({"chat": chat_out, "from": from, "date": date, "old_chat_member": old, "new_chat_member": new})
        }
        "inline_query" => json!({"id": (chance >> 1).to_string(), "from": from, "query": "", "offset": ""}),
        "edited_message" => json!({
            "message_id": 1, "from": from, "chat": chat_out, "date": date, "edit_date": date, "text": "…",
        }),
        _ => json!({"from": from, "chat": chat_out, "date": date}),
    };
    let mut update = Map::new();
    update.insert("update_id".into(), Value::from(update_id));
    update.insert(name.to_owned(), content);
    to_wire(&update)
}
