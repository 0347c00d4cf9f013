//! Whether a card is true: everything on it is that of the pupil whose number it bears.

use crate::auditor::reading::{Card, fold};
use crate::dataset::{Pupil, Truth};

/// What is wrong with the card, in words.
pub(super) fn is_true(card: &Card, truth: &Truth) -> Result<(), String> {
    let number = card.number;
    let Some(pupil) = truth.find(number) else {
        return Err(format!("a card of number {number}, which nobody has"));
    };
    if let Some(other) = card.others.first() {
        return Err(format!("the card of number {number} holds that of {other} as well"));
    }
    let marks: Vec<u32> = pupil.marks.iter().map(|&mark| u32::from(mark)).collect();
    if card.marks != marks {
        return Err(format!("number {number}: marks {:?} instead of {marks:?}", card.marks));
    }
    if fold(&card.name) != fold(&pupil.name()) {
        return Err(format!("number {number}: the name of another pupil"));
    }
    if card.total != Some(pupil.total()) {
        return Err(format!("number {number}: total {:?} instead of {}", card.total, pupil.total()));
    }
    for ((shown, wanted), what) in
        card.about.iter().zip(about(pupil)).zip(["school", "governorate", "average", "result"])
    {
        match shown {
            Some(shown) if said(shown) == said(&wanted) => {}
            Some(shown) => return Err(format!("number {number}: {what} {shown} instead of {wanted}")),
            None => return Err(format!("number {number}: no {what}")),
        }
    }
    Ok(())
}

/// One spelling of many; `83.50` is `83.5`.
fn said(value: &str) -> String {
    match value.split_once('.') {
        Some((_, tenths)) if tenths.bytes().all(|b| b.is_ascii_digit()) => {
            value.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => fold(value),
    }
}

/// In the order of [`crate::auditor::reading::ABOUT`].
fn about(pupil: &Pupil) -> [String; 4] {
    [pupil.school(), pupil.governorate().to_owned(), pupil.average(), pupil.status().to_owned()]
}
