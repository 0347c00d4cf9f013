//! What is paid for: VIP days and credits by Telegram Stars, locks by credits.
//!
//! The question before a payment is answered from the shop alone, ahead of everything that waits. A payment
//! gives what its invoice says, at whatever price is asked by then, once: see `purse`.

use super::Turn;
use crate::chat::event::Event;
use crate::chat::note::Note;
use crate::chat::purse::Gave;
use crate::chat::say::Say;
use crate::chat::shop::Offer;
use crate::chat::texts::Key;
use core::time::Duration;
use nobat_core::bot::{Meeting, Outgoing, Partner, Payment};
use nobat_core::envelope::{Class, Place};
use nobat_core::id::{PairNo, UserId};
use nobat_core::time::UnixMillis;

/// The platform waits so long for the answer before a payment.
const CHECKOUT_DEADLINE: Duration = Duration::from_secs(10);
/// Characters of a payment's number, at most; Telegram's have some 50.
const CHARGE_MAX: usize = 256;

impl Turn<'_> {
    fn is_paired(&self) -> bool {
        matches!(self.view.meeting, Meeting::Paired(_))
    }

    pub(super) fn vip(&mut self) {
        let left = self.state.purse.vip_until.since(self.now());
        match () {
            () if self.settings.shop.vip.is_empty() && self.settings.card.is_none() => self.plain(Key::Help),
            () if self.is_paired() => self.plain(Key::VipNotNow),
            () if left.is_zero() => self.plain(Key::VipOffer),
            () => self.number(Key::VipOwn, days(left)),
        }
    }

    /// Sends the invoice; returns a notice if this is not sold.
    pub(super) fn buy(&mut self, offer: Offer) -> Option<Key> {
        if !self.settings.shop.sells(offer) {
            return Some(Key::CheckoutGone);
        }
        if self.is_paired() && matches!(offer.gives, Gave::Days(_)) {
            self.plain(Key::VipNotNow);
        } else {
            let language = self.language();
            self.say(&Say::Invoice { language, offer });
        }
        None
    }

    pub(super) fn checkout(&mut self, id: &str, payment: Payment<'_>) {
        let offer = Offer::read(payment.payload).filter(|offer| Some(offer.stars) == payment.stars);
        let refused = match offer {
            Some(offer) if !self.settings.shop.sells(offer) => Some(Key::CheckoutGone),
            Some(offer) if self.is_paired() && matches!(offer.gives, Gave::Days(_)) => Some(Key::VipNotNow),
            Some(_) => None,
            None => Some(Key::CheckoutGone),
        };
        let say = Say::Checkout { language: self.language(), id: id.to_owned(), refused };
        self.call(&say, CHECKOUT_DEADLINE);
    }

    fn call(&mut self, say: &Say, within: Duration) {
        self.out.sends.push(Outgoing {
            class: Class::Urgent,
            pinned: true,
            place: Place::Call,
            deadline: Some(self.now().after(within)),
            ..Outgoing::reply(say.payload())
        });
    }

    pub(super) fn paid(&mut self, payment: Payment<'_>) {
        let charge = payment.charge;
        if charge.is_empty() || charge.len() > CHARGE_MAX || self.state.purse.has(charge) {
            return;
        }
        let offer = Offer::read(payment.payload).filter(|offer| Some(offer.stars) == payment.stars);
        let gave = offer.map_or(Gave::Nothing, |offer| offer.gives);
        let (stars, at) = (payment.stars.unwrap_or(0), self.now());
        self.happened(Event::Paid { charge: charge.into(), stars, gave, at });
        match gave {
            Gave::Days(_) => self.number(Key::PaidDays, days(self.state.purse.vip_until.since(at))),
            Gave::Credits(_) => self.number(Key::PaidCredits, self.state.purse.credits.into()),
            Gave::Nothing => {
                self.plain(Key::PaidNothing);
                let (user, stars) = (self.view.user.to_string(), stars.to_string());
                let values = [("user", &*user), ("charge", charge), ("stars", &stars)];
                self.alert(Key::AlertPayment, &values);
            }
        }
        if gave != Gave::Nothing {
            self.share(charge, stars);
        }
        self.arm_again();
    }

    pub(super) fn refunded(&mut self, payment: Payment<'_>) {
        if self.state.purse.kept(payment.charge).is_none() {
            return;
        }
        self.happened(Event::Refunded { charge: payment.charge.into(), at: self.now() });
        self.plain(Key::Refunded);
        self.unshare(payment.charge);
        self.arm_again();
    }

    /// An administrator's `/refund USER CHARGE`. What the user loses by it he loses when the platform says so.
    pub(super) fn refund(&mut self, arguments: &str) {
        let mut words = arguments.split_whitespace();
        let asked = (words.next().and_then(|user| user.parse().ok()), words.next(), words.next());
        let (Some(user), Some(charge), None) = asked else { return self.plain(Key::RefundHow) };
        let say = Say::Refund { user: UserId(user), charge: charge.chars().take(CHARGE_MAX).collect() };
        self.call(&say, Duration::from_secs(3600));
        self.plain(Key::RefundAsked);
    }

    /// An administrator gave him something that was paid for in another way.
    pub(super) fn given(&mut self, what: Gave) {
        let at = self.now();
        self.happened(Event::Given { what, at });
        match what {
            Gave::Days(_) => self.number(Key::GivenDays, days(self.state.purse.vip_until.since(at))),
            Gave::Credits(_) => self.number(Key::GivenCredits, self.state.purse.credits.into()),
            Gave::Nothing => return,
        }
        self.arm_again();
    }

    pub(super) fn ask_lock(&mut self, pair: PairNo) {
        if self.settings.shop.locks.is_empty() {
            return self.plain(Key::NotSentCommand);
        }
        let (language, credits) = (self.language(), self.state.purse.credits);
        self.say(&Say::Locking { language, pair, credits });
    }

    pub(super) fn lock(&mut self, minutes: u16, partner: Partner) {
        let offer = self.settings.shop.locks.iter().find(|offer| offer.minutes == minutes).copied();
        let Some(offer) = offer.filter(|offer| offer.credits <= self.state.purse.credits) else {
            return self.ask_lock(partner.pair);
        };
        let time = Duration::from_secs(60 * u64::from(minutes));
        let until = self.state.holds_until.max(self.now()).after(time);
        self.happened(Event::Locked { until, credits: offer.credits });
        self.tell(partner, Note::Locked { until });
        let (language, first) = (self.language(), minutes_of(until.since(self.now())));
        let second = self.state.purse.credits.into();
        self.say(&Say::Numbers { language, key: Key::LockedSelf, first, second });
    }

    /// His partner has locked the chat.
    pub(super) fn locked(&mut self, until: UnixMillis) {
        self.happened(Event::Held { until });
        self.number(Key::LockedPartner, minutes_of(until.since(self.now())));
    }

    /// In how many minutes he may leave; none if he may.
    pub(super) fn held(&self) -> Option<u64> {
        let left = self.state.held_until.since(self.now());
        (!left.is_zero()).then(|| minutes_of(left))
    }
}

fn days(time: Duration) -> u64 {
    time.as_secs().div_ceil(24 * 3600)
}

fn minutes_of(time: Duration) -> u64 {
    time.as_secs().div_ceil(60)
}
