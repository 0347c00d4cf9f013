//! Lines to wait in: who stands in which, and which of them a searcher looks at.
//!
//! What lives here: [`Class`] (18 to a pool) and [`Look`], the classes that one searcher may take from.
//! Compatibility in both directions is a matter of classes alone; what depends on the two people (recent
//! partners, blocks, patience) is judged ticket by ticket. Only this room uses it.
//!
//! Tickets of one class are interchangeable to a searcher, so within a class the line is first come,
//! first served, and a class whose people have not come is skipped by one bit.

use super::ticket::{Gender, Ticket, Tier, Wants};

/// Classes of one pool: six ways to file a ticket, times three genders.
pub(super) const CLASSES: usize = 18;

/// One line of a pool. VIPs come first in number, so that they win ties of rank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Class(pub(super) u8);

/// How tickets are filed: who chooses whom, and whether he widens.
const FILINGS: [(Tier, Wants, bool); 6] = {
    const fn vip(wants: Wants, widens: bool) -> (Tier, Wants, bool) {
        (Tier::Vip { wants, widens }, wants, widens)
    }
    [
        vip(Wants::Anyone, false),
        vip(Wants::Men, false),
        vip(Wants::Women, false),
        vip(Wants::Men, true),
        vip(Wants::Women, true),
        (Tier::Plain, Wants::Anyone, false),
    ]
};
const GENDERS: [Gender; 3] = [Gender::Male, Gender::Female, Gender::Unstated];

/// Which classes a searcher takes from, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    /// Everyone in these accepts him.
    pub(super) always: u32,
    /// Those in these accept him once their ticket has widened.
    pub(super) widened: u32,
}

const fn accepts(wants: Wants, gender: Gender) -> bool {
    matches!(
        (wants, gender),
        (Wants::Anyone, _) | (Wants::Men, Gender::Male) | (Wants::Women, Gender::Female)
    )
}

/// `LOOKS[wants][gender]`: for one of this gender who wants this.
const LOOKS: [[Look; 3]; 3] = {
    let wants = [Wants::Anyone, Wants::Men, Wants::Women];
    let mut looks = [[Look { always: 0, widened: 0 }; 3]; 3];
    let mut w = 0;
    while w < 3 {
        let mut g = 0;
        while g < 3 {
            let mut class = 0;
            while class < CLASSES {
                let (_, theirs, widens) = FILINGS[class / 3];
                if accepts(wants[w], GENDERS[class % 3]) {
                    if accepts(theirs, GENDERS[g]) {
                        looks[w][g].always |= 1 << class;
                    } else if widens {
                        looks[w][g].widened |= 1 << class;
                    }
                }
                class += 1;
            }
            g += 1;
        }
        w += 1;
    }
    looks
};

impl Class {
    /// Where a ticket waits.
    pub(super) const fn of(ticket: &Ticket) -> Self {
        let filing = match ticket.tier {
            Tier::Vip { wants: Wants::Anyone, .. } => 0,
            Tier::Vip { wants: Wants::Men, widens: false } => 1,
            Tier::Vip { wants: Wants::Women, widens: false } => 2,
            Tier::Vip { wants: Wants::Men, widens: true } => 3,
            Tier::Vip { wants: Wants::Women, widens: true } => 4,
            Tier::Plain => 5,
        };
        Self(filing * 3 + ticket.gender as u8)
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Look {
    /// Where the owner of a ticket looks; `widened` if he takes anyone by now.
    pub(super) const fn of(ticket: &Ticket, widened: bool) -> Self {
        let wants = match ticket.tier {
            Tier::Vip { wants, .. } if !widened => wants,
            _ => Wants::Anyone,
        };
        LOOKS[wants as usize][ticket.gender as usize]
    }

    /// Whether there is more than one class of `used` to look into.
    pub(super) const fn has_several(self, used: u32) -> bool {
        let classes = (self.always | self.widened) & used;
        classes & classes.wrapping_sub(1) != 0
    }

    /// The classes of `used` to look into, and whether only widened tickets count in each.
    pub(super) fn classes(self, used: u32) -> impl Iterator<Item = (Class, bool)> {
        let mut left = (self.always | self.widened) & used;
        core::iter::from_fn(move || {
            let class = left.trailing_zeros() as u8;
            (left != 0).then(|| {
                left &= left - 1;
                (Class(class), self.widened >> class & 1 == 1)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matchmaker::Pool;
    use core::time::Duration;

    fn tickets() -> Vec<Ticket> {
        let mut all = Vec::new();
        for (tier, ..) in FILINGS {
            for gender in GENDERS {
                all.push(Ticket { gender, tier, pool: Pool(0), patience: Duration::MAX });
            }
        }
        all
    }

    #[test]
    fn each_filing_and_gender_has_a_class_of_its_own() {
        for (i, ticket) in tickets().iter().enumerate() {
            assert_eq!(Class::of(ticket).index(), i);
        }
    }

    #[test]
    fn one_looks_at_another_if_and_only_if_the_other_looks_back() {
        for a in tickets() {
            for b in tickets() {
                let (looks_a, looks_b) = (Look::of(&a, false), Look::of(&b, false));
                assert_eq!(
                    looks_a.always >> Class::of(&b).0 & 1,
                    looks_b.always >> Class::of(&a).0 & 1,
                    "{a:?} {b:?}"
                );
                // Seen from the one who widened: he now looks at whom the other sees as widened.
                if looks_a.widened >> Class::of(&b).0 & 1 == 1 {
                    assert_eq!(Look::of(&b, true).always >> Class::of(&a).0 & 1, 1, "{a:?} {b:?}");
                }
            }
        }
    }
}
