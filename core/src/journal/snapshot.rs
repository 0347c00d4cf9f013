//! Snapshots as bytes: a header that says which frames the image covers, blocks with a checksum each, and an
//! end mark, so that a shortened file is not taken for a whole one.
//!
//! What lives here: [`SnapshotHeader`] and [`Blocks`], total decoders. What the blocks mean is the engine's
//! subject; files and names are the shell's. `docs/format.md` draws it.

use crate::id::Seq;
use crate::time::UnixMillis;

/// The first bytes of every snapshot.
pub const MAGIC: [u8; 8] = *b"NOBATSNP";

/// The format this code writes. It reads this one and every earlier one.
pub const VERSION: u32 = 1;

/// Bytes before the first block.
pub const SNAPSHOT_HEADER_BYTES: usize = 32;

/// Bytes of one block, at most: bounds what a reader holds. A longer one is a bug of the writer.
pub const BLOCK_BYTES_MAX: usize = 1 << 20;

/// Bytes of a block before its content.
const BLOCK_HEADER_BYTES: usize = 8;

/// What a snapshot says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotHeader {
    /// The image is the state after this frame.
    pub covered: Seq,
    /// When it was made, for people.
    pub made: UnixMillis,
}

impl SnapshotHeader {
    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; SNAPSHOT_HEADER_BYTES] {
        let mut bytes = [0; SNAPSHOT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.covered.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.made.0.to_le_bytes());
        let crc = header_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header from the start of a snapshot.
    ///
    /// # Errors
    /// [`SnapshotFlaw`], which says what is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotFlaw> {
        let bytes: &[u8; SNAPSHOT_HEADER_BYTES] = bytes.first_chunk().ok_or(SnapshotFlaw::CutShort)?;
        if bytes[..8] != MAGIC {
            return Err(SnapshotFlaw::NoMagic);
        }
        if u32_at(bytes, 12) != header_crc(bytes) {
            return Err(SnapshotFlaw::BadChecksum);
        }
        match u32_at(bytes, 8) {
            VERSION => Ok(Self { covered: Seq(u64_at(bytes, 16)), made: UnixMillis(u64_at(bytes, 24)) }),
            other => Err(SnapshotFlaw::UnknownVersion(other)),
        }
    }
}

fn header_crc(bytes: &[u8; SNAPSHOT_HEADER_BYTES]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..])
}

/// Why bytes are not a whole snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SnapshotFlaw {
    /// It ends before its end mark.
    #[error("the snapshot is cut short")]
    CutShort,
    /// Another kind of file.
    #[error("the file does not begin as a snapshot does")]
    NoMagic,
    /// Damaged.
    #[error("a checksum of the snapshot does not fit")]
    BadChecksum,
    /// A block over [`BLOCK_BYTES_MAX`].
    #[error("a block of the snapshot is over {BLOCK_BYTES_MAX} bytes")]
    TooLong,
    /// Written by a later version.
    #[error("snapshot format {0} is newer than this program reads ({VERSION}); start the newer nobat")]
    UnknownVersion(u32),
}

/// Encodes or decodes the blocks of one snapshot, in order: each checksum covers the block's place too, so
/// blocks cannot be swapped, repeated or left out unnoticed.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// Over everything so far.
    chain: u32,
}

/// What stands at the front of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Block<'a> {
    /// A block with this content; slide by `used` bytes.
    Content {
        /// At least one byte.
        bytes: &'a [u8],
        /// Bytes it takes.
        used: usize,
    },
    /// The end mark: the snapshot is whole.
    End,
    /// Not all of a block; the bytes must hold `needed`.
    More {
        /// Bytes.
        needed: usize,
    },
}

impl Blocks {
    /// For the blocks behind this header.
    #[must_use]
    pub fn new(header: &SnapshotHeader) -> Self {
        Self { chain: crc32c::crc32c(&header.encode()) }
    }

    /// Appends a block. An empty one is nothing.
    ///
    /// # Errors
    /// [`SnapshotFlaw::TooLong`]; `out` is unchanged.
    pub fn encode(&mut self, content: &[u8], out: &mut Vec<u8>) -> Result<(), SnapshotFlaw> {
        if content.len() > BLOCK_BYTES_MAX {
            return Err(SnapshotFlaw::TooLong);
        }
        if !content.is_empty() {
            self.put(content, out);
        }
        Ok(())
    }

