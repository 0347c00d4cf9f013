//! Exam numbers: digits with their leading zeros.

use core::fmt;

/// An exam number: 1 to 18 decimal digits, of which at most 15 are leading zeros.
///
/// Two numbers are the same pupil's if their *values* are equal: spreadsheets lose leading zeros, pupils
/// leave them out, and `import` refuses a list in which two pupils differ by nothing else. The zeros are
/// kept to be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExamNumber(u64);

/// Digits of an exam number, at most: what fits 60 bits.
pub const DIGITS_MAX: usize = 18;
/// Leading zeros, at most: what fits 4 bits.
const ZEROS_MAX: usize = 15;

impl ExamNumber {
    /// From ASCII digits and nothing else; `None` if they are too many or too few.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let bytes = digits.as_bytes();
        if bytes.is_empty() || bytes.len() > DIGITS_MAX || !bytes.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = bytes.iter().fold(0u64, |v, b| v * 10 + u64::from(b - b'0'));
        // The last digit of 000 is not a leading zero: it is the number.
        let zeros = bytes[..bytes.len() - 1].iter().take_while(|b| **b == b'0').count();
        (zeros <= ZEROS_MAX).then_some(Self(value << 4 | zeros as u64))
    }

    /// What decides whose it is: the number without its leading zeros.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0 >> 4
    }

    /// `{ value: 60 bits, leading zeros: 4 bits }`; rises with the value.
    pub(in crate::results) const fn packed(self) -> u64 {
        self.0
    }

    /// From [`ExamNumber::packed`]; `None` if the value has more than 18 digits with its zeros.
    pub(in crate::results) fn from_packed(packed: u64) -> Option<Self> {
        let number = Self(packed);
        let digits = number.value().checked_ilog10().unwrap_or(0) as usize + 1;
        (digits + (packed & 15) as usize <= DIGITS_MAX).then_some(number)
    }
}

impl fmt::Display for ExamNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..self.0 & 15 {
            f.write_str("0")?;
        }
        write!(f, "{}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_one_to_eighteen_digits() {
        for bad in ["", "1234567890123456789", "12a", "-1", "+1", "١٢", "0000000000000000012"] {
            assert_eq!(ExamNumber::parse(bad), None, "{bad}");
        }
        assert_eq!(ExamNumber::parse("000").unwrap().to_string(), "000");
        assert_eq!(ExamNumber::parse("0042").unwrap().value(), 42);
    }

    proptest! {
        #[test]
        fn a_number_is_shown_as_it_was_written(digits in "0{0,3}[1-9][0-9]{0,14}") {
            let number = ExamNumber::parse(&digits).unwrap();
            prop_assert_eq!(number.to_string(), digits);
            prop_assert_eq!(ExamNumber::from_packed(number.packed()), Some(number));
        }

        #[test]
        fn numbers_rise_with_their_value(a in 0u64..1_000_000_000_000_000, b in 0u64..1_000_000_000_000_000) {
            let of = |v: u64| ExamNumber::parse(&v.to_string()).unwrap().packed();
            prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
        }
    }
}
