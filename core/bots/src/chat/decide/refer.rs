//! Referrals: who came by whose link, and what that gives.
//!
//! The newcomer's turn informs the one who invited him, in one frame: of his profile, of each payment, of each
//! refund. That one decides. A ring cannot close by itself: who is counted must complete his profile after the
//! one who invited him has. What is refused is kept with its reason; payments bring their part in any case, for
//! they are real.

use super::Turn;
use crate::chat::circle::Refused;
use crate::chat::code;
use crate::chat::event::Event;
use crate::chat::note::Note;
use crate::chat::texts::Key;
use nobat_core::bot::Want;
use nobat_core::id::UserId;

/// What stands before the code in a link.
const PREFIX: &str = "ref_";

impl Turn<'_> {
    /// `/start` with what stood in the link.
    pub(super) fn came_by(&mut self, arguments: &str) {
        let code = arguments.trim().strip_prefix(PREFIX).filter(|_| self.settings.referrals);
        let Some(by) = code.and_then(|code| code::read(code, self.settings.code_key)) else { return };
        let me = self.view.user;
        let known = self.state.language.is_some() || self.state.gender.is_some() || self.state.age != 0;
        if by == me {
            self.refuse(me, Refused::Himself);
        } else if !known && self.state.extras.invited.is_none() {
            self.happened(Event::Invited { by });
        }
    }

    /// His profile is complete.
    pub(super) fn arrived(&mut self) {
        let invited = self.state.extras.invited.as_ref();
        if let Some(by) = invited.filter(|invited| !invited.told).map(|invited| invited.by) {
            self.happened(Event::InviteTold);
            self.inform(by, &Note::Joined);
        }
    }

    /// Whom he invited has completed his profile.
    pub(super) fn brought(&mut self, whom: UserId) {
        let (now, rewards) = (self.now(), self.settings.rewards);
        let circle = self.state.extras.circle.as_deref().cloned().unwrap_or_default();
        let (today, burst) = circle.of_late(now);
        let refused = match () {
            () if self.state.profile().is_none() => Some(Refused::NoProfile),
            () if self.state.ban(now).is_some() => Some(Refused::Banned),
            () if self.is_by(whom) => Some(Refused::Ring),
            () if today >= rewards.per_day => Some(Refused::Cap),
            () if burst >= rewards.per_burst => Some(Refused::Burst),
            () => None,
        };
        if let Some(why) = refused {
            return self.refuse(whom, why);
        }
        self.happened(Event::Referred { whom, at: now, days: rewards.days });
        let count = circle.count.saturating_add(1);
        let language = self.language();
        let (count, days) = (count.to_string(), rewards.days.to_string());
        self.words(language, Key::ReferralCounted, &[("count", &count), ("days", &days)]);
        self.arm_again();
    }

    /// One whom he brought is not counted. The first of them and each tenth is told to the administrators.
    fn refuse(&mut self, whom: UserId, why: Refused) {
        self.happened(Event::NotReferred { whom, why, at: self.now() });
        let refused = self.state.extras.circle.as_ref().map_or(0, |circle| circle.refused);
        if refused == 1 || refused.is_multiple_of(10) {
            let [user, whom, refused] = [self.view.user.to_string(), whom.to_string(), refused.to_string()];
            let values = [("user", &*user), ("whom", &whom), ("why", why.name()), ("refused", &refused)];
            self.alert(Key::AlertReferral, &values);
        }
    }

    /// Whether that one invited him.
    fn is_by(&self, whom: UserId) -> bool {
        self.state.extras.invited.as_ref().is_some_and(|invited| invited.by == whom)
    }

    /// He has paid: a part is for who invited him.
    pub(super) fn share(&mut self, charge: &str, stars: u32) {
        let Some(by) = self.state.extras.invited.as_ref().map(|invited| invited.by) else { return };
        // A hundredth of a Star for each percent of one.
        let part = stars.saturating_mul(self.settings.rewards.percent.into());
        if part == 0 || !self.settings.referrals {
            return;
        }
        self.happened(Event::Gave { charge: charge.into(), stars: part });
        self.inform(by, &Note::Commission { stars: part });
    }

    /// He got it back.
    pub(super) fn unshare(&mut self, charge: &str) {
        let Some(invited) = &self.state.extras.invited else { return };
        let (by, gave) = (invited.by, invited.gave.iter().find(|(of, _)| **of == *charge));
        if let Some(stars) = gave.map(|(_, stars)| *stars) {
            self.inform(by, &Note::CommissionBack { stars });
        }
    }

    /// Whom he invited has paid, or got it back.
    pub(super) fn earned(&mut self, from: UserId, stars: u32, back: bool) {
        if self.is_by(from) {
            return;
        }
        self.happened(Event::Earned { stars, back });
        if !back {
            let language = self.language();
            self.words(language, Key::ReferralEarned, &[("stars", &hundredths(stars.into()))]);
        }
    }

    /// `/referral`
    pub(super) fn referral(&mut self) {
        let language = self.language();
        let circle = self.state.extras.circle.as_deref().cloned().unwrap_or_default();
        let (count, days) = (circle.count.to_string(), self.settings.rewards.days.to_string());
        let (earned, percent) = (hundredths(circle.earned), self.settings.rewards.percent.to_string());
        let values = [("count", count.as_str()), ("days", &days), ("earned", &earned), ("percent", &percent)];
        let mut text = self.settings.texts.say(language, Key::Referral, &values);
        let code = code::write(self.view.user, self.settings.code_key);
        // A link between marks of direction is no link to some clients.
        match self.settings.bot_names.get(self.view.lane.index()) {
            Some(name) => text.push_str(&format!("\n\nhttps://t.me/{name}?start={PREFIX}{code}")),
            None => text.push_str(&format!("\n\n/start {PREFIX}{code}")),
        }
        self.told_words(text);
    }

    pub(super) fn inform(&mut self, user: UserId, note: &Note) {
        self.want(Want::Inform { user, note: note.bytes() });
    }
}

/// Stars with their hundredths.
pub(super) fn hundredths(n: u64) -> String {
    format!("{}.{:02}", n / 100, n % 100)
}
