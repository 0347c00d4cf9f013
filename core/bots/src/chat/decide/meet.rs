//! How people come together and part.
//!
//! Whatever ends a chat says why in the same frame: to himself by [`Event::Parting`], and to the partner by a
//! note where the reason is none of the other's doing. The engine then tells both that it has ended, and
//! [`Turn::pair_ended`] finds the words.

use super::Turn;
use crate::chat::button::Act;
use crate::chat::event::Event;
use crate::chat::note::Note;
use crate::chat::profile::{Gender, Profile};
use crate::chat::say::Say;
use crate::chat::state::Parting;
use crate::chat::texts::Key;
use core::time::Duration;
use nobat_core::bot::{self, EndedBy, Meeting, Partner, Pool, Ticket, Tier, Unmatched, Want};
use nobat_core::record::Record;

impl Turn<'_> {
    pub(super) fn find(&mut self) {
        match self.view.meeting {
            Meeting::Waiting { .. } => return self.plain(Key::SearchingAlready),
            Meeting::Paired(_) => return self.plain(Key::ChattingAlready),
            Meeting::Apart => {}
        }
        if !self.searches_too_often() && self.may_search() {
            self.join();
            self.plain(Key::Searching);
        }
    }

    /// Whether he has asked for partners too often of late; he is told so. Who skips on and on takes others from the
    /// line and leaves them again: it is they who are kept from that.
    fn searches_too_often(&mut self) -> bool {
        let Some(wait) = self.state.extras.looks.wait(self.settings.looks_max, self.now()) else {
            return false;
        };
        self.number(Key::SearchSlow, u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(60).max(1));
        true
    }

    /// For how many hours he still meets nobody.
    pub(super) fn shut_out(&self) -> Option<u64> {
        // A wall clock that was set back must not shut anybody out for longer.
        let left = self.state.shut_out_until.since(self.now()).min(self.settings.shut_out_for);
        (!left.is_zero()).then(|| left.as_secs().div_ceil(3600).max(1))
    }

    fn join(&mut self) {
        let lane = self.view.lane.0;
        self.happened(Event::Sought { lane });
        let at = self.now();
        self.happened(Event::Looked { at });
        let ticket = self.ticket();
        self.want(Want::Join(ticket));
        self.arm(self.turns_at());
    }

    fn ticket(&self) -> Ticket {
        // One pool for all, or one for each bot; a kind has at most 256 lanes.
        let pool = if self.settings.cross_bot { 0 } else { self.view.lane.0 as u8 };
        let tier = if self.state.is_vip(self.now()) {
            Tier::Vip { wants: self.state.wanted.sought(), widens: false }
        } else {
            Tier::Plain
        };
        Ticket {
            gender: self.state.gender.map_or(bot::Gender::Unstated, Gender::sought),
            tier,
            pool: Pool(pool),
            patience: self.settings.patience,
        }
    }

    pub(super) fn cancel(&mut self) {
        self.want(Want::Leave);
        self.plain(Key::Cancelled);
    }

    pub(super) fn act(&mut self, act: Act, partner: Partner) {
        if let (Act::Stop | Act::Next, Some(minutes)) = (act, self.held()) {
            return self.number(Key::Held, minutes);
        }
        match act {
            // The chat he has goes on: his partner is not to pay for it.
            Act::Next if self.searches_too_often() => {}
            Act::Lock => self.ask_lock(partner.pair),
            Act::Stop => self.part(partner, Parting::Left),
            Act::Next if self.may_search() => {
                self.part(partner, Parting::Next);
                self.join();
            }
            Act::Next => self.part(partner, Parting::Left),
            Act::Block => {
                self.want(Want::Block(partner.user));
                self.part(partner, Parting::Blocked);
            }
            Act::Report => {
                self.want(Want::Block(partner.user));
                self.report(partner);
                self.tell(partner, Note::Reports);
                self.part(partner, Parting::Reported);
            }
        }
    }

    /// Ends the chat.
    pub(super) fn part(&mut self, partner: Partner, why: Parting) {
        self.pass_album(partner);
        self.happened(Event::Parting(why));
        if matches!(why, Parting::Gone | Parting::Idle) {
            self.tell(partner, Note::Parting(why));
        }
        self.want(Want::Leave);
    }

    pub(super) fn tell(&mut self, partner: Partner, note: Note) {
        self.want(Want::Tell { pair: partner.pair, note: note.bytes() });
    }

    pub(super) fn blocked_the_bot(&mut self) {
        // One of several bots may be blocked by who talks on another.
        if self.view.lane.0 != self.state.lane {
            return;
        }
        match self.view.meeting {
            Meeting::Apart => {}
            Meeting::Waiting { .. } => self.want(Want::Leave),
            Meeting::Paired(partner) => self.part(partner, Parting::Gone),
        }
    }

    pub(super) fn paired(&mut self, partner: Partner, card: &[u8]) {
        let (lane, at) = (self.view.lane.0, self.now());
        self.happened(Event::Met { lane, at, numbered: true });
        self.arm(Some(at.after(self.settings.idle)));
        let language = self.language();
        if let Ok(profile) = Profile::from_bytes(card) {
            self.say(&Say::Met { language, pair: partner.pair, profile });
        }
    }

    pub(super) fn pair_ended(&mut self, by: EndedBy) {
        let searches = (by, self.state.parting) == (EndedBy::Himself, Parting::Next);
        self.arm(if searches { self.turns_at() } else { None });
        match (by, self.state.parting) {
            (_, Parting::Idle) => self.number(Key::IdleEnd, minutes(self.settings.idle)),
            (EndedBy::Partner, Parting::Gone) | (EndedBy::Himself, Parting::Unreached) => {
                self.plain(Key::PartnerGone);
            }
            (EndedBy::Partner, _) => self.plain(Key::PartnerLeft),
            (EndedBy::Himself, Parting::Left) => self.plain(Key::LeftSelf),
            (EndedBy::Himself, Parting::Next) => self.plain(Key::LeftNext),
            (EndedBy::Himself, Parting::Reported) => self.plain(Key::ReportedSelf),
            (EndedBy::Himself, Parting::Blocked) => self.plain(Key::BlockedSelf),
            (EndedBy::Himself, Parting::Gone) => {}
        }
    }

    pub(super) fn told(&mut self, note: &[u8]) {
        match Note::from_bytes(note) {
            Ok(Note::Parting(why)) => self.happened(Event::Parting(why)),
            Ok(Note::Reports) => self.reported(),
            Ok(Note::Silent) => self.partner_is_silent(),
            Ok(Note::Locked { until }) => self.locked(until),
            // Not for a partner; or of a newer version: it means nothing to this one.
            _ => {}
        }
    }

    fn reported(&mut self) {
        let now = self.now();
        let (count, since) = (self.state.reports, self.state.reported_since);
        let fresh = count == 0 || now >= since.after(self.settings.reports_window) || now < since;
        let (count, since) = if fresh { (1, now) } else { (count.saturating_add(1), since) };
        self.happened(Event::Reported { count, since });
        if count >= self.settings.reports_max {
            self.happened(Event::ShutOut { until: now.after(self.settings.shut_out_for) });
            let hours = (self.settings.shut_out_for.as_secs() / 3600).to_string();
            let (user, reports) = (self.view.user.to_string(), count.to_string());
            let values = [("user", &*user), ("reports", &reports), ("hours", &hours)];
            self.alert(Key::AlertShutOut, &values);
        }
    }

    pub(super) fn unmatched(&mut self, why: Unmatched) {
        match why {
            Unmatched::Expired => self.plain(Key::NobodyFound),
            Unmatched::Full | Unmatched::NoSuchPool => self.plain(Key::Full),
        }
    }
}

/// At least one.
fn minutes(time: Duration) -> u64 {
    (time.as_secs() / 60).max(1)
}
