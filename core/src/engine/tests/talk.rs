//! A small kind that brings people together, for the tests of the engine.

use crate::bot::{
    Bot, Call, Decision, EndedBy, Gender, Input, Meeting, Outgoing, Pool, RenderView, Ticket, Unmatched,
    Unrenderable, View, Want, Wants,
};
use crate::envelope::{Class, Payload};
use crate::id::UserId;
use crate::record::{Malformed, Reader, Record, Write};
use crate::time::UnixMillis;
use core::time::Duration;

/// What he does is written as commands; anything else is relayed.
pub(crate) struct Talk;

/// What became of someone, as he was told.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) met: u64,
    pub(crate) left: u64,
    pub(crate) was_left: u64,
    pub(crate) told: u64,
    pub(crate) rung: u64,
    pub(crate) unmatched: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Event {
    Met,
    Left,
    WasLeft,
    Told,
    Rung,
    Unmatched,
    Wished,
}

const EVENTS: [Event; 7] =
    [Event::Met, Event::Left, Event::WasLeft, Event::Told, Event::Rung, Event::Unmatched, Event::Wished];

impl Record for Life {
    fn encode(&self, out: &mut Vec<u8>) {
        for n in [self.met, self.left, self.was_left, self.told, self.rung, self.unmatched] {
            out.put_varint(n);
        }
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            met: r.varint()?,
            left: r.varint()?,
            was_left: r.varint()?,
            told: r.varint()?,
            rung: r.varint()?,
            unmatched: r.varint()?,
        })
    }
}

impl Record for Event {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(*self as u8);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        EVENTS.get(usize::from(r.u8()?)).copied().ok_or(Malformed("event"))
    }
}

pub(crate) fn ticket(who: &str) -> Ticket {
    let (gender, wants) = match who {
        "man" => return Ticket::plain(Gender::Male, Pool(0)),
        "woman" => return Ticket::plain(Gender::Female, Pool(0)),
        "suitor" => (Gender::Male, Wants::Women),
        "nobody" => return Ticket::plain(Gender::Unstated, Pool(7)),
        "hasty" => {
            let patience = Duration::from_secs(30);
            return Ticket { patience, ..Ticket::vip(Gender::Male, Wants::Women, Pool(0)) };
        }
        _ => (Gender::Female, Wants::Men),
    };
    Ticket::vip(gender, wants, Pool(0))
}

fn say(text: &str) -> Outgoing {
    Outgoing::reply(Payload { template: 0, args: text.as_bytes().into() })
}

impl Bot for Talk {
    type State = Life;
    type Event = Event;

    fn decide(&self, view: &View<'_>, _: &Life, input: &Input<'_>) -> Decision<Event> {
        let mut d = Decision::default();
        let mut happened = |event, text: &str| {
            d.events.push(event);
            d.sends.push(say(text));
        };
        match input {
            Input::Paired { partner, card } => {
                assert_eq!(view.meeting, Meeting::Paired(*partner));
                happened(Event::Met, &format!("met {} {}", partner.user, card.len()));
            }
            Input::PairEnded { by, .. } => {
                let event = if *by == EndedBy::Himself { Event::Left } else { Event::WasLeft };
                happened(event, "over");
            }
            Input::Told { note, .. } => happened(Event::Told, &format!("told {}", note.len())),
            Input::Unmatched(Unmatched::NoSuchPool) => happened(Event::Unmatched, "no pool"),
            Input::Unmatched(_) => happened(Event::Unmatched, "nobody"),
            Input::Alarm { .. } => happened(Event::Rung, "ring"),
            Input::Text { text, .. } => d.wants = wants(view, text),
            _ => {}
        }
        d
    }

    fn evolve(life: &mut Life, event: &Event) {
        match event {
            Event::Met => life.met += 1,
            Event::Left => life.left += 1,
            Event::WasLeft => life.was_left += 1,
            Event::Told => life.told += 1,
            Event::Rung => life.rung += 1,
            Event::Unmatched => life.unmatched += 1,
            Event::Wished => {}
        }
    }

    fn card(life: &Life) -> Vec<u8> {
        vec![7; 1 + life.met as usize]
    }

    fn render(&self, _: &RenderView, payload: &Payload) -> Result<Call, Unrenderable> {
        let text = String::from_utf8(payload.args.to_vec()).map_err(|_| Unrenderable("not UTF-8"))?;
        Ok(Call::Text { text, keyboard: Vec::new() })
    }
}

fn wants(view: &View<'_>, text: &str) -> Vec<Want> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let number = rest.parse().unwrap_or(0);
    let pair = match view.meeting {
        Meeting::Paired(partner) => Some(partner.pair),
        _ => None,
    };
    match (word, pair) {
        ("find", _) => vec![Want::Join(ticket(rest))],
        ("stop", _) => vec![Want::Leave],
        ("next", _) => vec![Want::Join(ticket(rest)), Want::Leave],
        ("block", _) => vec![Want::Block(UserId(number))],
        ("unblock", _) => vec![Want::Unblock(UserId(number))],
        ("ring", _) => vec![Want::Alarm(Some(UnixMillis(number * 1000)))],
        ("tell", Some(pair)) => vec![Want::Tell { pair, note: rest.as_bytes().into() }],
        (_, Some(pair)) => vec![Want::Relay { pair, what: Outgoing { class: Class::Relay, ..say(text) } }],
        _ => Vec::new(),
    }
}
