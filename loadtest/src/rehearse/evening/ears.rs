//! What students hear: every message that reaches a user, and the number of each payment he made.

use std::sync::mpsc::Sender;

use crate::wire::{At, BotIx, Call, Outcome, What, Wire};

/// Something that a user learns of.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) at: At,
    pub(super) bot: BotIx,
    pub(super) user: u64,
    pub(super) what: News,
}

/// What he learns.
#[derive(Debug)]
pub(super) enum News {
    /// A text of the bot, or an invoice.
    Message { text: String, invoice: bool, message: i64, buttons: Vec<(String, String)> },
    /// The platform's number of his payment.
    Charge(String),
    /// The number of what he has just said.
    Own(i64),
}

/// Listens to the wire for the students.
#[derive(Debug)]
pub(in crate::rehearse) struct Ears(Sender<Heard>);

impl Ears {
    pub(super) fn new(sender: Sender<Heard>) -> Ears {
        Ears(sender)
    }

    /// To be called with every event.
    pub(in crate::rehearse) fn see(&self, event: &Wire) {
        let heard = match event {
            Wire::Call(call) => message(call),
            Wire::Update(update) => match &update.what {
                What::Text(text) if !text.starts_with('/') => update.message_id.map(|message| Heard {
                    at: update.queued_at,
                    bot: update.bot,
                    user: update.user,
                    what: News::Own(message),
                }),
                What::Other(name) => name.strip_prefix("successful_payment:").map(|rest| Heard {
                    at: update.queued_at,
                    bot: update.bot,
                    user: update.user,
                    what: News::Charge(rest.split(':').next().unwrap_or_default().to_owned()),
                }),
                _ => None,
            },
            _ => None,
        };
        if let Some(heard) = heard {
            // Nobody listens any more once the evening is over.
            let _ = self.0.send(heard);
        }
    }
}

fn message(call: &Call) -> Option<Heard> {
    let (Outcome::Accepted { message_id } | Outcome::AcceptedUnanswered { message_id }) = &call.outcome
    else {
        return None;
    };
    let invoice = call.method == "sendinvoice";
    if !invoice && call.method != "sendmessage" {
        return None;
    }
    let what = News::Message {
        text: call.text.clone().unwrap_or_default(),
        invoice,
        message: (*message_id)?,
        buttons: call.buttons.clone(),
    };
    Some(Heard { at: call.decided_at, bot: call.bot, user: u64::try_from(call.chat?).ok()?, what })
}
