//! A kind that brings people together and tells them all that they need to know to judge it.
//!
//! What lives here: [`Talk`]; [`Said`], what it tells people, which holds the whole story; and what they write.

use super::Word;
use nobat_core::bot::{
    Bot, Call, Decision, Gender, Input, Meeting, Outgoing, Pool, RenderView, Ticket, Tier, Unmatched,
    Unrenderable, View, Want, Wants,
};
use nobat_core::envelope::Payload;
use nobat_core::id::UserId;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;
use std::time::Duration;

/// What someone with this ticket may wait.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// What one person was told, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// He seeks, with this ticket: from now on, or from the end of the pair that he leaves in the same frame.
    Seeks(u8),
    /// He seeks no more.
    Stopped,
    /// He is paired with this one.
    Met(u8),
    /// His pair with this one is over.
    Over(u8),
    /// His patience has ended.
    Nobody,
    Blocked(u8),
    Unblocked(u8),
    /// A message of this one.
    Hello(u8),
    /// The engine told him something of this one.
    Told(u8),
    /// He will be rung after so many seconds.
    Rings(u8),
    Hushed,
    Rung,
}

use Said::{Blocked, Hello, Hushed, Met, Nobody, Over, Rings, Rung, Seeks, Stopped, Told, Unblocked};

impl Said {
    fn parts(self) -> (u8, u8) {
        match self {
            Seeks(ticket) => (0, ticket),
            Stopped => (1, 0),
            Met(other) => (2, other),
            Over(other) => (3, other),
            Nobody => (4, 0),
            Blocked(other) => (5, other),
            Unblocked(other) => (6, other),
            Hello(other) => (7, other),
            Told(other) => (8, other),
            Rings(seconds) => (9, seconds),
            Hushed => (10, 0),
            Rung => (11, 0),
        }
    }

    fn payload(self, now: UnixMillis) -> Payload {
        let (what, whom) = self.parts();
        let mut args = vec![what, whom];
        args.extend(now.0.to_le_bytes());
        Payload { template: 0, args: args.into() }
    }

    /// What was told, and at which moment it was decided.
    pub(super) fn read(payload: &Payload) -> (Self, u64) {
        let (&[what, whom], at) = payload.args.split_first_chunk().expect("as it was written");
        let all = [
            Seeks(whom),
            Stopped,
            Met(whom),
            Over(whom),
            Nobody,
            Blocked(whom),
            Unblocked(whom),
            Hello(whom),
            Told(whom),
            Rings(whom),
            Hushed,
            Rung,
        ];
        (all[usize::from(what)], u64::from_le_bytes(at.try_into().expect("as it was written")))
    }
}

/// `pool | impatient | vip | widens | wants: 2 | gender: 2`
pub(super) fn ticket(bits: u8) -> Ticket {
    let gender = [Gender::Male, Gender::Female, Gender::Unstated, Gender::Male][usize::from(bits & 3)];
    let wants = [Wants::Anyone, Wants::Men, Wants::Women, Wants::Women][usize::from(bits >> 2 & 3)];
    let vip = Tier::Vip { wants, widens: bits & 16 != 0 };
    Ticket {
        gender,
        tier: if bits & 32 != 0 { vip } else { Tier::Plain },
        pool: Pool(bits >> 7),
        patience: if bits & 64 != 0 { PATIENCE } else { Duration::MAX },
    }
}

/// What people write: a letter and a number.
pub(super) fn text(word: Word) -> String {
    let (letter, number) = match word {
        Word::Find(ticket) => ('f', ticket),
        Word::Stop => ('s', 0),
        Word::Next(ticket) => ('n', ticket),
        Word::Block(whom) => ('b', whom % super::PEOPLE + 1),
        Word::Unblock(whom) => ('u', whom % super::PEOPLE + 1),
        Word::Hello => ('h', 0),
        Word::Tell => ('t', 0),
        Word::Ring(seconds) => ('r', seconds),
        Word::Hush => ('q', 0),
    };
    format!("{letter}{number}")
}

pub(super) struct Talk;

/// It keeps nothing: what it must know, the engine shows it.
#[derive(Clone, Default)]
pub(super) struct Nothing;

impl Record for Nothing {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(0);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.u8().map(|_| Self)
    }
}

const fn person(user: UserId) -> u8 {
    user.0 as u8
}

/// What he is told at once, and what is wanted for him.
fn answer(view: &View<'_>, text: &str) -> (Option<Said>, Vec<Want>) {
    let number: u8 = text.get(1..).and_then(|number| number.parse().ok()).unwrap_or(0);
    let whom = UserId(u64::from(number));
    let join = Want::Join(ticket(number));
    match (text.as_bytes().first(), view.meeting) {
        (Some(b'f'), Meeting::Apart) => (Some(Seeks(number)), vec![join]),
        (Some(b'n'), _) => (Some(Seeks(number)), vec![Want::Leave, join]),
        (Some(b's'), Meeting::Waiting { .. }) => (Some(Stopped), vec![Want::Leave]),
        (Some(b's'), Meeting::Paired(_)) => (None, vec![Want::Leave]),
        (Some(b'b'), _) if whom != view.user => (Some(Blocked(number)), vec![Want::Block(whom)]),
        (Some(b'u'), _) => (Some(Unblocked(number)), vec![Want::Unblock(whom)]),
        (Some(b'r'), _) => {
            let at = view.now.wall.after(Duration::from_secs(u64::from(number)));
            (Some(Rings(number)), vec![Want::Alarm(Some(at))])
        }
        (Some(b'q'), _) => (Some(Hushed), vec![Want::Alarm(None)]),
        (Some(b'h'), Meeting::Paired(partner)) => {
            let what = Outgoing::reply(Hello(person(view.user)).payload(view.now.wall));
            (None, vec![Want::Relay { pair: partner.pair, what }])
        }
        (Some(b't'), Meeting::Paired(partner)) => {
            (None, vec![Want::Tell { pair: partner.pair, note: Box::new([]) }])
        }
        _ => (None, Vec::new()),
    }
}

impl Bot for Talk {
    type State = Nothing;
    type Event = Nothing;

    fn decide(&self, view: &View<'_>, _: &Nothing, input: &Input<'_>) -> Decision<Nothing> {
        let (said, wants) = match input {
            Input::Text { text, .. } => answer(view, text),
            Input::Paired { partner, .. } => (Some(Met(person(partner.user))), Vec::new()),
            Input::PairEnded { partner, .. } => (Some(Over(person(partner.user))), Vec::new()),
            Input::Told { partner, .. } => (Some(Told(person(partner.user))), Vec::new()),
            Input::Unmatched(Unmatched::Expired) => (Some(Nobody), Vec::new()),
            Input::Unmatched(why) => unreachable!("there is room for everyone: {why:?}"),
            Input::Alarm { .. } => (Some(Rung), Vec::new()),
            _ => (None, Vec::new()),
        };
        let sends = said.map(|said| Outgoing::reply(said.payload(view.now.wall)));
        Decision { events: Vec::new(), sends: sends.into_iter().collect(), wants }
    }

    fn evolve(_: &mut Nothing, _: &Nothing) {}

    fn render(&self, _: &RenderView, _: &Payload) -> Result<Call, Unrenderable> {
        Err(Unrenderable("nothing leaves this world"))
    }
}
