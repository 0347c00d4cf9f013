//! What ties a user to others: where he stands, whom he met of late, whom he blocked, when he is rung.
//!
//! What lives here: [`Ties`], a part of a cell, and [`Fact`], its durable changes. The live path and recovery
//! change it by [`Ties::apply`] alone, which refuses what cannot follow, so a journal whose frames were
//! lost or mixed does not replay. Only the engine uses it.

use super::links::Links;
use crate::bot::{Gender, Meeting, Partner, Pool, Ticket, Tier, Wants};
use crate::envelope::Conversation;
use crate::id::{ChatId, LaneIx, MessageId, PairNo, UserId};
use crate::limits::BLOCKED_MAX;
use crate::matchmaker::{PairingId, Seat};
use crate::record::{Malformed, Reader, Record, Write};
use crate::time::{Nanos, UnixMillis};
use core::time::Duration;

/// Recent partners kept for a restart: as many as the matchmaker's ring has.
const RECENT_MAX: usize = 16;

/// Where he stands, as the journal says. The matchmaker may be one step ahead: see `settle`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Stage {
    #[default]
    Apart,
    Waiting {
        ticket: Ticket,
        since: UnixMillis,
    },
    Paired(Partner),
}

/// One user's ties. About 200 bytes, for those who ever wanted to meet someone.
#[derive(Default)]
pub(crate) struct Ties {
    pub stage: Stage,
    /// The lane he wrote on last: what the engine says to him of its own accord goes there.
    pub lane: LaneIx,
    /// Whom he met of late and until when they do not meet again, oldest first.
    pub recent: Vec<(UserId, UnixMillis)>,
    pub blocked: Vec<UserId>,
    /// What the kind asked for.
    pub alarm: Option<UnixMillis>,
    /// Which messages of his chat are which of his partner's.
    pub links: Links,
    /// Not durable: his right to join. It lies under his lock, as `&mut` asks.
    pub seat: Option<Seat>,
    /// Not durable: the matchmaker's name for his pair.
    pub pairing: Option<PairingId>,
    /// Not durable: when the matchmaker wants to look at his ticket again.
    pub rescan: Option<Nanos>,
    /// Not durable: what stands in the kind's alarms for him.
    pub rings: Nanos,
}

/// A durable change of someone's ties.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fact {
    /// He stands in line.
    Filed { ticket: Ticket, since: UnixMillis },
    /// He does not any more.
    Withdrawn,
    /// He was paired.
    Paired(Partner),
    /// His pair has ended; until then the two do not meet again.
    Ended { pair: PairNo, until: UnixMillis },
    /// He blocked someone.
    Blocked(UserId),
    /// He took it back.
    Unblocked(UserId),
    /// He is to be rung.
    Alarm(Option<UnixMillis>),
}

impl Ties {
    /// Where he stands, as a kind is shown it.
    pub(crate) const fn meeting(&self) -> Meeting {
        match self.stage {
            Stage::Apart => Meeting::Apart,
            Stage::Waiting { since, .. } => Meeting::Waiting { since },
            Stage::Paired(partner) => Meeting::Paired(partner),
        }
    }

    /// Changes them.
    ///
    /// # Errors
    /// [`Malformed`] if the fact cannot follow what is known.
    pub(crate) fn apply(&mut self, fact: &Fact) -> Result<(), Malformed> {
        if matches!(fact, Fact::Filed { .. } | Fact::Withdrawn | Fact::Paired(_) | Fact::Ended { .. }) {
            self.links.clear();
        }
        match (*fact, self.stage) {
            (Fact::Filed { ticket, since }, Stage::Apart) => self.stage = Stage::Waiting { ticket, since },
            (Fact::Withdrawn, Stage::Waiting { .. }) => self.stage = Stage::Apart,
            (Fact::Paired(partner), Stage::Waiting { .. }) => self.stage = Stage::Paired(partner),
            (Fact::Ended { pair, until }, Stage::Paired(partner)) if partner.pair == pair => {
                self.stage = Stage::Apart;
                self.met(partner, until);
            }
            (Fact::Blocked(whom), _) => {
                if !self.blocked.contains(&whom) && self.blocked.len() < BLOCKED_MAX {
                    self.blocked.push(whom);
                }
            }
            (Fact::Unblocked(whom), _) => self.blocked.retain(|blocked| *blocked != whom),
            (Fact::Alarm(at), _) => self.alarm = at,
            (Fact::Filed { .. }, _) => return Err(Malformed("joins who is not apart")),
            (Fact::Withdrawn, _) => return Err(Malformed("leaves the line who does not wait")),
            (Fact::Paired(_), _) => return Err(Malformed("is paired who does not wait")),
            (Fact::Ended { .. }, _) => return Err(Malformed("ends a pair that he is not in")),
        }
        Ok(())
    }

    /// What he writes to a bot says on which lane he is; what he does in a channel does not.
    pub(crate) fn writes_on(&mut self, who: Conversation, chat: ChatId, lane: LaneIx) {
        if chat == who.user.private_chat() {
            self.lane = lane;
        }
    }

    fn met(&mut self, partner: Partner, until: UnixMillis) {
        // Pairs end in the order of time, and all are kept apart equally long: who is past at the
        // beginning of the last pair is past for good.
        self.recent.retain(|(whom, until)| *until > partner.since && *whom != partner.user);
        if until > partner.since {
            self.recent.push((partner.user, until));
        }
        if self.recent.len() > RECENT_MAX {
            self.recent.remove(0);
        }
    }
}

