//! People of the chat, as the platform delivers what they do.

use crate::platform::Platform;
use crate::process::{Place, request, wait_for};
use std::sync::atomic::{AtomicU64, Ordering};

/// The platform's hand.
pub(crate) struct Talk<'a> {
    pub(crate) place: &'a Place,
    pub(crate) platform: &'a Platform,
    updates: AtomicU64,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(place: &'a Place, platform: &'a Platform) -> Self {
        Self { place, platform, updates: AtomicU64::new(1) }
    }

    /// He writes.
    pub(crate) fn says(&self, user: u64, text: &str) {
        self.message(user, &format!("\"text\":\"{text}\""));
    }

    /// He pays for what the invoice offered.
    pub(crate) fn pays(&self, user: u64, charge: &str, stars: u32, payload: &str) {
        let paid = format!(
            "\"successful_payment\":{{\"currency\":\"XTR\",\"total_amount\":{stars},\"invoice_payload\":\"{payload}\",\
             \"telegram_payment_charge_id\":\"{charge}\",\"provider_payment_charge_id\":\"\"}}"
        );
        self.message(user, &paid);
    }

    /// He presses the button with this data.
    pub(crate) fn presses(&self, user: u64, data: &str) {
        let n = self.updates.fetch_add(1, Ordering::Relaxed);
        self.deliver(&format!(
            "{{\"update_id\":{n},\"callback_query\":{{\"id\":\"{n}\",\"data\":\"{data}\",\"chat_instance\":\"1\",\
             \"from\":{{\"id\":{user},\"is_bot\":false,\"first_name\":\"A\"}},\"message\":{{\"message_id\":1,\"date\":1,\
             \"chat\":{{\"id\":{user},\"type\":\"private\"}}}}}}}}"
        ));
    }

    fn message(&self, user: u64, holds: &str) {
        let n = self.updates.fetch_add(1, Ordering::Relaxed);
        self.deliver(&format!(
            "{{\"update_id\":{n},\"message\":{{\"message_id\":{n},\"date\":1784527200,{holds},\
             \"from\":{{\"id\":{user},\"is_bot\":false,\"first_name\":\"A\"}},\
             \"chat\":{{\"id\":{user},\"type\":\"private\"}}}}}}"
        ));
    }

    fn deliver(&self, body: &str) {
        let answered = request(
            self.place.listen,
            &format!(
                "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
                 X-Telegram-Bot-Api-Secret-Token: test-secret\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        assert_eq!(answered.map(|(status, _)| status), Some(200), "{body}");
    }

    /// Completes a profile.
    pub(crate) fn registers(&self, user: u64) {
        self.says(user, "/start");
        self.presses(user, "l:en");
        self.presses(user, "g:1");
        self.says(user, "25");
    }

    /// The data of the newest button that he was shown and that begins like this.
    pub(crate) fn button(&self, user: u64, begins: &str) -> String {
        let find = || {
            let shown = self.platform.texts_to(user);
            let all = shown.into_iter().rev().flat_map(|(_, buttons)| buttons);
            all.into_iter().find(|data| data.starts_with(begins))
        };
        wait_for(&format!("a button {begins}"), || find().is_some());
        find().expect("shown a moment ago")
    }
}
