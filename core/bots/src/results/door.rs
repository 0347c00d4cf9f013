//! The only way to a pupil's marks.
//!
//! [`Entitled`] can be made in this file alone, by comparing what was asked with the record that was found,
//! and the card is made of an [`Entitled`] alone. A wrong index, a stale row number or a mixed-up envelope
//! can therefore end in a refusal, but not in somebody else's card.

use super::button::tag;
use super::dataset::{Dataset, ExamNumber, Identifiers, NameSearch, Student};
use nobat_core::id::UserId;

/// A pupil whose marks may be shown, and the number by which they were asked for.
pub(super) struct Entitled<'a> {
    student: Student<'a>,
    number: ExamNumber,
}

impl<'a> Entitled<'a> {
    pub(super) const fn student(&self) -> &Student<'a> {
        &self.student
    }

    /// The number that was asked for, with the zeros of the list.
    pub(super) const fn number(&self) -> ExamNumber {
        self.number
    }
}

/// Whom `number` and `code` entitle to see: the record that bears exactly this number, if the code is his
/// where the data set requires one.
pub(super) fn by_number(set: &Dataset, number: ExamNumber, code: Option<u64>) -> Option<Entitled<'_>> {
    let student = set.by_number(number)?;
    let found = student.number()?;
    let code_fits = match set.schema().identifiers {
        Identifiers::Number => true,
        Identifiers::NumberAndCode => code.is_some() && student.code_hash() == code,
    };
    (found.value() == number.value() && code_fits).then_some(Entitled { student, number: found })
}

/// Whether this data set shows marks for a name.
pub(super) fn opens_by_name(set: &Dataset) -> bool {
    set.schema().names == NameSearch::Full && set.schema().identifiers == Identifiers::Number
}

/// Whom `user` chose from a list of names, where names entitle: the record that still bears the number and the
/// name that the button was made of.
pub(super) fn by_choice(
    set: &Dataset,
    user: UserId,
    number: ExamNumber,
    choice: u64,
) -> Option<Entitled<'_>> {
    if !opens_by_name(set) {
        return None;
    }
    let student = set.by_number(number)?;
    let found = student.number()?;
    let fits = found.value() == number.value() && tag(user, &student) == choice;
    fits.then_some(Entitled { student, number: found })
}