/// The durable part, for a snapshot.
impl Record for Ties {
    fn encode(&self, out: &mut Vec<u8>) {
        match self.stage {
            Stage::Apart => out.put_u8(0),
            Stage::Waiting { ticket, since } => {
                out.put_u8(1);
                Fact::Filed { ticket, since }.encode(out);
            }
            Stage::Paired(partner) => {
                out.put_u8(2);
                put_partner(&partner, out);
            }
        }
        out.put_u16(self.lane.0);
        out.put_varint(self.recent.len() as u64);
        for (whom, until) in &self.recent {
            out.put_varint(whom.0);
            out.put_varint(until.0);
        }
        out.put_varint(self.blocked.len() as u64);
        for whom in &self.blocked {
            out.put_varint(whom.0);
        }
        Fact::Alarm(self.alarm).encode(out);
        if !self.links.all().is_empty() {
            out.put_varint(self.links.all().len() as u64);
            for (here, there) in self.links.all() {
                out.put_varint((*here).into());
                out.put_varint((*there).into());
            }
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let stage = match r.u8()? {
            0 => Stage::Apart,
            1 => match Fact::decode(r)? {
                Fact::Filed { ticket, since } => Stage::Waiting { ticket, since },
                _ => return Err(Malformed("waits without a ticket")),
            },
            2 => Stage::Paired(partner(r)?),
            _ => return Err(Malformed("unknown stage")),
        };
        let lane = LaneIx(r.u16()?);
        let mut recent = Vec::new();
        for _ in 0..r.varint()? {
            recent.push((UserId(r.varint()?), UnixMillis(r.varint()?)));
        }
        let mut blocked = Vec::new();
        for _ in 0..r.varint()? {
            blocked.push(UserId(r.varint()?));
        }
        let Fact::Alarm(alarm) = Fact::decode(r)? else { return Err(Malformed("ties without an alarm")) };
        let mut links = Links::default();
        // An older image ends here.
        for _ in 0..if r.is_empty() { 0 } else { r.varint()? } {
            links.add(message(r)?, message(r)?);
        }
        Ok(Self { stage, lane, recent, blocked, alarm, links, ..Self::default() })
    }
}

impl Record for Fact {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Filed { ticket, since } => {
                out.put_u8(1);
                out.put_varint(since.0);
                put_ticket(ticket, out);
            }
            Self::Withdrawn => out.put_u8(2),
            Self::Paired(partner) => {
                out.put_u8(3);
                put_partner(partner, out);
            }
            Self::Ended { pair, until } => {
                out.put_u8(4);
                out.put_varint(pair.0);
                out.put_varint(until.0);
            }
            Self::Blocked(whom) => {
                out.put_u8(5);
                out.put_varint(whom.0);
            }
            Self::Unblocked(whom) => {
                out.put_u8(6);
                out.put_varint(whom.0);
            }
            Self::Alarm(Some(at)) => {
                out.put_u8(7);
                out.put_varint(at.0);
            }
            Self::Alarm(None) => out.put_u8(8),
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match r.u8()? {
            1 => {
                let since = UnixMillis(r.varint()?);
                Self::Filed { ticket: ticket(r)?, since }
            }
            2 => Self::Withdrawn,
            3 => Self::Paired(partner(r)?),
            4 => Self::Ended { pair: PairNo(r.varint()?), until: UnixMillis(r.varint()?) },
            5 => Self::Blocked(UserId(r.varint()?)),
            6 => Self::Unblocked(UserId(r.varint()?)),
            7 => Self::Alarm(Some(UnixMillis(r.varint()?))),
            8 => Self::Alarm(None),
            _ => return Err(Malformed("unknown fact")),
        })
    }
}

fn message(r: &mut Reader<'_>) -> Result<MessageId, Malformed> {
    i64::try_from(r.varint()?).map(MessageId).map_err(|_| Malformed("a message of over 63 bits"))
}

const GENDERS: [Gender; 3] = [Gender::Male, Gender::Female, Gender::Unstated];
const WANTS: [Wants; 3] = [Wants::Anyone, Wants::Men, Wants::Women];

fn put_ticket(ticket: &Ticket, out: &mut Vec<u8>) {
    out.put_u8(ticket.gender as u8);
    out.put_u8(match ticket.tier {
        Tier::Plain => 0,
        Tier::Vip { wants, widens } => 1 + wants as u8 + 3 * u8::from(widens),
    });
    out.put_u8(ticket.pool.0);
    // Patience without end is one byte; the others are kept to the millisecond.
    out.put_varint(match ticket.patience {
        Duration::MAX => 0,
        patience => 1 + u64::try_from(patience.as_millis()).unwrap_or(u64::MAX - 1).min(u64::MAX - 1),
    });
}

fn ticket(r: &mut Reader<'_>) -> Result<Ticket, Malformed> {
    let gender = *GENDERS.get(usize::from(r.u8()?)).ok_or(Malformed("unknown gender"))?;
    let tier = match r.u8()? {
        0 => Tier::Plain,
        n @ 1..=6 => Tier::Vip { wants: WANTS[usize::from((n - 1) % 3)], widens: n > 3 },
        _ => return Err(Malformed("unknown tier")),
    };
    let pool = Pool(r.u8()?);
    let patience = r.varint()?.checked_sub(1).map_or(Duration::MAX, Duration::from_millis);
    Ok(Ticket { gender, tier, pool, patience })
}

fn put_partner(partner: &Partner, out: &mut Vec<u8>) {
    out.put_varint(partner.pair.0);
    out.put_varint(partner.user.0);
    out.put_u16(partner.lane.0);
    out.put_varint(partner.since.0);
}

fn partner(r: &mut Reader<'_>) -> Result<Partner, Malformed> {
    Ok(Partner {
        pair: PairNo(r.varint()?),
        user: UserId(r.varint()?),
        lane: LaneIx(r.u16()?),
        since: UnixMillis(r.varint()?),
    })
}
