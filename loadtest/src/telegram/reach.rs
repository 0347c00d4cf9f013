//! Which bot may write to which user.
//!
//! On the platform a bot may write only to users who started it. A rehearsal needs the outcome, not 17 taps
//! on "Start" per student, so the rule below says who has started what before the first update; a message to
//! a bot, a block and [`crate::telegram::Emulator::set_reach`] change it user by user.

use super::dice::{mix, unit};
use crate::wire::BotIx;

/// Who is reached before anybody wrote anything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Reach {
    /// Every bot reaches everyone.
    #[default]
    All,
    /// Bot 0 reaches everyone, the others nobody.
    MainOnly,
    /// Bot 0 reaches everyone; each other bot reaches this share of users, 0 to 1, by seeded hash.
    Share(f64),
    /// Nobody is reached by any bot he has not written to: the platform's own rule.
    Started,
}

/// The refusal a bot gets for a user who never started it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// 400 `Bad Request: chat not found`.
    NotFound,
    /// 403 `Forbidden: bot can't initiate conversation with a user`.
    Forbidden,
    /// Either, by seeded hash of bot and user.
    #[default]
    Mixed,
}

/// What one chat's record says beyond the rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing: the rule decides.
    #[default]
    ByRule,
    Started,
    Blocked,
}

/// Why a bot may not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barrier {
    NotFound,
    CannotInitiate,
    Blocked,
}

impl Barrier {
    pub(crate) fn answer(self) -> (u16, &'static str) {
        match self {
            Self::NotFound => (400, "Bad Request: chat not found"),
            Self::CannotInitiate => (403, "Forbidden: bot can't initiate conversation with a user"),
            Self::Blocked => (403, "Forbidden: bot was blocked by the user"),
        }
    }
}

/// The rule with its seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReachRule {
    pub(crate) reach: Reach,
    pub(crate) form: Form,
    pub(crate) seed: u64,
}

impl ReachRule {
    /// Why `bot` may not write to `user`, if it may not.
    pub(crate) fn barrier(&self, bot: BotIx, user: u64, known: Known) -> Option<Barrier> {
        match known {
            Known::Started => return None,
            Known::Blocked => return Some(Barrier::Blocked),
            Known::ByRule => {}
        }
        let key = mix(self.seed ^ bot as u64, user);
        let reached = match self.reach {
            Reach::All => true,
            Reach::MainOnly => bot == 0,
            Reach::Share(share) => bot == 0 || unit(key) < share,
            Reach::Started => false,
        };
        let forbidden = match self.form {
            Form::NotFound => false,
            Form::Forbidden => true,
            // An odd bit that `unit` does not look at.
            Form::Mixed => key & 1 == 1,
        };
        (!reached).then_some(if forbidden { Barrier::CannotInitiate } else { Barrier::NotFound })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(rule: ReachRule, bot: BotIx) -> usize {
        (0..10_000u64).filter(|&u| rule.barrier(bot, u, Known::ByRule).is_none()).count()
    }

    #[test]
    fn each_rule_reaches_whom_it_says() {
        let rule = |reach| ReachRule { reach, form: Form::Mixed, seed: 3 };
        assert_eq!(reached(rule(Reach::All), 5), 10_000);
        assert_eq!((reached(rule(Reach::MainOnly), 0), reached(rule(Reach::MainOnly), 1)), (10_000, 0));
        assert_eq!(reached(rule(Reach::Started), 0), 0);
        assert_eq!(reached(rule(Reach::Share(0.3)), 0), 10_000);
        let some = reached(rule(Reach::Share(0.3)), 4);
        assert!((2_800..3_200).contains(&some), "{some}");
    }

    #[test]
    fn both_forms_of_refusal_occur_and_one_user_always_gets_the_same() {
        let rule = ReachRule { reach: Reach::MainOnly, form: Form::Mixed, seed: 3 };
        let forms: Vec<_> = (0..1_000).map(|u| rule.barrier(2, u, Known::ByRule)).collect();
        assert!(forms.contains(&Some(Barrier::NotFound)));
        assert!(forms.contains(&Some(Barrier::CannotInitiate)));
        assert_eq!(forms, (0..1_000).map(|u| rule.barrier(2, u, Known::ByRule)).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_user_did_overrides_the_rule() {
        let rule = ReachRule { reach: Reach::Started, form: Form::Forbidden, seed: 3 };
        assert_eq!(rule.barrier(1, 9, Known::Started), None);
        assert_eq!(rule.barrier(1, 9, Known::Blocked), Some(Barrier::Blocked));
    }
}
