//! What someone has paid for: credits, VIP days, and the receipts that say so. A durable format.
//!
//! A payment is booked by the platform's charge id, once, for ever: its receipt is never forgotten, so a copy
//! of the news changes nothing, however late. What is given back is taken from what the receipt gave.

use core::time::Duration;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// What a payment gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gave {
    /// Nothing: its invoice says nothing that this bot understands. The operator must look at it.
    Nothing,
    /// So many days as a VIP.
    Days(u16),
    /// So many credits.
    Credits(u32),
}

/// One payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The platform's number of it.
    pub charge: Box<str>,
    /// What it cost.
    pub stars: u32,
    /// What it gave.
    pub gave: Gave,
    /// It was given back.
    pub refunded: bool,
}

/// What someone has.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Purse {
    /// To lock chats with.
    pub credits: u32,
    /// Until then he is a VIP.
    pub vip_until: UnixMillis,
    /// When he is told that his time as a VIP ends soon; 0 for never.
    pub remind_at: UnixMillis,
    /// Every payment he made, oldest first.
    pub receipts: Vec<Receipt>,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Purse {
    /// Whether this payment is booked.
    #[must_use]
    pub fn has(&self, charge: &str) -> bool {
        self.receipts.iter().any(|receipt| &*receipt.charge == charge)
    }

    /// The receipt of a payment that was not given back.
    #[must_use]
    pub fn kept(&self, charge: &str) -> Option<&Receipt> {
        self.receipts.iter().find(|receipt| &*receipt.charge == charge && !receipt.refunded)
    }

    /// Books a payment; nothing if it is booked.
    pub(super) fn book(&mut self, charge: &str, stars: u32, gave: Gave, at: UnixMillis) {
        if self.has(charge) {
            return;
        }
        self.receipts.push(Receipt { charge: charge.into(), stars, gave, refunded: false });
        self.give(gave, at);
    }

    /// Gives it.
    pub(super) fn give(&mut self, gave: Gave, at: UnixMillis) {
        match gave {
            Gave::Nothing => {}
            Gave::Credits(credits) => self.credits = self.credits.saturating_add(credits),
            Gave::Days(days) => self.grant(days, at),
        }
    }

    /// He is a VIP until then at least.
    pub(super) fn extend_to(&mut self, until: UnixMillis, at: UnixMillis) {
        if until > self.vip_until {
            self.vip_until = until;
            self.remind(at);
        }
    }

    /// Gives VIP days, behind those that are left.
    pub(super) fn grant(&mut self, days: u16, at: UnixMillis) {
        self.vip_until = self.vip_until.max(at).after(DAY * u32::from(days));
        self.remind(at);
    }

    /// Takes back what a payment gave; nothing if that was done, or it was never booked.
    pub(super) fn take_back(&mut self, charge: &str, at: UnixMillis) {
        let found = self.receipts.iter_mut().find(|receipt| &*receipt.charge == charge && !receipt.refunded);
        let Some(receipt) = found else { return };
        receipt.refunded = true;
        match receipt.gave {
            Gave::Nothing => {}
            Gave::Credits(credits) => self.credits = self.credits.saturating_sub(credits),
            Gave::Days(days) => {
                let days = u64::from(days) * DAY.as_millis() as u64;
                self.vip_until = UnixMillis(self.vip_until.0.saturating_sub(days));
                self.remind(at);
            }
        }
    }

    /// A day before the end, or half way where less than two days are left.
    fn remind(&mut self, now: UnixMillis) {
        let left = self.vip_until.since(now);
        let early = DAY.min(left / 2);
        self.remind_at = if left.is_zero() { UnixMillis(0) } else { now.after(left - early) };
    }
}

