//! `getUpdates`: what is asked, and what came back.
//!
//! What lives here: [`ask`] and [`clear`], the parameters, and [`Polls`], the reader of answers. Pure
//! functions over bytes; when to ask and from which offset is the poller's.

use super::decode::tape::update;
use super::encode::Params;
use super::json::{Field, Reader};
use super::update::Update;
use super::verdict::{Body, wait};
use crate::observe::scrub;
use core::ops::ControlFlow;
use nobat_core::id::UpdateId;
use std::time::Duration;

/// Updates of one answer: the platform's most.
pub const BATCH: u32 = 100;

/// Asks for updates of the kinds `allowed` from `offset` on, which confirms all before it; none confirms nothing.
/// The platform holds the call for `hold` (whole seconds) if there is no update.
#[must_use]
pub fn ask(offset: Option<UpdateId>, limit: u32, hold: Duration, allowed: &[&str]) -> Params {
    let params = match offset {
        Some(offset) => Params::new().number("offset", offset.0),
        None => Params::new(),
    };
    let hold = i64::try_from(hold.as_secs()).unwrap_or(i64::MAX);
    params.number("limit", i64::from(limit)).number("timeout", hold).strings("allowed_updates", allowed)
}

/// Parameters of `deleteWebhook`: what waits is kept.
#[must_use]
pub fn clear() -> Params {
    Params::new().bool("drop_pending_updates", false)
}

/// What the answer to a `getUpdates` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Polled {
    /// Updates came, perhaps none; so many were shown.
    Updates(usize),
    /// 409: somebody else asks with the same token.
    OtherPoller,
    /// 409: the bot has a webhook, and then there is no long polling.
    WebhookActive,
    /// The token is not known (any more).
    TokenDead,
    /// 429.
    RetryAfter(Duration),
    /// Anything else, in words without a secret: 5xx, a proxy's page, half an answer.
    Failed(String),
}

/// Reads answers, reusing its buffers. One a thread.
#[derive(Default)]
pub struct Polls {
    reader: Reader,
}

