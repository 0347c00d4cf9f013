//! Payments: each booked once, taken back once, and what a user has is what he paid for.

use std::collections::HashMap;

use super::record::{Deed, Gist, Goods};
use super::replies::Answers;
use super::story::{Stories, Story};
use crate::auditor::{Audit, Check};
use crate::student::evening::label::Label;
use crate::student::evening::reading::Saying;

/// Follows each user's purse through everything that he was told of it.
pub(super) fn judge(stories: &Stories<'_>, answers: &Answers, audit: &mut Audit) {
    let caused: HashMap<usize, usize> = answers.iter().map(|(done, got)| (*got, *done)).collect();
    for story in stories.of.values() {
        follow(stories, story, &caused, audit);
    }
}

fn follow(stories: &Stories<'_>, story: &Story, caused: &HashMap<usize, usize>, audit: &mut Audit) {
    let (mut credits, mut days) = (0u32, 0u32);
    let mut bought: HashMap<&str, Goods> = HashMap::new();
    for nth in &story.got {
        let got = stories.got(*nth);
        let Gist::Notice(saying) = got.gist else { continue };
        let deed = caused.get(nth).map(|done| &stories.done(*done).deed);
        match (saying, deed) {
            (Saying::PaidCredits { .. } | Saying::PaidDays { .. }, Some(Deed::Paid { charge, goods })) => {
                bought.extend(goods.map(|goods| (&**charge, goods)));
                match goods {
                    Some(Goods::Credits(more)) => credits += more,
                    Some(Goods::Days(more)) => days += more,
                    None => {}
                }
            }
            (Saying::Refunded, Some(Deed::Refunded { charge })) => match bought.remove(&**charge) {
                Some(Goods::Credits(less)) => credits = credits.saturating_sub(less),
                Some(Goods::Days(less)) => days = days.saturating_sub(less),
                None => {}
            },
            (
                Saying::LockedSelf { .. },
                Some(Deed::Pressed { label: Some(Label::LockFor { credits: cost, .. }), .. }),
            ) => {
                credits = credits.saturating_sub(*cost);
            }
            (Saying::PaidNothing, _) => audit.find(Check::Money, got.at, story.user, || {
                "paid for what is sold, and was told that it is not".to_owned()
            }),
            _ => {}
        }
        let told = match saying {
            Saying::PaidCredits { credits }
            | Saying::LockedSelf { credits, .. }
            | Saying::LockAsk { credits }
            | Saying::LockPoor { credits } => Some((credits, "credits")),
            Saying::PaidDays { days } | Saying::VipOwn { days } => Some((days, "days")),
            _ => None,
        };
        let Some((told, what)) = told else { continue };
        let has = if what == "credits" { credits } else { days };
        if told != has {
            audit.find(Check::Money, got.at, story.user, || {
                format!("was told that he has {told} {what}, and paid for {has}")
            });
            // Not told again of the same difference.
            if what == "credits" { credits = told } else { days = told }
        }
    }
}
