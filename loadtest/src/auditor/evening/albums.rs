//! Albums that are not handed on.
//!
//! The platform tells of each part of an album by itself, and of two parts at the same time. A bot that does not hand
//! an album on may say so once, by whichever part came first, or of each part. Only what a bot may refuse is excused by
//! another part's word: between two people of one bot every part must arrive.

use super::record::Gist;
use super::replies::Answers;
use super::story::{Stories, Story};
use crate::student::evening::reading::Saying;
use crate::wire::At;

/// The parts of the album of which this is one, itself among them; none if it is no part of an album.
fn parts<'a>(
    stories: &'a Stories<'_>,
    story: &'a Story,
    nth: usize,
) -> impl Iterator<Item = usize> + use<'a> {
    let albums = &stories.record.albums;
    let album = albums.get(&nth);
    story.done.iter().copied().filter(move |other| album.is_some() && albums.get(other) == album)
}

/// From here on the bot may know of any part of the album of which this is one.
pub(super) fn known_at(stories: &Stories<'_>, story: &Story, nth: usize) -> Option<At> {
    parts(stories, story, nth).filter_map(|part| stories.known_at(part)).min()
}

/// Whether another part of its album was refused with a word.
pub(super) fn was_refused(stories: &Stories<'_>, story: &Story, nth: usize, answers: &Answers) -> bool {
    parts(stories, story, nth)
        .filter_map(|part| answers.get(&part))
        .any(|got| stories.got(*got).gist == Gist::Notice(Saying::NotSent))
}

/// Whether a bot may refuse this, by what its author knew: his partner is at another bot, whose files are its own, or
/// he wrote it before he was told of this partner, or elsewhere.
pub(super) fn may_be_refused(stories: &Stories<'_>, story: &Story, nth: usize) -> bool {
    let done = stories.done(nth);
    let Some(spell) = story.believed(done.queued_at) else { return true };
    let Some((partner, theirs)) = stories.partner(spell.key, story.user) else { return true };
    let theirs = stories.of.get(&partner).and_then(|partner| partner.spells.get(theirs));
    done.message < spell.message
        || [Some(spell), theirs].into_iter().flatten().any(|half| half.bot != done.bot)
}

#[cfg(test)]
mod tests;
