//! Sealed records: bytes that only the holder of a key can read or change.
//!
//! What lives here: [`Key`], [`seal`] and [`open`], and the total decoder [`Sealed`]. XChaCha20-Poly1305 by the
//! `chacha20poly1305` crate; the nonce of 24 bytes is random, so that it is never used twice. The context (a secret's
//! name) is bound to the record: one that is moved to another name does not open. Sans-IO: randomness is an
//! argument. Drawn byte by byte in `docs/format.md`.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 24;
const ID_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
/// The format this code writes. It reads this one and every earlier one.
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + ID_BYTES + NONCE_BYTES;

/// The public name of a key: tells which one a record needs, and nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyId([u8; ID_BYTES]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A key. Its memory is overwritten when it is dropped, and `Debug` shows its name alone.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: KeyId,
}

impl Key {
    /// Of these bytes, which must be random.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        // The seal of nothing under a nonce that no record ever has: no two keys share it but by chance, and it says
        // nothing about any other seal.
        let cipher = cipher(&bytes);
        let payload = Payload { msg: &[], aad: b"nobat key id" };
        let tag = cipher.encrypt(&XNonce::from([0xff; NONCE_BYTES]), payload).unwrap_or_default();
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(tag).for_each(|(id, tag)| *id = tag);
        Self { bytes, id: KeyId(id) }
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        from_hex(text, &mut *bytes)?;
        Some(Self::new(bytes))
    }

    /// As 64 hexadecimal digits: for where it is kept, and nowhere else.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&*self.bytes))
    }

    /// Its public name.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

/// Why a record cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealFlaw {
    /// Too few bytes.
    #[error("it is cut short")]
    CutShort,
    /// Written by a later version.
    #[error("its format {0} is newer than this program reads ({VERSION}): start the newer nobat")]
    UnknownVersion(u8),
    /// No key of this name is there.
    #[error("it was sealed under the key {0}, which is not here")]
    NoKey(KeyId),
    /// The key's name fits, and the bytes do not: damaged, changed, or another secret's.
    #[error("it is damaged, or was moved here from another name")]
    Forged,
}

/// A record's parts, nothing of it checked yet but their lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealed<'a> {
    /// Under which key.
    pub key: KeyId,
    nonce: [u8; NONCE_BYTES],
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Takes a record apart. Total: any bytes give one or a flaw.
    ///
    /// # Errors
    /// [`SealFlaw::CutShort`] or [`SealFlaw::UnknownVersion`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, SealFlaw> {
        let (version, rest) = bytes.split_first().ok_or(SealFlaw::CutShort)?;
        if *version != VERSION {
            return Err(SealFlaw::UnknownVersion(*version));
        }
        let (key, rest) = rest.split_first_chunk::<ID_BYTES>().ok_or(SealFlaw::CutShort)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealFlaw::CutShort)?;
        if body.len() < TAG_BYTES {
            return Err(SealFlaw::CutShort);
        }
        Ok(Self { key: KeyId(*key), nonce: *nonce, body })
    }
}

/// What is bound to a record without standing in its body: everything before it, and the context.
fn bound(key: KeyId, context: &str) -> Vec<u8> {
    [b"nobat sealed".as_slice(), &[VERSION], &key.0, context.as_bytes()].concat()
}

/// Seals a secret for a context. The nonce must be random.
#[must_use]
pub fn seal(key: &Key, context: &str, secret: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + secret.len() + TAG_BYTES);
    out.push(VERSION);
    out.extend_from_slice(&key.id.0);
    out.extend_from_slice(&nonce);
    let aad = bound(key.id, context);
    let payload = Payload { msg: secret, aad: &aad };
    // It fails for a message of 256 GiB alone; then what is written does not open.
    out.extend(cipher(&key.bytes).encrypt(&XNonce::from(nonce), payload).unwrap_or_default());
    out
}

