//! The code in a referral's link: a user's number, which a stranger must not read off it.
//!
//! A Feistel network of four rounds over 64 bits (M. Luby, C. Rackoff: "How to construct pseudorandom
//! permutations", 1988) with the operator's key, written in base 36. Numbers have 52 bits, so 12 bits of a
//! forged code would have to be zero by chance. It hides, it does not protect money: who guesses a code
//! gives somebody else a referral.

use nobat_core::id::UserId;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Bits of a user's number, at most.
const USER_BITS: u32 = 52;
/// Digits of 64 bits.
const LENGTH: usize = 13;

/// A well mixed function of a half and the key: the finalizer of SplitMix64 (G. Steele and others, 2014).
const fn mixed(half: u32, key: u64, round: u64) -> u32 {
    let mut x = (half as u64) ^ key.rotate_left(16 * round as u32) ^ (round << 40);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

/// The code of a user.
pub(super) fn write(user: UserId, key: u64) -> String {
    let (mut left, mut right) = ((user.0 >> 32) as u32, user.0 as u32);
    for round in 0..4 {
        (left, right) = (right, left ^ mixed(right, key, round));
    }
    let mut n = u64::from(left) << 32 | u64::from(right);
    let mut digits = [b'0'; LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(n % 36) as usize];
        n /= 36;
    }
    digits.into_iter().map(char::from).collect()
}

/// Whose code it is; none if it is nobody's.
pub(super) fn read(code: &str, key: u64) -> Option<UserId> {
    if code.len() != LENGTH {
        return None;
    }
    let digit = |byte| DIGITS.iter().position(|digit| *digit == byte);
    let add = |n: u64, byte| n.checked_mul(36)?.checked_add(digit(byte)? as u64);
    let n = code.bytes().try_fold(0, add)?;
    let (mut left, mut right) = ((n >> 32) as u32, n as u32);
    for round in (0..4).rev() {
        (left, right) = (right ^ mixed(left, key, round), left);
    }
    let user = u64::from(left) << 32 | u64::from(right);
    (user != 0 && user >> USER_BITS == 0).then_some(UserId(user))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_is_read_back_by_its_own_key_alone(user in 1u64..1 << 52, key: u64, other: u64) {
            let code = write(UserId(user), key);
            prop_assert!(code.len() == 13 && code.bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert_eq!(read(&code, key), Some(UserId(user)));
            if key != other {
                prop_assert_ne!(read(&code, other), Some(UserId(user)));
            }
        }

        #[test]
        fn any_code_is_read_without_a_panic(code: String, letters in "[0-9a-z]{13}", key: u64) {
            let _ = (read(&code, key), read(&letters, key));
        }
    }

    #[test]
    fn a_made_up_code_is_hardly_ever_somebodys() {
        let found = (0..4_096u64).filter(|n| read(&write(UserId(n << 52 | 1), 7), 7).is_some()).count();
        assert_eq!(found, 1, "all but the first have more bits than a user");
    }
}
