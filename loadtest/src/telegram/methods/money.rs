//! Stars: invoices, the pre-checkout question, payments, refunds, and the list of transactions.
//!
//! A user who pays (`What::Other("pay:<message id>")`) causes a pre_checkout_query; answered `ok` in time it
//! becomes a charge and a message with `successful_payment`. Nothing here is a real payment. The wire is told of
//! it as `successful_payment:<charge>:<stars>:<payload>`, and of a refund in the same way.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Desk, Done, Refusal, Verdict};
use crate::telegram::act::Bill;
use crate::telegram::delivery::queue::Lane;
use crate::telegram::json::to_wire;
use crate::telegram::shapes::{MessageOut, UserOut, chat_of, student};
use crate::telegram::update::{Cause, Kind, issue};
use crate::telegram::world::BotState;
use crate::wire::{At, What};

/// How long a pre-checkout query can be answered (a fact of the Bot API).
const ANSWERABLE: Duration = Duration::from_secs(10);
const TOO_OLD: &str = "query is too old and response timeout expired or query ID is invalid";

/// An invoice that was sent.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Invoice {
    pub(crate) currency: String,
    pub(crate) total_amount: i64,
    #[serde(rename = "invoice_payload")]
    pub(crate) payload: String,
}

#[derive(Debug)]
struct Checkout {
    at: At,
    user: u64,
    chat: i64,
    invoice: Invoice,
}

#[derive(Debug)]
struct Charge {
    id: String,
    date: u64,
    user: u64,
    invoice: Invoice,
    refunded: Option<u64>,
}

/// One bot's money.
#[derive(Debug, Default)]
pub(crate) struct Till {
    invoices: HashMap<(i64, i64), Invoice>,
    links: HashMap<String, Invoice>,
    open: HashMap<String, Checkout>,
    charges: Vec<Charge>,
}

impl Till {
    pub(crate) fn sent(&mut self, chat: i64, message_id: i64, invoice: Invoice) {
        self.invoices.insert((chat, message_id), invoice);
    }

    /// A user presses Pay: opens the question `id`, if there is such an invoice.
    pub(crate) fn checkout(
        &mut self,
        chat: i64,
        bill: Bill<'_>,
        user: u64,
        at: At,
        id: &str,
    ) -> Option<&Invoice> {
        let invoice = match bill {
            Bill::Message(message_id) => self.invoices.get(&(chat, message_id)),
            Bill::Link(link) => self.links.get(link),
        };
        let invoice = invoice?.clone();
        let checkout = Checkout { at, user, chat, invoice };
        self.open.insert(id.to_owned(), checkout);
        self.open.get(id).map(|c| &c.invoice)
    }
}

impl Till {
    /// What a user was last told to have paid.
    pub(crate) fn last_payment(&self, user: u64) -> Option<Value> {
        self.charges.iter().rev().find(|charge| charge.user == user).map(Charge::payment)
    }
}

impl Charge {
    /// As the platform tells of it.
    fn payment(&self) -> Value {
        let mut payment = serde_json::to_value(&self.invoice).unwrap_or_default();
        if let Value::Object(fields) = &mut payment {
            fields.insert("telegram_payment_charge_id".into(), self.id.clone().into());
            fields.insert("provider_payment_charge_id".into(), format!("{}_0", self.user).into());
        }
        payment
    }
}

/// Performs `method` if it is about money.
pub(super) fn perform(method: &str, desk: &mut Desk<'_>) -> Option<Verdict> {
    Some(match method {
        "createinvoicelink" => invoice_link(desk),
        "answerprecheckoutquery" => answer_checkout(desk),
        "refundstarpayment" => refund(desk),
        "getstartransactions" => Ok(transactions(desk)),
        "getmystarbalance" => Ok(Done::with(&json!({ "amount": balance(desk) }))),
        _ => return None,
    })
}

fn answer_checkout(desk: &mut Desk<'_>) -> Verdict {
    let params = desk.params;
    let id = params.text("pre_checkout_query_id").unwrap_or_default();
    let in_time = desk.state.till.open.get(id).is_some_and(|c| desk.at < c.at + ANSWERABLE);
    let checkout = desk.state.till.open.remove(id).filter(|_| in_time);
    let checkout = checkout.ok_or_else(|| Refusal::bad(TOO_OLD))?;
    if !params.is_true("ok") {
        return match params.has("error_message") {
            true => Ok(Done::yes()),
            false => Err(Refusal::bad("error message is empty")),
        };
    }
    let charge_id = format!("stx{:016x}", desk.world.dice.bits());
    let Checkout { user, chat, invoice, .. } = checkout;
    let (date, refunded) = (desk.date(), None);
    let told = told_as("successful_payment", &charge_id, &invoice);
    let charge = Charge { id: charge_id, date, user, invoice, refunded };
    let payment = charge.payment();
    desk.state.till.charges.push(charge);
    tell_user_message(desk, user, chat, ("successful_payment", told), payment);
    Ok(Done::yes())
}

fn told_as(field: &str, charge: &str, invoice: &Invoice) -> String {
    format!("{field}:{charge}:{}:{}", invoice.total_amount, invoice.payload)
}

fn invoice_link(desk: &mut Desk<'_>) -> Verdict {
    let (invoice, _) = read_invoice(desk)?;
    let link = format!("https://t.me/${:016x}", desk.world.dice.bits());
    desk.state.till.links.insert(link.clone(), invoice);
    Ok(Done::with(&link))
}

