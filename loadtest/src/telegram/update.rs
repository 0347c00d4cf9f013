//! What users do, turned into updates in the platform's wire form and queued.

use std::borrow::Cow;

use bytes::Bytes;

use super::act::{Act, Bill};
use super::bodies::{self, Scene};
use super::counters::count;
use super::delivery::queue::{Lane, Pending};
use super::fault::{FaultKind, Stage};
use super::methods::money;
use super::reach::Known;
use super::shapes::student;
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
    /// A `Press` with an empty `callback_id` gets one. An `Other` is one of those in `act.rs`: `media:photo`,
    /// `my_chat_member` (blocks the bot), `pay:<message id>` ..., or any other name, sent as an update of that
    /// kind.
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
    note_the_user(world, state, user, chat, &what, now);
    let from = student(user, Some(&language_code));
    let kind = kind_of(&what, user, chat);
    let scene = Scene { bot, from, chat, date: world.clock.unix_s(now), chance: world.dice.bits() };
    let mut shown = what.clone();
    if let What::Other(name) = &mut shown
        && let Act::Pays(_) = Act::read(name)
    {
        // So that whoever reads the wire can tell which question was answered.
        *name = format!("pay:{}:{}", paid_message(name), scene.chance >> 1);
    }
    let cause = Cause { planned_at, now, user, chat, what: shown };
    issue(world, bot, state, cause, kind, |state, update_id| match &what {
        What::Text(text) => bodies::text(state, update_id, &scene, text, None),
        What::Press { data, message_id, callback_id } => {
            (bodies::press(state, update_id, &scene, data, *message_id, callback_id), None)
        }
        What::Other(name) => match Act::read(name) {
            Act::Replies { to, text } => bodies::text(state, update_id, &scene, text, Some(to)),
            Act::Sends { kind, album, caption } => {
                bodies::media(state, update_id, &scene, (kind, album, caption))
            }
            Act::Pays(bill) => {
                let id = (scene.chance >> 1).to_string();
                let invoice = state.till.checkout(chat, bill, user, now, &id);
                (bodies::checkout(update_id, from, &id, invoice.cloned().unwrap_or_default()), None)
            }
            Act::PaidAgain => {
                let payment = state.till.last_payment(user).unwrap_or_default();
                money::payment_update(state, update_id, from, chat, scene.date, payment)
            }
            act => (bodies::other(update_id, &scene, act), None),
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
    render: impl FnOnce(&mut BotState, i64) -> (Bytes, Option<i64>),
) -> Option<i64> {
    if !allowed(&state.allowed_updates, kind.name) {
        return None;
    }
    let update_id = state.next_update_id;
    state.next_update_id += 1;
    let (body, message_id) = render(state, update_id);
    let Cause { planned_at, now, user, chat, what } = cause;
    if !enqueue(world, bot, state, update_id, kind, body, now) {
        count(&bot.counters.updates_lost);
        let what = format!("queue of bot {} is full: update {update_id} is lost", bot.ix);
        world.tell(Wire::Fault { at: now, what });
        return None;
    }
    count(&bot.counters.updates);
    let queued_at = now;
    let bot_ix = bot.ix;
    world.tell(Wire::Update(Update {
        planned_at,
        queued_at,
        bot: bot_ix,
        update_id,
        user,
        chat,
        what,
        message_id,
    }));
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
fn note_the_user(world: &World, state: &mut BotState, user: u64, chat: i64, what: &What, now: At) {
    let act = match what {
        What::Other(name) => Act::read(name),
        _ => Act::Other("message"),
    };
    if let Act::Moves { channel, joins } = act {
        return world.members.set(channel, user, joins);
    }
    let record = state.chats.entry(chat);
    match act {
        Act::Blocks => record.known = Known::Blocked,
        // He has only lifted the block; what he says next starts the bot.
        Act::Returns => record.known = Known::Started,
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
        What::Other(name) => match Act::read(name) {
            Act::Blocks | Act::Returns => ("my_chat_member", Lane::Member(chat)),
            Act::Moves { channel, .. } => ("chat_member", Lane::Member(channel)),
            Act::Pays(_) => ("pre_checkout_query", Lane::Checkout(user)),
            Act::Edits { .. } | Act::Other("edited_message") => ("edited_message", Lane::Chat(chat)),
            Act::Reacts { .. } => ("message_reaction", Lane::Chat(chat)),
            act if act.is_message() => ("message", Lane::Chat(chat)),
            Act::Other("inline_query") => ("inline_query", Lane::Other(user)),
            _ => ("other", Lane::Other(user)),
        },
    };
    Kind { name, lane }
}

/// The invoice's message, 0 for one behind a link.
fn paid_message(name: &str) -> i64 {
    match Act::read(name) {
        Act::Pays(Bill::Message(id)) => id,
        _ => 0,
    }
}

/// Kinds that come only to bots that ask for them.
const ASKED_FOR: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// An empty list means every kind but those that must be asked for.
fn allowed(allowed_updates: &[String], kind: &str) -> bool {
    match allowed_updates {
        [] => !ASKED_FOR.contains(&kind),
        list => kind == "other" || list.iter().any(|a| a == kind),
    }
}
