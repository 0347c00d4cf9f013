//! What was handed on: to the partner, once, in order, and to nobody else.

use std::collections::HashMap;

use super::record::{Deed, Gist};
use super::story::{Stories, Story};
use crate::auditor::{Answer, Audit, Check};

/// Of what was handed on: its place in the record's deeds, and in its messages.
pub(super) type Relayed = HashMap<usize, usize>;

/// Judges every message that is somebody else's.
pub(super) fn judge(stories: &Stories<'_>, audit: &mut Audit) -> Relayed {
    let mut relayed = Relayed::new();
    for story in stories.of.values() {
        // What each of his partners last said to him, by chat.
        let mut last: HashMap<u64, usize> = HashMap::new();
        for (&nth, during) in story.got.iter().zip(&story.during) {
            let got = stories.got(nth);
            let done = match got.gist {
                Gist::From(done) => done,
                Gist::Unknown => {
                    audit.find(Check::WrongPartner, got.at, story.user, || {
                        "a copy of something that nobody sent".to_owned()
                    });
                    continue;
                }
                _ => continue,
            };
            if story.copies.contains(&nth) {
                continue;
            }
            let author = stories.done(done).user;
            let key = during.map(|spell| story.spells[spell].key);
            if let Some(what) = stranger(stories, story, key, done) {
                audit.find(Check::WrongPartner, got.at, story.user, || {
                    format!("a message of {author}: {what}")
                });
                relayed.entry(done).or_insert(nth);
                continue;
            }
            if relayed.contains_key(&done) {
                audit.find(Check::Repeated, got.at, story.user, || {
                    format!("a message of {author} came twice")
                });
                continue;
            }
            relayed.insert(done, nth);
            let key = key.unwrap_or_default();
            if last.get(&key).is_some_and(|last| *last > done) {
                audit.find(Check::Disorder, got.at, story.user, || {
                    format!("a message of {author} came after one that he said later")
                });
            }
            last.insert(key, last.get(&key).copied().unwrap_or(0).max(done));
        }
    }
    let mut by_time: Vec<_> = relayed.iter().map(|(done, got)| (*done, *got)).collect();
    by_time.sort_unstable();
    audit.answers.extend(by_time.into_iter().map(|(done, got)| answer(stories, done, got)));
    relayed
}

/// Why this user must not get this message; nothing if he may.
fn stranger(stories: &Stories<'_>, story: &Story, key: Option<u64>, done: usize) -> Option<String> {
    let deed = stories.done(done);
    if !matches!(deed.deed, Deed::Said | Deed::Shown) {
        return Some("it was not meant for anybody".to_owned());
    }
    if deed.user == story.user {
        return Some("his own".to_owned());
    }
    let Some(key) = key else { return Some("he is in no chat".to_owned()) };
    match stories.partner(key, story.user) {
        Some((partner, _)) if partner == deed.user => {}
        Some((partner, _)) => return Some(format!("his partner is {partner}")),
        None => return Some("nobody is his partner".to_owned()),
    }
    // Numbers of one chat, so no matter when a bot was told of which: a press overtakes a message on its way, and what
    // was said before the press must not reach whom it brought.
    let spell = stories.of.get(&deed.user)?.spells.iter().find(|spell| spell.key == key)?;
    (deed.message < spell.message).then(|| "he said it before he was told of this partner".to_owned())
}

fn answer(stories: &Stories<'_>, done: usize, got: usize) -> Answer {
    let (deed, got) = (stories.done(done), stories.got(got));
    Answer {
        planned_at: deed.planned_at,
        delivered_at: stories.known_at(done).unwrap_or(deed.planned_at),
        acknowledged_at: stories.settled_at(done),
        accepted_at: got.at,
        bot: got.bot,
        user: deed.user,
        own: true,
    }
}