impl Record for Purse {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(u64::from(self.credits));
        out.put_varint(self.vip_until.0);
        out.put_varint(self.remind_at.0);
        out.put_varint(self.receipts.len() as u64);
        for receipt in &self.receipts {
            out.put_str(&receipt.charge);
            out.put_varint(u64::from(receipt.stars));
            put_gave(receipt.gave, out);
            out.put_u8(u8::from(receipt.refunded));
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let credits = number(from)?;
        let (vip_until, remind_at) = (UnixMillis(from.varint()?), UnixMillis(from.varint()?));
        let receipts = (0..from.varint()?)
            .map(|_| {
                let (charge, stars) = (from.str()?.into(), number(from)?);
                Ok(Receipt { charge, stars, gave: gave(from)?, refunded: from.u8()? != 0 })
            })
            .collect::<Result<_, Malformed>>()?;
        Ok(Self { credits, vip_until, remind_at, receipts })
    }
}

pub(super) fn number(from: &mut Reader<'_>) -> Result<u32, Malformed> {
    u32::try_from(from.varint()?).map_err(|_| Malformed("over 32 bits"))
}

pub(super) fn put_gave(gave: Gave, out: &mut Vec<u8>) {
    let (kind, amount) = match gave {
        Gave::Nothing => (0, 0),
        Gave::Days(days) => (1, u64::from(days)),
        Gave::Credits(credits) => (2, u64::from(credits)),
    };
    out.put_u8(kind);
    out.put_varint(amount);
}

pub(super) fn gave(from: &mut Reader<'_>) -> Result<Gave, Malformed> {
    match (from.u8()?, number(from)?) {
        (0, _) => Ok(Gave::Nothing),
        (1, days) => u16::try_from(days).map(Gave::Days).map_err(|_| Malformed("days over 16 bits")),
        (2, credits) => Ok(Gave::Credits(credits)),
        _ => Err(Malformed("an unknown kind of goods")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMillis = UnixMillis(1_000_000_000);

    fn goods() -> impl Strategy<Value = Gave> {
        prop_oneof![
            Just(Gave::Nothing),
            (1u16..400).prop_map(Gave::Days),
            (1u32..1_000).prop_map(Gave::Credits),
        ]
    }

    #[test]
    fn days_are_added_to_those_that_are_left() {
        let mut purse = Purse::default();
        purse.book("a", 1, Gave::Days(30), NOW);
        purse.book("b", 1, Gave::Days(7), NOW.after(DAY));
        assert_eq!(purse.vip_until, NOW.after(37 * DAY));
        assert_eq!(purse.remind_at, NOW.after(36 * DAY));
        purse.take_back("a", NOW.after(2 * DAY));
        assert_eq!(purse.vip_until, NOW.after(7 * DAY));
    }

    proptest! {
        /// However often and in whatever order the same news come: what is there is the sum over the
        /// distinct payments that were kept.
        #[test]
        fn money_is_counted_once(
            payments in prop::collection::vec(goods(), 1..6),
            news in prop::collection::vec((any::<prop::sample::Index>(), prop::bool::weighted(0.3)), 0..60),
        ) {
            let mut purse = Purse::default();
            let (mut paid, mut refunded) = (vec![false; payments.len()], vec![false; payments.len()]);
            for (which, refund) in news {
                let i = which.index(payments.len());
                let charge = format!("charge {i}");
                if refund {
                    purse.take_back(&charge, NOW);
                    refunded[i] |= paid[i];
                } else {
                    purse.book(&charge, 5, payments[i], NOW);
                    paid[i] = true;
                }
            }
            let kept = || (0..payments.len()).filter(|i| paid[*i] && !refunded[*i]).map(|i| payments[i]);
            let credits: u32 = kept().map(|gave| if let Gave::Credits(n) = gave { n } else { 0 }).sum();
            let days: u32 = kept().map(|gave| if let Gave::Days(n) = gave { n.into() } else { 0 }).sum();
            prop_assert_eq!(purse.credits, credits);
            prop_assert_eq!(purse.vip_until.since(NOW), DAY * days);
            prop_assert_eq!(purse.receipts.len(), paid.iter().filter(|paid| **paid).count());
            let mut bytes = Vec::new();
            purse.encode(&mut bytes);
            prop_assert_eq!(Purse::from_bytes(&bytes), Ok(purse));
        }
    }
}