impl Polls {
    /// A reader with fresh buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one whole answer and shows its updates in their order to `each`, until that breaks off. Entries
    /// without an `update_id` are passed over. Total: any bytes give a word. **The body's bytes are
    /// rewritten.** `retry_after` is the header's value in seconds.
    pub fn read(
        &mut self,
        status: u16,
        retry_after: Option<u32>,
        body: &mut [u8],
        mut each: impl FnMut(&Update<'_>) -> ControlFlow<()>,
    ) -> Polled {
        let read = self.reader.parse(body, |root| {
            let said = Body::of(root);
            let updates = root.get("result").filter(|result| result.is_array());
            match (status, said.ok, updates) {
                (200, Some(true), Some(updates)) => Polled::Updates(show(updates, &mut each)),
                (200, Some(true), None) => Polled::Failed("an answer without a list of updates".to_owned()),
                _ => refused(status, retry_after, &said),
            }
        });
        read.unwrap_or_else(|_| match status {
            429 => refused(status, retry_after, &Body::default()),
            status => Polled::Failed(format!("status {status}, and what came with it is not JSON")),
        })
    }
}

fn show(updates: Field<'_, '_>, each: &mut impl FnMut(&Update<'_>) -> ControlFlow<()>) -> usize {
    let mut shown = 0;
    for update in updates.items().filter_map(update) {
        shown += 1;
        if each(&update).is_break() {
            break;
        }
    }
    shown
}

fn refused(status: u16, retry_after: Option<u32>, said: &Body<'_>) -> Polled {
    // A proxy may flatten the status.
    let code = said.error_code.and_then(|code| u16::try_from(code).ok()).unwrap_or(status);
    match code {
        429 => Polled::RetryAfter(wait(retry_after, said.retry_after)),
        401 | 404 | 421 => Polled::TokenDead,
        // "while webhook is active", "terminated by setWebhook request"
        409 if said.description.to_ascii_lowercase().contains("webhook") => Polled::WebhookActive,
        409 => Polled::OtherPoller,
        code => {
            let shown: String = said.description.chars().filter(|c| !c.is_control()).take(200).collect();
            Polled::Failed(format!("status {code}: {}", scrub(&shown)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn polled(status: u16, body: &str) -> (Polled, Vec<i64>) {
        let mut seen = Vec::new();
        let polled = Polls::new().read(status, None, &mut body.as_bytes().to_vec(), |update| {
            seen.push(update.update_id.0);
            if update.update_id.0 == 99 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (polled, seen)
    }

    #[test]
    fn updates_are_shown_in_their_order_until_it_is_broken_off() {
        let body = |ids: &[i64]| {
            let updates: Vec<_> = ids
                .iter()
                .map(|id| format!(r#"{{"update_id":{id},"message":{{"message_id":1,"text":"a"}}}}"#))
                .collect();
            format!(r#"{{"ok":true,"result":[{}]}}"#, updates.join(","))
        };
        assert_eq!(polled(200, &body(&[])), (Polled::Updates(0), vec![]));
        assert_eq!(polled(200, &body(&[5, 6, 9])), (Polled::Updates(3), vec![5, 6, 9]));
        assert_eq!(polled(200, &body(&[5, 99, 100])), (Polled::Updates(2), vec![5, 99]));
    }

    #[test]
    fn an_entry_of_no_known_shape_does_not_hide_the_ones_behind_it() {
        let body =
            r#"{"ok":true,"result":[7,{"x":[1,{"y":2}]},[],{"update_id":3,"new_kind":{}},{"update_id":4}]}"#;
        assert_eq!(polled(200, body), (Polled::Updates(2), vec![3, 4]));
    }

    #[test]
    fn the_platforms_refusals_are_told_apart() {
        let refusal = |code: u16, description: &str| {
            polled(code, &format!(r#"{{"ok":false,"error_code":{code},"description":"{description}"}}"#)).0
        };
        let active = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete \
                      the webhook first";
        let other = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
        assert_eq!(refusal(409, active), Polled::WebhookActive);
        assert_eq!(refusal(409, other), Polled::OtherPoller);
        assert_eq!(refusal(409, "Conflict: terminated by setWebhook request"), Polled::WebhookActive);
        assert_eq!(refusal(401, "Unauthorized"), Polled::TokenDead);
        assert_eq!(refusal(404, "Not Found"), Polled::TokenDead);
        assert_eq!(
            refusal(500, "Internal Server Error: restart"),
            Polled::Failed("status 500: Internal Server Error: restart".to_owned())
        );
        let body = r#"{"ok":false,"error_code":429,"parameters":{"retry_after":7}}"#;
        assert_eq!(polled(429, body).0, Polled::RetryAfter(Duration::from_secs(7)));
        assert_eq!(polled(200, body).0, Polled::RetryAfter(Duration::from_secs(7)));
    }

    #[test]
    fn what_is_no_answer_of_the_platform_is_a_failure() {
        for (status, body) in
            [(502, "<html>"), (200, "{\"ok\":true,\"res"), (200, "{\"ok\":true}"), (200, "[]"), (200, "")]
        {
            assert!(matches!(polled(status, body), (Polled::Failed(_), _)), "{status} {body}");
        }
    }

    #[test]
    fn the_offset_is_asked_for_only_once_there_is_one() {
        assert_eq!(
            ask(None, 100, Duration::from_secs(30), &["message"]).json(),
            r#"{"limit":100,"timeout":30,"allowed_updates":["message"]}"#
        );
        assert!(
            ask(Some(UpdateId(8)), 1, Duration::ZERO, &[])
                .json()
                .starts_with(r#"{"offset":8,"limit":1,"timeout":0,"#)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_get_a_word(status: u16, body: Vec<u8>, text in "\\PC{0,60}") {
            for mut body in [body, text.into_bytes()] {
                let _ = Polls::new().read(status, None, &mut body, |_| ControlFlow::Continue(()));
            }
        }
    }
}