/// The invoice that a call describes, and as a message shows it.
pub(super) fn read_invoice(desk: &Desk<'_>) -> Result<(Invoice, Value), Refusal> {
    let params = desk.params;
    for name in ["title", "description", "payload", "currency", "prices"] {
        if !params.has(name) {
            return Err(Refusal::bad(&format!("{name} is empty")));
        }
    }
    let prices = params.nested("prices").ok().flatten();
    let prices =
        prices.as_ref().and_then(Value::as_array).ok_or_else(|| Refusal::bad("can't parse prices"))?;
    let total: i64 = prices.iter().filter_map(|p| p.get("amount").and_then(Value::as_i64)).sum();
    let currency = params.text("currency").unwrap_or_default();
    if currency == "XTR" && (prices.len() != 1 || total <= 0) {
        return Err(Refusal::bad("STARS_INVOICE_INVALID"));
    }
    let payload = params.text("payload").unwrap_or_default().to_owned();
    if !(1..=128).contains(&payload.len()) {
        return Err(Refusal::bad("INVOICE_PAYLOAD_INVALID"));
    }
    let shown = json!({
        "title": params.text("title"), "description": params.text("description"),
        "start_parameter": params.text("start_parameter").unwrap_or_default(),
        "currency": currency, "total_amount": total,
    });
    Ok((Invoice { currency: currency.to_owned(), total_amount: total, payload }, shown))
}

fn refund(desk: &mut Desk<'_>) -> Verdict {
    let params = desk.params;
    let id = params.text("telegram_payment_charge_id").unwrap_or_default();
    let user = params.integer("user_id").and_then(|u| u64::try_from(u).ok());
    let date = desk.date();
    let charge = desk.state.till.charges.iter_mut().find(|c| c.id == id && Some(c.user) == user);
    let Some(charge) = charge else { return Err(Refusal::bad("CHARGE_NOT_FOUND")) };
    if charge.refunded.is_some() {
        return Err(Refusal::bad("CHARGE_ALREADY_REFUNDED"));
    }
    charge.refunded = Some(date);
    let user = charge.user;
    let told = told_as("refunded_payment", id, &charge.invoice);
    let mut payment = serde_json::to_value(&charge.invoice).unwrap_or_default();
    if let Value::Object(fields) = &mut payment {
        fields.insert("telegram_payment_charge_id".into(), id.into());
    }
    let chat = i64::try_from(user).unwrap_or_default();
    tell_user_message(desk, user, chat, ("refunded_payment", told), payment);
    Ok(Done::yes())
}

/// Oldest first, a refund being a transaction of its own with the same id.
fn transactions(desk: &Desk<'_>) -> Done {
    let params = desk.params;
    let offset = usize::try_from(params.integer("offset").unwrap_or(0)).unwrap_or(0);
    let limit = usize::try_from(params.integer("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
    let mut all = Vec::new();
    for c in &desk.state.till.charges {
        let partner = json!({"type": "user", "transaction_type": "invoice_payment", "user": student(c.user, None),
                             "invoice_payload": c.invoice.payload});
        let amount = c.invoice.total_amount;
        all.push(json!({"id": c.id, "amount": amount, "date": c.date, "source": partner.clone()}));
        if let Some(date) = c.refunded {
            all.push(json!({"id": c.id, "amount": amount, "date": date, "receiver": partner}));
        }
    }
    all.sort_by_key(|t| t["date"].as_u64());
    let page: Vec<Value> = all.into_iter().skip(offset).take(limit).collect();
    Done::with(&json!({ "transactions": page }))
}

fn balance(desk: &Desk<'_>) -> i64 {
    let kept = desk.state.till.charges.iter().filter(|c| c.refunded.is_none());
    kept.map(|c| c.invoice.total_amount).sum()
}

#[derive(Serialize)]
struct ServiceUpdate<'a> {
    update_id: i64,
    message: MessageOut<'a>,
}

/// A service message of the user's chat, as an update of its own.
fn tell_user_message(
    desk: &mut Desk<'_>,
    user: u64,
    chat: i64,
    (field, told): (&str, String),
    content: Value,
) {
    let (world, bot, now, date) = (desk.world, desk.bot, desk.at, desk.date());
    let from: UserOut<'_> = student(user, None);
    let cause = Cause { planned_at: now, now, user, chat, what: What::Other(told) };
    let kind = Kind { name: "message", lane: Lane::Chat(chat) };
    issue(world, bot, desk.state, cause, kind, |state, update_id| {
        service_update(state, update_id, from, chat, date, (field, content))
    });
}

/// The news of a payment.
pub(crate) fn payment_update(
    state: &mut BotState,
    update_id: i64,
    from: UserOut<'_>,
    chat: i64,
    date: u64,
    payment: Value,
) -> (Bytes, Option<i64>) {
    service_update(state, update_id, from, chat, date, ("successful_payment", payment))
}

fn service_update(
    state: &mut BotState,
    update_id: i64,
    from: UserOut<'_>,
    chat: i64,
    date: u64,
    (field, content): (&str, Value),
) -> (Bytes, Option<i64>) {
    let message_id = state.chats.next_message_id(chat);
    let mut message = MessageOut::new(message_id, from, chat_of(chat), date);
    message.content = Map::from_iter([(field.to_owned(), content)]);
    (to_wire(&ServiceUpdate { update_id, message }), Some(message_id))
}
