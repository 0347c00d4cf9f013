//! What people may read of the chat: profiles, payments, VIP time, referrals, reports and bans.

use super::ChatBot;
use super::circle::Refused;
use super::event::Event;
use super::profile::Gender;
use super::purse::{Gave, Purse, Receipt};
use super::state::State;
use nobat_core::bot::Moment;
use nobat_core::bot::records::{AUDIT, PAYMENTS, REFERRALS, Row, SUBSCRIPTIONS};
use nobat_core::id::UserId;
use nobat_core::time::UnixMillis;

/// How far someone is: what he is asked next, or `ready`.
const fn stage(state: &State) -> &'static str {
    match state {
        State { language: None, .. } => "language",
        State { gender: None, .. } => "gender",
        State { age: 0, .. } => "age",
        _ => "ready",
    }
}

pub(super) fn portrait(state: &State, row: &mut Row) {
    let set = |at: UnixMillis| (at.0 != 0).then_some(at);
    row.set("stage", stage(state));
    row.set("language", state.language.map(|language| language.tag()));
    row.set(
        "gender",
        state.gender.map(|gender| match gender {
            Gender::Male => "male",
            Gender::Female => "female",
            Gender::Other => "other",
        }),
    );
    row.set("age", (state.age != 0).then_some(u32::from(state.age)));
    row.set("chats", state.chats);
    row.set("credits", state.purse.credits);
    row.set("shut_out_until", set(state.shut_out_until));
}

pub(super) fn noted(moment: &Moment<'_, ChatBot>, out: &mut Vec<Row>) {
    let Moment { before, event, after, at, user } = *moment;
    let audit = |action: &str| Row::of(&AUDIT).with("action", action);
    match event {
        Event::Paid { charge, gave, at, .. } if !before.purse.has(charge) => {
            receipts(&after.purse, charge, |row| row.with("paid_at", *at), out);
            if *gave == Gave::Nothing {
                out.push(audit("payment_unknown").with("detail", format!("charge {charge}")));
            }
            out.extend(vip(&after.purse, Some(*at)));
        }
        Event::Refunded { charge, at } if before.purse.kept(charge).is_some() => {
            receipts(&after.purse, charge, |row| row.with("refunded_at", *at), out);
            out.push(audit("refunded").with("detail", format!("charge {charge}")));
            out.extend(vip(&after.purse, Some(*at)));
            out.extend(invitation(user, after));
        }
        Event::Reported { count, .. } => {
            out.push(audit("reported").with("detail", format!("report {count} of this spell")));
        }
        Event::ShutOut { until } => {
            let hours = until.since(at).as_secs().div_ceil(3600);
            out.push(audit("shut_out").with("detail", format!("for {hours} hours")));
        }
        Event::Locked { until, credits } => {
            let minutes = until.since(at).as_secs().div_ceil(60);
            out.push(audit("locked").with("detail", format!("for {minutes} minutes, {credits} credits")));
        }
        Event::Given { what, at } => {
            let what = match what {
                Gave::Nothing => return,
                Gave::Days(days) => format!("{days} VIP days"),
                Gave::Credits(credits) => format!("{credits} credits"),
            };
            out.push(audit("given").with("detail", what));
            out.extend(vip(&after.purse, Some(*at)));
        }
        Event::Invited { .. } => {
            out.extend(invitation(user, after).map(|row| row.with("invited_at", at)));
        }
        Event::Gave { .. } | Event::TakenOver { .. } => out.extend(invitation(user, after)),
        Event::Referred { whom, at, days } => {
            out.extend(vip(&after.purse, Some(*at)));
            if whom.0 != 0 {
                let row = referral(*whom, user).with("status", "counted").with("decided_at", *at);
                out.push(row.with("reward_days", u32::from(*days)));
            }
        }
        Event::NotReferred { whom, why, at } => {
            out.push(refusal(*whom, user, *why, *at));
            out.push(audit("not_referred").with("detail", format!("{whom}: {}", why.name())));
        }
        Event::Banned(ban) => out.push(audit("banned").with("detail", ban.why.to_string())),
        Event::Unbanned => out.push(audit("unbanned")),
        Event::Did(change) => {
            out.push(audit("administered").with("detail", format!("{}: {}", change.by, change.what)));
        }
        _ => {}
    }
}

pub(super) fn remembered(user: UserId, state: &State, out: &mut Vec<Row>) {
    out.extend(state.purse.receipts.iter().map(payment));
    out.extend(vip(&state.purse, None));
    out.extend(invitation(user, state));
    let refusals = state.extras.circle.iter().flat_map(|circle| &circle.refusals);
    out.extend(refusals.map(|(whom, why, at)| refusal(*whom, user, *why, *at)));
}

/// The row of who came by whose link. Both write into it, each what he knows.
fn referral(whom: UserId, by: UserId) -> Row {
    Row::of(&REFERRALS).with("user_id", whom).with("by_user", by)
}

