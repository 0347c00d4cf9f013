//! One snapshot file, block by block.
//!
//! What lives here: [`ImageWriter`], which gives a file its name only once it is whole and durable, and
//! [`ImageReader`], which notices every damage but tells of a missing end only at the end: who may not act
//! on half an image reads it twice.

use super::super::io::{Directory, SegmentFile, read_full, write_all};
use super::super::{DiskError, segment};
use nobat_core::journal::snapshot::{Block, Blocks, SNAPSHOT_HEADER_BYTES, SnapshotFlaw, SnapshotHeader};

/// Bytes written at once, each piece synced: a commit that runs beside it waits for at most this much.
const PIECE_BYTES: usize = 256 << 10;

/// Bytes read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// A snapshot on its way. Dropped unfinished, it removes what it wrote.
pub struct ImageWriter<'d> {
    dir: &'d dyn Directory,
    file: Box<dyn SegmentFile>,
    codec: Blocks,
    buffer: Vec<u8>,
    at: u64,
    name: String,
    finished: bool,
}

impl<'d> ImageWriter<'d> {
    /// Begins the snapshot of this header.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn begin(dir: &'d dyn Directory, header: &SnapshotHeader) -> Result<Self, DiskError> {
        let name = super::name(header.covered);
        let unfinished = unfinished(&name);
        let file = dir.create(&unfinished).map_err(DiskError::io("create", &unfinished))?;
        let (codec, buffer) = (Blocks::new(header), header.encode().to_vec());
        Ok(Self { dir, file, codec, buffer, at: 0, name, finished: false })
    }

    /// Appends a block.
    ///
    /// # Errors
    /// A block over the limit, or what the operating system says.
    pub fn block(&mut self, content: &[u8]) -> Result<(), DiskError> {
        let too_long = |flaw| DiskError::Snapshot { file: self.name.clone(), flaw };
        self.codec.encode(content, &mut self.buffer).map_err(too_long)?;
        if self.buffer.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Ends the image, makes it durable, and gives it its name. Its bytes are returned.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(mut self) -> Result<(), DiskError> {
        self.codec.finish(&mut self.buffer);
        self.flush()?;
        let unfinished = unfinished(&self.name);
        self.dir.rename(&unfinished, &self.name).map_err(DiskError::io("rename", &unfinished))?;
        self.finished = true;
        self.dir.sync().map_err(DiskError::io("sync", "the data directory"))
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        let unfinished = unfinished(&self.name);
        write_all(&mut *self.file, &self.buffer, self.at).map_err(DiskError::io("write", &unfinished))?;
        self.file.sync().map_err(DiskError::io("sync", &unfinished))?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for ImageWriter<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // It must not eat the space that may be short; at worst the next start removes it.
            let _ = self.dir.remove(&unfinished(&self.name));
        }
    }
}

fn unfinished(name: &str) -> String {
    format!("{name}{}", segment::UNFINISHED)
}

/// A snapshot that is read.
pub struct ImageReader {
    file: Box<dyn SegmentFile>,
    name: String,
    header: SnapshotHeader,
    blocks: Blocks,
    window: Vec<u8>,
    /// Bytes of the window that are of the file.
    got: usize,
    /// Where the window begins in the file.
    start: u64,
    /// Bytes of the window that are read.
    used: usize,
    ended: bool,
}

impl ImageReader {
    /// Opens a snapshot by its file's name.
    ///
    /// # Errors
    /// What is wrong with its header, or what the operating system says.
    pub fn open(dir: &dyn Directory, name: &str) -> Result<Self, DiskError> {
        let file = dir.open(name).map_err(DiskError::io("open", name))?;
        let mut window = vec![0; WINDOW_BYTES];
        let got = read_full(&*file, &mut window, 0).map_err(DiskError::io("read", name))?;
        let flawed = |flaw| DiskError::Snapshot { file: name.to_owned(), flaw };
        let header = SnapshotHeader::decode(&window[..got]).map_err(flawed)?;
        let (blocks, name, used) = (Blocks::new(&header), name.to_owned(), SNAPSHOT_HEADER_BYTES);
        Ok(Self { file, name, header, blocks, window, got, start: 0, used, ended: false })
    }

    /// What it says about itself.
    #[must_use]
    pub const fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// The next block; none behind the end mark.
    ///
    /// # Errors
    /// Damage, an end too early, or what the operating system says.
    pub fn next_block(&mut self) -> Result<Option<Vec<u8>>, DiskError> {
        while !self.ended {
            let flawed = |flaw| DiskError::Snapshot { file: self.name.clone(), flaw };
            match self.blocks.decode(&self.window[self.used..self.got]).map_err(flawed)? {
                Block::Content { bytes, used } => {
                    let block = bytes.to_vec();
                    self.used += used;
                    return Ok(Some(block));
                }
                Block::End => self.ended = true,
                Block::More { .. } if self.got < self.window.len() => {
                    return Err(flawed(SnapshotFlaw::CutShort));
                }
                Block::More { needed } => self.slide(needed)?,
            }
        }
        Ok(None)
    }

    fn slide(&mut self, needed: usize) -> Result<(), DiskError> {
        self.start += self.used as u64;
        self.used = 0;
        self.window.resize(self.window.len().max(needed), 0);
        let got = read_full(&*self.file, &mut self.window, self.start);
        self.got = got.map_err(DiskError::io("read", &self.name))?;
        Ok(())
    }
}
