#![no_main]
//! Any sequence of calls: the lock-free matchmaker does what the specification does.

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use nobat_core::matchmaker::{Gender, LockFree, Matchmaker, Pool, Rules, Size, Spec, Ticket, Tier, Wants};
use nobat_core::time::Nanos;
use std::time::Duration;

const USERS: usize = 6;

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Step {
    call: u8,
    user: u8,
    other: u8,
    ticket: u8,
    pass_ms: u16,
}

fn ticket(bits: u8) -> Ticket {
    let gender = [Gender::Male, Gender::Female, Gender::Unstated][usize::from(bits % 3)];
    let wants = [Wants::Anyone, Wants::Men, Wants::Women][usize::from(bits / 3 % 3)];
    let vip = Tier::Vip { wants, widens: bits & 64 != 0 };
    let patience = if bits & 32 != 0 { Duration::from_secs(9) } else { Duration::MAX };
    Ticket { gender, tier: if bits & 128 != 0 { vip } else { Tier::Plain }, pool: Pool(0), patience }
}

/// What a run of the steps shows, with versions left out.
fn run(mut m: impl Matchmaker, steps: &[Step]) -> Vec<String> {
    let mut seats: Vec<_> = (0..USERS).map(|_| m.seat(0).expect("a seat for each")).collect();
    let mut now = Nanos::from_secs(1);
    let plain = |text: String| {
        text.split("version")
            .map(|part| {
                part.trim_start_matches([':', ' '])
                    .trim_start_matches(|c: char| c.is_ascii_digit())
                    .to_owned()
            })
            .collect()
    };
    let mut seen = Vec::new();
    for step in steps {
        now = now.after(Duration::from_millis(u64::from(step.pass_ms)) + Duration::from_nanos(1));
        let (user, other) = (usize::from(step.user) % USERS, seats[usize::from(step.other) % USERS].slot());
        let (slot, ticket) = (seats[user].slot(), ticket(step.ticket));
        let text = match step.call % 9 {
            0..3 => format!("{:?}", m.join(&mut seats[user], &ticket, now)),
            3 => format!("{:?}", m.next(&mut seats[user], &ticket, now)),
            4 => format!("{:?}", m.wake(&mut seats[user], now)),
            5 => format!("{:?}", m.leave(slot, now)),
            6 => format!("{:?}", m.block(slot, other)),
            7 => format!("{:?}", m.unblock(slot, other)),
            _ => format!("{:?}", m.restore(&mut seats[user], &ticket, Duration::from_secs(8), now)),
        };
        seen.push(plain(text));
        seen.push(plain(format!("{:?}", m.standing(slot))));
    }
    seen.into_iter().map(|parts: Vec<String>| parts.concat()).collect()
}

fuzz_target!(|steps: Vec<Step>| {
    let rules = Rules { recent_for: Duration::from_secs(60), ..Rules::default() };
    let size = Size { users: USERS as u32, pools: 1, blocks: 64 };
    assert_eq!(run(Spec::new(rules, size), &steps), run(&LockFree::new(rules, size), &steps));
});