/// What a newcomer knows of it.
fn invitation(user: UserId, state: &State) -> Option<Row> {
    let invited = state.extras.invited.as_ref()?;
    // A part of a payment that was given back was taken back.
    let stands =
        |charge: &str| state.purse.receipts.iter().all(|paid| *paid.charge != *charge || !paid.refunded);
    let stars: u64 =
        invited.gave.iter().filter(|(charge, _)| stands(charge)).map(|(_, stars)| u64::from(*stars)).sum();
    let row = referral(user, invited.by).with("reward_stars", stars);
    Some(if invited.told { row } else { row.with("status", "invited") })
}

fn refusal(whom: UserId, by: UserId, why: Refused, at: UnixMillis) -> Row {
    referral(whom, by).with("status", "refused").with("why", why.name()).with("decided_at", at)
}

/// The row of this payment, dated.
fn receipts(purse: &Purse, charge: &str, dated: impl Fn(Row) -> Row, out: &mut Vec<Row>) {
    out.extend(purse.receipts.iter().filter(|receipt| &*receipt.charge == charge).map(payment).map(dated));
}

fn payment(receipt: &Receipt) -> Row {
    let (gave, amount) = match receipt.gave {
        Gave::Nothing => ("nothing", 0),
        Gave::Days(days) => ("vip_days", u32::from(days)),
        Gave::Credits(credits) => ("credits", credits),
    };
    Row::of(&PAYMENTS)
        .with("charge", &*receipt.charge)
        .with("stars", receipt.stars)
        .with("gave", gave)
        .with("amount", amount)
        .with("refunded", receipt.refunded)
}

