//! What a button carries: 1 to 64 bytes of plain ASCII that come back when it is pressed.
//!
//! The platform hands back whatever a client sends, so nothing in it is believed: the user is compared
//! with who pressed, and a choice carries a tag over user, number and name, which can be computed only by
//! one who knows all three. A choice that shows no marks carries a place in the list and nothing of the record:
//! whoever reads his client's traffic would find the number in it, which is what the marks are asked for by.

use super::dataset::{ExamNumber, Student};
use super::hash::stable_hash;
use super::texts::Language;
use nobat_core::id::UserId;

/// A pressed button, read but not yet believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Button {
    /// Speak this language.
    Language(Language),
    /// It is this one, and his marks are shown for it.
    Choose { user: UserId, number: ExamNumber, tag: u64 },
    /// It is the one with this place in the search with this hash; nothing is shown but what the list shows.
    Nth { user: UserId, nth: u8, search: u64 },
    /// Another page of the search with this hash.
    Page { user: UserId, page: u8, search: u64 },
}

/// Proves that `user` was shown a button for this student: over the user, the number and the name.
pub(super) fn tag(user: UserId, student: &Student<'_>) -> u64 {
    let number = student.number().map_or(0, ExamNumber::value);
    stable_hash(&[b"chosen", &user.0.to_le_bytes(), &number.to_le_bytes(), student.name().as_bytes()])
}

impl Button {
    pub(super) fn data(self) -> String {
        match self {
            Self::Language(language) => format!("l:{}", language.tag()),
            Self::Choose { user, number, tag } => format!("c:{:x}:{:x}:{tag:x}", user.0, number.packed()),
            Self::Nth { user, nth, search } => format!("n:{:x}:{nth}:{search:x}", user.0),
            Self::Page { user, page, search } => format!("p:{:x}:{page}:{search:x}", user.0),
        }
    }

    pub(super) fn read(data: &str) -> Option<Self> {
        let mut parts = data.split(':');
        let hex = |part: Option<&str>| u64::from_str_radix(part?, 16).ok();
        let button = match parts.next()? {
            "l" => Self::Language(Language::from_tag(parts.next()?)?),
            "c" => Self::Choose {
                user: UserId(hex(parts.next())?),
                number: ExamNumber::from_packed(hex(parts.next())?)?,
                tag: hex(parts.next())?,
            },
            "n" => Self::Nth {
                user: UserId(hex(parts.next())?),
                nth: parts.next()?.parse().ok()?,
                search: hex(parts.next())?,
            },
            "p" => Self::Page {
                user: UserId(hex(parts.next())?),
                page: parts.next()?.parse().ok()?,
                search: hex(parts.next())?,
            },
            _ => return None,
        };
        parts.next().is_none().then_some(button)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn buttons_survive_and_fit_64_bytes(user: u64, digits in "[0-9]{1,18}", tag: u64, page: u8) {
            let Some(number) = ExamNumber::parse(&digits) else { return Ok(()) };
            let user = UserId(user);
            for button in [
                Button::Choose { user, number, tag },
                Button::Page { user, page, search: tag },
                Button::Nth { user, nth: page, search: tag },
                Button::Language(Language::English),
            ] {
                let data = button.data();
                prop_assert!((1..=64).contains(&data.len()));
                prop_assert_eq!(Button::read(&data), Some(button));
            }
        }

        #[test]
        fn any_data_is_read_without_a_panic(data: String, tail in "[clnp]:[0-9a-fz:+-]{0,60}") {
            let _ = (Button::read(&data), Button::read(&tail));
        }
    }
}