    /// Appends the end mark.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.put(&[], out);
    }

    fn put(&mut self, content: &[u8], out: &mut Vec<u8>) {
        let length = (content.len() as u32).to_le_bytes();
        self.chain = self.next(&length, content);
        out.extend_from_slice(&length);
        out.extend_from_slice(&self.chain.to_le_bytes());
        out.extend_from_slice(content);
    }

    fn next(self, length: &[u8], content: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c_append(self.chain, length), content)
    }

    /// Reads what stands at the front of `bytes`.
    ///
    /// # Errors
    /// [`SnapshotFlaw`] if it is no block of this snapshot at this place.
    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> Result<Block<'a>, SnapshotFlaw> {
        let Some(header) = bytes.first_chunk::<BLOCK_HEADER_BYTES>() else {
            return Ok(Block::More { needed: BLOCK_HEADER_BYTES });
        };
        let length = u32_at(header, 0) as usize;
        if length > BLOCK_BYTES_MAX {
            return Err(SnapshotFlaw::TooLong);
        }
        let used = BLOCK_HEADER_BYTES + length;
        let Some(content) = bytes.get(BLOCK_HEADER_BYTES..used) else {
            return Ok(Block::More { needed: used });
        };
        let chain = self.next(&header[..4], content);
        if chain != u32_at(header, 4) {
            return Err(SnapshotFlaw::BadChecksum);
        }
        self.chain = chain;
        Ok(if length == 0 { Block::End } else { Block::Content { bytes: content, used } })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: SnapshotHeader = SnapshotHeader { covered: Seq(1000), made: UnixMillis(1_700_000_000_000) };

    fn written(contents: &[Vec<u8>]) -> Vec<u8> {
        let mut out = HEADER.encode().to_vec();
        let mut blocks = Blocks::new(&HEADER);
        for content in contents {
            blocks.encode(content, &mut out).unwrap();
        }
        blocks.finish(&mut out);
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, SnapshotFlaw> {
        let header = SnapshotHeader::decode(bytes)?;
        let (mut blocks, mut at, mut out) = (Blocks::new(&header), SNAPSHOT_HEADER_BYTES, Vec::new());
        loop {
            match blocks.decode(&bytes[at..])? {
                Block::Content { bytes, used } => {
                    out.push(bytes.to_vec());
                    at += used;
                }
                Block::End => return Ok(out),
                Block::More { needed } => {
                    assert!(needed > bytes.len() - at, "it asks for what it has");
                    return Err(SnapshotFlaw::CutShort);
                }
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_format_1() {
        let bytes = written(&[b"state".to_vec()]);
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        assert_eq!(read(&bytes), Ok(vec![b"state".to_vec()]));
    }

    /// Written by format 1; every later version must read it.
    const GOLDEN: &str = "4e4f424154534e50010000000adaf316e8030000000000000068e5cf8b010000\
                          05000000adc72a5473746174650000\
                          0000b5a016f6";

    #[test]
    fn a_newer_format_is_named_as_such() {
        let mut bytes = HEADER.encode();
        bytes[8] = 9;
        let crc = header_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(SnapshotHeader::decode(&bytes), Err(SnapshotFlaw::UnknownVersion(9)));
    }

    #[test]
    fn a_block_over_the_limit_is_refused() {
        let mut blocks = Blocks::new(&HEADER);
        let refused = blocks.encode(&vec![0; BLOCK_BYTES_MAX + 1], &mut Vec::new());
        assert_eq!(refused, Err(SnapshotFlaw::TooLong));
    }

    proptest! {
        #[test]
        fn blocks_survive_and_no_damage_passes(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8),
            bit: prop::sample::Index,
            cut: prop::sample::Index,
        ) {
            let bytes = written(&contents);
            prop_assert_eq!(read(&bytes), Ok(contents.clone()));
            let mut flipped = bytes.clone();
            let bit = bit.index(bytes.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(read(&flipped).is_err());
            prop_assert!(read(&bytes[..cut.index(bytes.len())]).is_err());
            if contents.len() > 1 && contents[0] != contents[1] {
                let mut swapped = contents;
                swapped.swap(0, 1);
                prop_assert_ne!(written(&swapped), bytes);
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = read(&[&HEADER.encode()[..], &bytes].concat());
            let _ = read(&bytes);
        }
    }
}