/// His time as a VIP, if he ever was one. That it ended by the clock, the table's lapse says.
fn vip(purse: &Purse, changed: Option<UnixMillis>) -> Option<Row> {
    let status = if changed.is_some_and(|at| purse.vip_until <= at) { "ended" } else { "active" };
    (purse.vip_until.0 != 0).then(|| {
        Row::of(&SUBSCRIPTIONS)
            .with("plan", "vip")
            .with("status", status)
            .with("until", purse.vip_until)
            .with("changed_at", changed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nobat_core::bot::records::{Cell, USERS};

    const NOW: UnixMillis = UnixMillis(1_000_000_000);
    const ME: UserId = UserId(42);

    /// What is noted of these events, one after the other.
    fn noted_of(events: &[Event]) -> (State, Vec<Row>) {
        let (mut state, mut rows) = (State::default(), Vec::new());
        for event in events {
            let before = state.clone();
            state.apply(event);
            noted(&Moment { at: NOW, user: ME, before: &before, event, after: &state }, &mut rows);
        }
        (state, rows)
    }

    fn paid(charge: &str, gave: Gave) -> Event {
        Event::Paid { charge: charge.into(), stars: 300, gave, at: NOW }
    }

    fn shown(row: &Row, columns: &[&str]) -> Vec<Cell> {
        columns.iter().map(|column| row.get(column).clone()).collect()
    }

    #[test]
    fn a_payment_told_twice_is_one_row_and_keeps_its_date() {
        let later = Event::Paid { charge: "c".into(), stars: 300, gave: Gave::Days(30), at: NOW.after(DAY) };
        let (_, rows) = noted_of(&[paid("c", Gave::Days(30)), later]);
        assert_eq!(rows.len(), 2);
        let wanted: [Cell; 4] = ["c".into(), 300u32.into(), "vip_days".into(), NOW.into()];
        assert_eq!(shown(&rows[0], &["charge", "stars", "gave", "paid_at"]), wanted);
        assert_eq!(shown(&rows[1], &["plan", "status"]), ["vip".into(), "active".into()]);
    }

    const DAY: core::time::Duration = core::time::Duration::from_secs(86_400);

    #[test]
    fn a_refund_ends_the_time_and_is_audited_once() {
        let refund = Event::Refunded { charge: "c".into(), at: NOW };
        let (state, rows) = noted_of(&[paid("c", Gave::Days(1)), refund.clone(), refund]);
        let actions: Vec<_> = rows.iter().filter(|row| row.table == &AUDIT).collect();
        assert_eq!(actions.len(), 1);
        let last = rows.iter().rfind(|row| row.table == &SUBSCRIPTIONS).expect("a row");
        assert_eq!(shown(last, &["status"]), ["ended".into()]);
        let payment = rows.iter().rfind(|row| row.table == &PAYMENTS).expect("a row");
        assert_eq!(shown(payment, &["refunded", "refunded_at"]), [true.into(), NOW.into()]);
        let mut out = Vec::new();
        remembered(ME, &state, &mut out);
        assert_eq!(shown(&out[0], &["charge", "refunded", "paid_at"]), ["c".into(), true.into(), Cell::Null]);
    }

    #[test]
    fn money_that_gave_nothing_and_bans_are_for_the_operator_to_see() {
        let until = NOW.after(DAY);
        let reported = Event::Reported { count: 5, since: NOW };
        let (_, rows) = noted_of(&[paid("x", Gave::Nothing), reported, Event::ShutOut { until }]);
        let actions: Vec<_> = rows.iter().map(|row| row.get("action").clone()).collect();
        let wanted: [Cell; 4] = [Cell::Null, "payment_unknown".into(), "reported".into(), "shut_out".into()];
        assert_eq!(actions, wanted);
    }

    #[test]
    fn what_administrators_do_and_what_was_not_counted_is_audited() {
        use super::super::{Ban, Change};
        let (_, rows) = noted_of(&[
            Event::Banned(Ban { until: NOW, why: "rude".into() }),
            Event::Unbanned,
            Event::Did(Change { by: UserId(9), at: NOW, what: "age_min = 18".into() }),
            Event::NotReferred { whom: UserId(7), why: Refused::Burst, at: NOW },
        ]);
        let audited = rows.iter().filter(|row| row.table == &AUDIT);
        let told: Vec<_> = audited.map(|row| shown(row, &["action", "detail"])).collect();
        let wanted: [[Cell; 2]; 4] = [
            ["banned".into(), "rude".into()],
            ["unbanned".into(), Cell::Null],
            ["administered".into(), "9: age_min = 18".into()],
            ["not_referred".into(), "7: burst".into()],
        ];
        assert_eq!(told, wanted.map(Vec::from));
    }

    #[test]
    fn a_referral_is_one_row_that_both_write_into_in_any_order() {
        let newcomer = [
            Event::Invited { by: UserId(7) },
            Event::InviteTold,
            paid("a", Gave::Days(1)),
            Event::Gave { charge: "a".into(), stars: 3000 },
            paid("b", Gave::Days(1)),
            Event::Gave { charge: "b".into(), stars: 500 },
            Event::Refunded { charge: "a".into(), at: NOW },
        ];
        let (newcomer, mut his) = noted_of(&newcomer);
        his.retain(|row| row.table == &REFERRALS);
        let columns =
            ["user_id", "by_user", "status", "reward_days", "reward_stars", "invited_at", "decided_at"];
        let counted = referral(ME, UserId(7)).with("status", "counted").with("reward_days", 3u32);
        let counted = counted.with("decided_at", NOW);
        let wanted: [Cell; 7] = [
            ME.into(),
            UserId(7).into(),
            "counted".into(),
            3u32.into(),
            500u32.into(),
            NOW.into(),
            NOW.into(),
        ];
        // He came first; what he pays may be known before or after the decision is.
        for place in 1..=his.len() {
            let mut rows = his.clone();
            rows.insert(place, counted.clone());
            let row = rows.into_iter().reduce(|mut row, later| {
                row.overwrite(later);
                row
            });
            assert_eq!(shown(&row.expect("rows"), &columns), wanted, "decided after {place} rows");
        }
        // Where frames are gone the states say the same, but for what nobody keeps.
        let (inviter, _) = noted_of(&[Event::NotReferred { whom: UserId(9), why: Refused::Ring, at: NOW }]);
        let mut out = Vec::new();
        remembered(ME, &newcomer, &mut out);
        remembered(UserId(7), &inviter, &mut out);
        out.retain(|row| row.table == &REFERRALS);
        let columns = ["user_id", "by_user", "status", "why", "reward_stars"];
        let rows: Vec<_> = out.iter().map(|row| shown(row, &columns)).collect();
        let wanted: [[Cell; 5]; 2] = [
            [ME.into(), UserId(7).into(), Cell::Null, Cell::Null, 500u32.into()],
            [UserId(9).into(), UserId(7).into(), "refused".into(), "ring".into(), Cell::Null],
        ];
        assert_eq!(rows, wanted.map(Vec::from));
    }

    #[test]
    fn the_inviter_writes_whom_he_got_what_for() {
        let (_, rows) = noted_of(&[
            Event::Referred { whom: UserId(9), at: NOW, days: 2 },
            Event::NotReferred { whom: UserId(10), why: Refused::Burst, at: NOW },
            Event::Referred { whom: UserId(0), at: NOW, days: 2 },
        ]);
        let rows = rows.iter().filter(|row| row.table == &REFERRALS);
        let told: Vec<_> =
            rows.map(|row| shown(row, &["user_id", "by_user", "status", "why", "reward_days"])).collect();
        let wanted: [[Cell; 5]; 2] = [
            [UserId(9).into(), ME.into(), "counted".into(), Cell::Null, 2u32.into()],
            [UserId(10).into(), ME.into(), "refused".into(), "burst".into(), Cell::Null],
        ];
        assert_eq!(told, wanted.map(Vec::from));
    }

    #[test]
    fn the_portrait_says_what_he_said_and_what_he_is_asked_next() {
        use super::super::texts::Language;
        let mut state = State::default();
        let row = |state: &State| {
            let mut row = Row::of(&USERS);
            portrait(state, &mut row);
            row
        };
        assert_eq!(row(&state).get("stage"), &"language".into());
        assert_eq!(row(&state).get("age"), &Cell::Null);
        state.apply(&Event::LanguageSet(Language::Persian));
        state.apply(&Event::GenderSet(Gender::Female));
        assert_eq!(row(&state).get("stage"), &"age".into());
        state.apply(&Event::AgeSet(20));
        let wanted: [Cell; 4] = ["ready".into(), "fa".into(), "female".into(), 20u32.into()];
        assert_eq!(shown(&row(&state), &["stage", "language", "gender", "age"]), wanted);
    }
}