/// Opens a record of this context with whichever of the keys it needs.
///
/// # Errors
/// [`SealFlaw`].
pub fn open(keys: &[Key], context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealFlaw> {
    let sealed = Sealed::decode(sealed)?;
    let key = keys.iter().find(|key| key.id == sealed.key).ok_or(SealFlaw::NoKey(sealed.key))?;
    let aad = bound(sealed.key, context);
    let payload = Payload { msg: sealed.body, aad: &aad };
    let opened = cipher(&key.bytes).decrypt(&XNonce::from(sealed.nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| SealFlaw::Forged)
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads exactly as many digits as fill `out`.
pub(super) fn from_hex(text: &str, out: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> Key {
        Key::new(Zeroizing::new([n; KEY_BYTES]))
    }

    /// The record that `docs/format.md` draws.
    const GOLDEN: &str = include_str!("../../testdata/sealed-v1.hex");

    #[test]
    fn the_bytes_of_format_1_are_opened_for_ever() {
        let sealed = seal(&key(7), "lane1", b"1000001:TEST", [9; NONCE_BYTES]);
        let digits: String = GOLDEN.split_whitespace().collect();
        assert_eq!(hex(&sealed), digits);
        let mut bytes = vec![0; digits.len() / 2];
        from_hex(&digits, &mut bytes).expect("digits");
        assert_eq!(open(&[key(7)], "lane1", &bytes).expect("opened").as_slice(), b"1000001:TEST");
    }

    #[test]
    fn the_document_draws_the_golden_record() {
        let text = include_str!("../../../docs/format.md");
        let drawn =
            text.split("```sealed\n").nth(1).expect("a drawing").split("```").next().expect("its end");
        let digits = drawn.lines().flat_map(|line| {
            let bytes = line.split_once(':').expect("an offset").1.split('|').next().unwrap_or("");
            bytes.split_whitespace().collect::<Vec<_>>()
        });
        assert_eq!(digits.collect::<String>(), GOLDEN.split_whitespace().collect::<String>());
    }

    /// Section A.3.1 of draft-irtf-cfrg-xchacha-03: the library is the cipher that it says it is.
    #[test]
    fn the_cipher_is_the_one_of_the_draft() {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        bytes.iter_mut().zip(0x80..).for_each(|(byte, n)| *byte = n);
        let mut nonce = [0; NONCE_BYTES];
        nonce.iter_mut().zip(0x40..).for_each(|(byte, n)| *byte = n);
        let mut aad = [0; 12];
        from_hex("50515253c0c1c2c3c4c5c6c7", &mut aad).expect("digits");
        let msg =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                    sunscreen would be it.";
        let out = cipher(&bytes).encrypt(&XNonce::from(nonce), Payload { msg, aad: &aad }).expect("sealed");
        assert_eq!(hex(&out[..16]), "bd6d179d3e83d43b9576579493c0e939");
        assert_eq!(hex(&out[msg.len()..]), "c0875924c1c7987947deafd8780acf49");
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = key(0xab);
        let shown = format!("{key:?} {}", key.id());
        assert!(!shown.contains("abab") && shown.len() < 50, "{shown}");
        assert_eq!(Key::parse(&key.to_hex()).expect("a key").id(), key.id());
        assert!(Key::parse("ab").is_none() && Key::parse(&"zz".repeat(32)).is_none());
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened_and_no_change_passes(
            secret: Vec<u8>, context in "[a-z]{1,8}", other in "[a-z]{1,8}", nonce: [u8; NONCE_BYTES],
            bit: prop::sample::Index, cut: prop::sample::Index,
        ) {
            let keys = [key(1), key(2)];
            let sealed = seal(&keys[1], &context, &secret, nonce);
            prop_assert_eq!(&*open(&keys, &context, &sealed).unwrap(), &secret);
            prop_assert_eq!(open(&keys[..1], &context, &sealed), Err(SealFlaw::NoKey(keys[1].id())));
            if other != context {
                prop_assert_eq!(open(&keys, &other, &sealed), Err(SealFlaw::Forged));
            }
            let mut flipped = sealed.clone();
            let bit = bit.index(flipped.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open(&keys, &context, &flipped).is_err());
            prop_assert!(open(&keys, &context, &sealed[..cut.index(sealed.len())]).is_err());
        }

        #[test]
        fn any_bytes_are_a_record_or_a_flaw(bytes: Vec<u8>) {
            let _ = Sealed::decode(&bytes);
            prop_assert!(open(&[key(1)], "x", &bytes).is_err());
        }
    }
}
