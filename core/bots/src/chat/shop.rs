//! What is sold, and how an invoice says what it is for.

use super::purse::Gave;

/// Something that is sold for Stars.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// What it gives.
    pub gives: Gave,
    /// What it costs.
    pub stars: u32,
}

/// How long a chat can be locked, and for what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockOffer {
    /// For so long.
    pub minutes: u16,
    /// For so many credits.
    pub credits: u32,
}

/// What the operator sells; empty lists: nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shop {
    /// VIP days.
    pub vip: Vec<Offer>,
    /// Credits.
    pub credits: Vec<Offer>,
    /// Locks.
    pub locks: Vec<LockOffer>,
}

impl Shop {
    /// Whether anything is sold for Stars.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.vip.is_empty() || !self.credits.is_empty()
    }

    /// Whether this is sold now, at this price.
    pub(super) fn sells(&self, offer: Offer) -> bool {
        self.vip.contains(&offer) || self.credits.contains(&offer)
    }
}

impl Offer {
    /// As administrators write it.
    pub(super) fn pair(&self) -> String {
        match self.gives {
            Gave::Days(days) => format!("{days}:{}", self.stars),
            Gave::Credits(credits) => format!("{credits}:{}", self.stars),
            Gave::Nothing => String::new(),
        }
    }

    /// What stands on the invoice. It comes back with the payment, from the platform alone.
    pub(super) fn payload(self) -> String {
        match self.gives {
            Gave::Days(days) => format!("vip:{days}:{}", self.stars),
            Gave::Credits(credits) => format!("credits:{credits}:{}", self.stars),
            Gave::Nothing => String::from("nothing"),
        }
    }

    /// Reads an invoice back.
    pub(super) fn read(payload: &str) -> Option<Self> {
        let mut parts = payload.split(':');
        let (what, amount, stars) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
        let gives = match what {
            "vip" => Gave::Days(amount.parse().ok()?),
            "credits" => Gave::Credits(amount.parse().ok()?),
            _ => return None,
        };
        parts.next().is_none().then_some(Self { gives, stars })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_invoice_says_what_it_is_for(days: u16, credits: u32, stars: u32, vip: bool) {
            let gives = if vip { Gave::Days(days) } else { Gave::Credits(credits) };
            let offer = Offer { gives, stars };
            prop_assert!(offer.payload().len() <= 128);
            prop_assert_eq!(Offer::read(&offer.payload()), Some(offer));
        }

        #[test]
        fn any_payload_is_read_without_a_panic(text: String, tail in "(vip|credits):[0-9:-]{0,30}") {
            let _ = (Offer::read(&text), Offer::read(&tail));
        }
    }
}
