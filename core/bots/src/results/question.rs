//! What a pupil asks: his words as a question, and the question as a hash.

use super::dataset::{ExamNumber, Identifiers, NameSearch, Schema};
use super::hash::{code_hash, stable_hash};
use crate::text::{ascii_digits, bidi::strip_controls, tokens};

/// Characters of a message that count; what is behind them is not read.
const CHARS_READ: usize = 256;
/// Characters of a name that is searched for, at most.
pub(super) const NAME_CHARS_MAX: usize = 100;
/// Words of a name that is searched for, at least: one word alone fits thousands.
const NAME_WORDS_MIN: usize = 2;

/// A message, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// The marks of this number, and the fingerprint of the code that came with it.
    Number(ExamNumber, Option<u64>),
    /// Who has this name.
    Name(String),
    /// A number without the code that is required.
    NoCode,
    /// Nothing that the bot understands.
    Unclear,
}

/// What may be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// What goes with a number; `None` as long as there is no data set: a code is taken if there is one.
    pub identifiers: Option<Identifiers>,
    /// Names are understood.
    pub names: bool,
}

impl Rules {
    /// Of a data set, or of none.
    #[must_use]
    pub fn of(schema: Option<&Schema>) -> Self {
        Self {
            identifiers: schema.map(|s| s.identifiers),
            names: schema.is_some_and(|s| s.names != NameSearch::Off),
        }
    }
}

impl Question {
    /// Reads a message. O(its first 256 characters).
    #[must_use]
    pub fn of(text: &str, rules: Rules) -> Self {
        let end = text.char_indices().nth(CHARS_READ).map_or(text.len(), |(at, _)| at);
        let text = ascii_digits(&strip_controls(&text[..end]));
        let runs: Vec<(usize, &str)> = digit_runs(&text).collect();
        match (runs.as_slice(), rules.identifiers) {
            ([], _) => Self::name(&text, rules),
            ([(at, run), ..], Some(Identifiers::NumberAndCode)) => {
                Self::number_and_code(run, &text[at + run.len()..])
            }
            ([(_, run)], _) => ExamNumber::parse(run).map_or(Self::Unclear, |n| Self::Number(n, None)),
            ([(_, run), (_, code)], None) => match ExamNumber::parse(run) {
                Some(number) => Self::Number(number, code_hash(number, code)),
                None => Self::Unclear,
            },
            _ => Self::Unclear,
        }
    }

    /// The code is the one word behind the number, or the one word with a digit among several.
    fn number_and_code(run: &str, rest: &str) -> Self {
        let Some(number) = ExamNumber::parse(run) else { return Self::Unclear };
        let part = |c: char| !c.is_alphanumeric();
        let words: Vec<&str> = rest.split(part).filter(|w| !w.is_empty()).collect();
        let with_digits: Vec<&str> =
            words.iter().copied().filter(|w| w.contains(|c: char| c.is_ascii_digit())).collect();
        match (words.as_slice(), with_digits.as_slice()) {
            ([], _) => Self::NoCode,
            ([code], _) | (_, [code]) => Self::Number(number, code_hash(number, code)),
            _ => Self::Unclear,
        }
    }

    fn name(text: &str, rules: Rules) -> Self {
        if !rules.names || tokens(text).len() < NAME_WORDS_MIN {
            return Self::Unclear;
        }
        Self::Name(text.chars().take(NAME_CHARS_MAX).collect())
    }

    /// Equal for equal questions, never 0.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let hash = match self {
            Self::Number(number, code) => {
                let code = code.map_or([0; 8], u64::to_le_bytes);
                stable_hash(&[b"number", &number.value().to_le_bytes(), &code])
            }
            Self::Name(name) => {
                let keys: Vec<String> = tokens(name).into_iter().map(|t| t.key).collect();
                stable_hash(&[b"name", keys.join(" ").as_bytes()])
            }
            Self::NoCode | Self::Unclear => stable_hash(&[b"unclear"]),
        };
        hash.max(1)
    }
}

/// The maximal runs of ASCII digits with their byte offsets.
fn digit_runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .map(move |run| (run.as_ptr() as usize - start, run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NUMBER: Rules = Rules { identifiers: Some(Identifiers::Number), names: false };
    const NAMES: Rules = Rules { names: true, ..NUMBER };
    const CODE: Rules = Rules { identifiers: Some(Identifiers::NumberAndCode), names: false };
    const UNKNOWN: Rules = Rules { identifiers: None, names: false };

    fn number(digits: &str, code: Option<&str>) -> Question {
        let number = ExamNumber::parse(digits).unwrap();
        Question::Number(number, code.and_then(|c| code_hash(number, c)))
    }

    #[test]
    fn a_number_is_found_in_what_pupils_write() {
        for text in ["1234567", "١٢٣٤٥٦٧", "۱۲۳۴۵۶۷", " \u{200f}1234567\n", "رقمي الامتحاني: 1234567 شكرا"]
        {
            assert_eq!(Question::of(text, NUMBER), number("1234567", None), "{text}");
        }
        for text in ["1234567 7654321", "نتيجتي", "", "12.5", "1234567890123456789", "👍"] {
            assert_eq!(Question::of(text, NUMBER), Question::Unclear, "{text}");
        }
    }

    #[test]
    fn a_code_goes_with_the_number_where_it_is_required() {
        for text in ["1234567 AB12", "١٢٣٤٥٦٧ - ab12", "1234567\nAB12", "الرقم 1234567 والرمز AB12"]
        {
            assert_eq!(Question::of(text, CODE), number("1234567", Some("AB12")), "{text}");
        }
        assert_eq!(Question::of("1234567", CODE), Question::NoCode);
        assert_eq!(Question::of("1234567 12 13", CODE), Question::Unclear);
        // As long as nobody knows what is required, a code is kept for the moment of release.
        assert_eq!(Question::of("1234567 99", UNKNOWN), number("1234567", Some("99")));
        assert_eq!(Question::of("1234567", UNKNOWN), number("1234567", None));
    }

    #[test]
    fn names_are_understood_only_where_they_may_be() {
        assert_eq!(Question::of("علي كاظم", NUMBER), Question::Unclear);
        assert_eq!(Question::of("علي", NAMES), Question::Unclear);
        assert_eq!(Question::of("علي  كاظم", NAMES), Question::Name("علي كاظم".into()));
        assert_eq!(Question::of("علي كاظم 1234567", NAMES), number("1234567", None));
    }

    #[test]
    fn the_same_question_in_another_spelling_has_the_same_hash() {
        let hash = |text| Question::of(text, NAMES).hash();
        assert_eq!(hash("1234567"), hash("رقمي ٠١٢٣٤٥٦٧"));
        assert_eq!(hash("علي عبد الله"), hash("عَلي  عبدالله"));
        assert_ne!(hash("1234567"), hash("1234568"));
    }

    proptest! {
        #[test]
        fn any_message_is_read_without_a_panic(text: String, n in 0usize..4) {
            let _ = Question::of(&text, [NUMBER, NAMES, CODE, UNKNOWN][n]).hash();
        }
    }
}
