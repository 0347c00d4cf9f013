//! Locks: who is kept in a chat neither leaves it nor skips it before its time; both are told.

use std::time::Duration;

use super::record::{Deed, Gist};
use super::story::{End, Stories};
use crate::auditor::{Audit, Check};
use crate::student::evening::label::Label;
use crate::student::evening::reading::Saying;

const MINUTE: Duration = Duration::from_secs(60);

/// Judges every lock that somebody was told of.
pub(super) fn judge(stories: &Stories<'_>, audit: &mut Audit) {
    for story in stories.of.values() {
        for (&nth, during) in story.got.iter().zip(&story.during) {
            let got = stories.got(nth);
            let Some(spell) = during.map(|spell| &story.spells[spell]) else { continue };
            let Some((partner, _)) = stories.partner(spell.key, story.user) else { continue };
            let partner = stories.of.get(&partner);
            match got.gist {
                Gist::Notice(Saying::LockedSelf { .. }) => {
                    // His partner must hear of it, unless he has gone.
                    let told = partner.is_none_or(|partner| {
                        let theirs = partner.spells.iter().find(|other| other.key == spell.key);
                        let gone = theirs.is_some_and(|theirs| {
                            theirs.end.is_some_and(|(at, how)| how == End::BlockedBot || at <= got.at)
                        });
                        let hears = partner.got.iter().zip(&partner.during).any(|(&other, during)| {
                            matches!(stories.got(other).gist, Gist::Notice(Saying::LockedPartner { .. }))
                                && during.is_some_and(|during| partner.spells[during].key == spell.key)
                        });
                        hears || gone
                    });
                    if !told {
                        audit.find(Check::LockIgnored, got.at, story.user, || {
                            "has locked his chat, and his partner was not told".to_owned()
                        });
                    }
                }
                Gist::Notice(Saying::LockedPartner { minutes }) => {
                    let Some((ended, End::Told(Saying::LeftSelf | Saying::LeftNext))) = spell.end else {
                        continue;
                    };
                    // The lock began when his partner's press was known at the earliest.
                    let pressed = partner.and_then(|partner| {
                        let known = partner.done.iter().filter(|nth| {
                            let label = match stories.done(**nth).deed {
                                Deed::Pressed { label, .. } => label,
                                _ => None,
                            };
                            matches!(label, Some(Label::LockFor { .. }))
                        });
                        known.filter_map(|nth| stories.known_at(*nth)).rfind(|known| *known <= got.at)
                    });
                    let until = pressed.unwrap_or(got.at) + MINUTE * minutes;
                    if got.at < ended && ended < until {
                        audit.find(Check::LockIgnored, ended, story.user, || {
                            format!("has left a chat that was locked for {minutes} minutes")
                        });
                    }
                }
                _ => {}
            }
        }
    }
}
