//! The table itself: [`TABLE`] and its words. The reasons are in the doc of [`super`].

/// What stands where frame `s` is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Frame `s`, whole.
    Frame,
    /// A whole frame of this segment that cannot stand here: another sequence, durable before it was
    /// written, durable less far than an earlier one, behind a seal, or of an unknown kind.
    Misplaced,
    /// Zeros or the end of the file.
    Empty,
    /// Anything else: torn, damaged, or left from the file's earlier life.
    Bad,
}

/// What stands behind it in the same segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behind {
    /// Zeros to the end.
    Nothing,
    /// Bytes, but no frame of this segment.
    Bytes,
    /// Frames, none of which says that `s` was durable.
    Unsynced,
    /// A frame that says that `s` was durable.
    Witness,
}

/// Where the place is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A later segment exists and begins after `s`.
    Inside,
    /// A later segment exists and begins with `s`.
    Border,
    /// In the last segment.
    Last,
}

/// What recovery does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The frame counts.
    Keep,
    /// The segment ends before this place; nothing is lost and nothing is wrong.
    End,
    /// The log ends before this place; what stands here and behind was never promised to anyone.
    Cut,
    /// Something that was promised is damaged. Do not start; say where.
    Refuse,
}

/// One line of the table. `None` fits everything.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name in tests and messages.
    pub label: &'static str,
    /// What stands there.
    pub seen: Option<&'static [Seen]>,
    /// What stands behind.
    pub behind: Option<&'static [Behind]>,
    /// Where.
    pub place: &'static [Place],
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub why: &'static str,
}

/// The table. Exactly one line fits each combination; a test counts them.
pub const TABLE: [Case; 9] = {
    use {Behind as B, Place as P, Seen as S, Verdict as V};
    const FLAWED: Option<&[Seen]> = Some(&[Seen::Empty, Seen::Bad]);
    const LAST: &[Place] = &[Place::Last];
    const AWAY: &[Place] = &[Place::Inside, Place::Last];
    [
        case("@A", Some(&[S::Frame]), None, AWAY, V::Keep, "the next frame, whole"),
        case("@B", None, None, &[P::Border], V::End, "the next segment begins here and supersedes the rest"),
        case(
            "@C",
            Some(&[S::Misplaced]),
            None,
            AWAY,
            V::Refuse,
            "a whole frame where none like it was written",
        ),
        case("@D", FLAWED, None, &[P::Inside], V::Refuse, "it was durable when the next segment was begun"),
        case("@E", Some(&[S::Empty]), Some(&[B::Nothing]), LAST, V::End, "the log ends here"),
        case("@F", Some(&[S::Bad]), Some(&[B::Nothing, B::Bytes]), LAST, V::Cut, "a torn or recycled tail"),
        case(
            "@G",
            Some(&[S::Empty]),
            Some(&[B::Bytes]),
            LAST,
            V::Cut,
            "a torn tail that lacks its first page",
        ),
        case("@H", FLAWED, Some(&[B::Unsynced]), LAST, V::Cut, "a torn tail whose pages came out of order"),
        case("@I", FLAWED, Some(&[B::Witness]), LAST, V::Refuse, "a later frame says that it was durable"),
    ]
};

const fn case(
    label: &'static str,
    seen: Option<&'static [Seen]>,
    behind: Option<&'static [Behind]>,
    place: &'static [Place],
    verdict: Verdict,
    why: &'static str,
) -> Case {
    Case { label, seen, behind, place, verdict, why }
}

/// The line of the table that fits.
#[must_use]
pub fn judge(seen: Seen, behind: Behind, place: Place) -> &'static Case {
    TABLE.iter().find(|case| case.fits(seen, behind, place)).unwrap_or(&TABLE[2])
}

impl Case {
    pub(super) fn fits(&self, seen: Seen, behind: Behind, place: Place) -> bool {
        self.seen.is_none_or(|s| s.contains(&seen))
            && self.behind.is_none_or(|b| b.contains(&behind))
            && self.place.contains(&place)
    }
}
