//! The one hash whose values are durable or travel: questions, secret codes, buttons.
//!
//! FNV-1a with 64 bits over length-prefixed parts, then the finalizer of MurmurHash3, so that it may never
//! change with a library. It hides nothing: a short code can be guessed from its hash. It only keeps codes
//! from standing in the journal in plain sight, and equal questions equal.

use super::dataset::ExamNumber;
use crate::text::fold_word;

/// Of the parts in order. The same on every machine, for ever.
#[must_use]
pub fn stable_hash(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for part in parts {
        (part.len() as u64).to_le_bytes().into_iter().for_each(&mut eat);
        part.iter().copied().for_each(&mut eat);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// The fingerprint of a pupil's secret code, whatever its digits' script and its letters' case; `None` if
/// the code is empty. The number goes in, so that equal codes of two pupils do not look equal.
#[must_use]
pub fn code_hash(number: ExamNumber, code: &str) -> Option<u64> {
    let code = fold_word(code);
    (!code.is_empty()).then(|| stable_hash(&[b"code", &number.value().to_le_bytes(), code.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_same_for_ever() {
        assert_eq!(stable_hash(&[]), 0xefd0_1f60_ba99_2926);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(stable_hash(&[b"ab", b"c"]), stable_hash(&[b"a", b"bc"]));
    }

    #[test]
    fn a_code_is_the_same_in_every_script_and_case_and_another_for_another_pupil() {
        let number = |s| ExamNumber::parse(s).unwrap();
        assert_eq!(code_hash(number("12"), " Ab-12 "), code_hash(number("012"), "aB١٢"));
        assert_ne!(code_hash(number("12"), "77"), code_hash(number("13"), "77"));
        assert_eq!(code_hash(number("12"), " \u{200f}-"), None);
    }
}
