//! Pairs people who type their gender: `m`, `f`, or `next <number>` to leave a partner for another.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // A program, not the core.

use nobat_core::matchmaker::{Gender, Joined, LockFree, Matchmaker, Pool, Rules, Seat, Size, Slot, Ticket};
use nobat_core::time::Nanos;
use std::{io::stdin, time::Instant};

fn tell(slot: Slot, joined: Joined) {
    match joined {
        Joined::Paired(p) => {
            let partner = p.partner_of(slot).expect("one of the two");
            println!("{} meets {}", slot.index(), partner.slot.index());
        }
        Joined::Waiting { .. } => println!("{} waits", slot.index()),
        Joined::Withdrawn => println!("{} has left", slot.index()),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shared = LockFree::new(Rules::default(), Size { users: 1000, pools: 1, blocks: 0 });
    let mut matchmaker = &shared; // As many threads as you like may hold one.
    let (mut people, start) = (Vec::<(Seat, Ticket)>::new(), Instant::now());
    for line in stdin().lines() {
        let (line, now) = (line?, Nanos(start.elapsed().as_nanos() as u64));
        if let Some(who) = line.strip_prefix("next ").and_then(|n| people.get_mut(n.parse::<usize>().ok()?)) {
            let (_, joined) = matchmaker.next(&mut who.0, &who.1, now);
            tell(who.0.slot(), joined?);
        } else {
            let gender = if line == "f" { Gender::Female } else { Gender::Male };
            let mut seat = matchmaker.seat(0)?;
            let ticket = Ticket::plain(gender, Pool(0));
            tell(seat.slot(), matchmaker.join(&mut seat, &ticket, now)?);
            people.push((seat, ticket));
        }
    }
    Ok(())
}
