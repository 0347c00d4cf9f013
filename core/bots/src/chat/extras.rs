//! What most people do not have: each behind a bit, so that who has none of it costs a byte. A durable format.

use super::album::Album;
use nobat_core::record::{Malformed, Reader, Record, Write};

/// What most people do not have.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Extras {
    /// An album of his that is coming in.
    pub album: Option<Box<Album>>,
}

const ALBUM: u64 = 1;
/// Of a newer version, and unreadable to this one.
const UNKNOWN: u64 = !ALBUM;

fn bit(is: bool, bit: u64) -> u64 {
    if is { bit } else { 0 }
}

impl Record for Extras {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(bit(self.album.is_some(), ALBUM));
        self.album.iter().for_each(|album| album.encode(out));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let has = from.varint()?;
        if has & UNKNOWN != 0 {
            return Err(Malformed("a chat state of a newer version"));
        }
        let album = if has & ALBUM == 0 { None } else { Some(Box::new(Album::decode(from)?)) };
        Ok(Self { album })
    }
}
