//! A disk in memory that may do everything a real one may do at the worst moment, driven by a seed.
//!
//! What lives here: [`SimDisk`], a [`Directory`] for tests and simulations; nothing in the program uses it.
//! It keeps what programs read (the page cache) apart from what would survive a power cut, and
//! [`SimDisk::crash`] leaves the survivors: of what was never synced any subset of 512-byte sectors, and of
//! the changes of names any prefix (file systems with a journal keep their order).

use super::io::{Directory, SegmentFile};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is written whole or not at all.
const SECTOR: usize = 512;

/// What goes wrong, in thousandths of the operations it applies to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    /// A write takes only a part.
    pub short_write: u32,
    /// A write or an allocation finds no space, after it may have written a part.
    pub no_space: u32,
    /// A write fails (EIO).
    pub write_error: u32,
    /// A sync of a file fails: the pages count as clean and are not on the disk.
    pub sync_error: u32,
    /// Bytes that all files together may have; more is no space.
    pub capacity: Option<u64>,
    /// The operation with this number, and every later one, fails: the process was killed there.
    pub dies_at: Option<u64>,
    /// A planted bug for checkers: a sync of a file returns before anything is on the disk.
    pub lies_about_files: bool,
    /// A planted bug for checkers: a sync of the directory does nothing.
    pub lies_about_names: bool,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    random: u64,
    faults: Faults,
    /// Operations so far.
    ops: u64,
    /// Crashes so far: handles of an earlier epoch are dead.
    epoch: u64,
    files: Vec<Content>,
    /// Names as programs see them.
    names: BTreeMap<String, usize>,
    /// Names as they were when the directory was last synced, and the changes since.
    durable_names: BTreeMap<String, usize>,
    changes: Vec<Change>,
}

#[derive(Clone, Default)]
struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors of `cached` that may or may not be in `durable`.
    dirty: BTreeSet<usize>,
}

enum Change {
    Name(String, usize),
    Rename(String, String),
    Remove(String),
}

impl SimDisk {
    /// An empty disk whose misfortunes follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let inner = Inner {
            random: seed,
            faults: Faults::default(),
            ops: 0,
            epoch: 0,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
        };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Operations so far, reads left out.
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.lock().ops
    }

    /// The process ends and the machine lives on: what was cached stays readable, synced or not.
    pub fn restart(&self) {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.faults = Faults::default();
    }

    /// The power fails: of what was not synced, chance decides what is there afterwards.
    pub fn crash(&self) {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.faults = Faults::default();
        let changes = inner.changes.len() as u64;
        let kept = inner.below(changes + 1) as usize;
        for change in std::mem::take(&mut inner.changes).into_iter().take(kept) {
            apply(&mut inner.durable_names, change);
        }
        inner.names = inner.durable_names.clone();
        let named: BTreeSet<usize> = inner.names.values().copied().collect();
        for id in 0..inner.files.len() {
            let mut file = std::mem::take(&mut inner.files[id]);
            if named.contains(&id) {
                inner.lose(&mut file);
                inner.files[id] = file;
            }
        }
    }

    /// The bytes of a file as programs see them.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let inner = self.lock();
        inner.names.get(name).map(|&id| inner.files[id].cached.clone())
    }

    /// Puts a file on the disk as it is, durable: for tests that damage one.
    pub fn place(&self, name: &str, bytes: Vec<u8>) {
        let mut inner = self.lock();
        let id = inner.files.len();
        inner.files.push(Content { durable: bytes.clone(), cached: bytes, dirty: BTreeSet::new() });
        inner.names.insert(name.to_owned(), id);
        inner.durable_names.insert(name.to_owned(), id);
    }
}

fn apply(names: &mut BTreeMap<String, usize>, change: Change) {
    match change {
        Change::Name(name, id) => {
            names.insert(name, id);
        }
        Change::Rename(from, to) => {
            if let Some(id) = names.remove(&from) {
                names.insert(to, id);
            }
        }
        Change::Remove(name) => {
            names.remove(&name);
        }
    }
}

impl Inner {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        thousandths > 0 && self.below(1000) < u64::from(thousandths)
    }

    /// Counts an operation; fails if the process is dead by now.
    fn op(&mut self, epoch: u64) -> io::Result<()> {
        self.ops += 1;
        let killed = self.faults.dies_at.is_some_and(|at| self.ops >= at);
        if killed || epoch != self.epoch { Err(io::Error::other("the process is dead")) } else { Ok(()) }
    }

    fn used(&self) -> u64 {
        self.names.values().map(|&id| self.files[id].cached.len() as u64).sum()
    }

    fn change(&mut self, change: Change) {
        let visible = match &change {
            Change::Name(name, id) => Change::Name(name.clone(), *id),
            Change::Rename(from, to) => Change::Rename(from.clone(), to.clone()),
            Change::Remove(name) => Change::Remove(name.clone()),
        };
        apply(&mut self.names, visible);
        self.changes.push(change);
    }

    /// What a power cut leaves of a file.
    fn lose(&mut self, file: &mut Content) {
        if file.cached.len() != file.durable.len() && self.chance(500) {
            file.durable.resize(file.cached.len(), 0);
        }
        for sector in std::mem::take(&mut file.dirty) {
            if self.chance(500) {
                let range = sector * SECTOR..((sector + 1) * SECTOR).min(file.cached.len());
                if range.end <= file.durable.len() {
                    file.durable[range.clone()].copy_from_slice(&file.cached[range]);
                }
            }
        }
        file.cached = file.durable.clone();
    }

    fn write(&mut self, id: usize, bytes: &[u8], at: usize) -> io::Result<usize> {
        if self.chance(self.faults.write_error) {
            return Err(io::Error::other("injected write error"));
        }
        let end = at + bytes.len();
        let grows = end.saturating_sub(self.files[id].cached.len()) as u64;
        let full = grows > 0 && self.faults.capacity.is_some_and(|limit| self.used() + grows > limit);
        if full || self.chance(self.faults.no_space) {
            // A part may have been written, as long as the file does not grow.
            let room = self.files[id].cached.len().saturating_sub(at).min(bytes.len());
            let part = self.below(room as u64 + 1) as usize;
            self.files[id].put(&bytes[..part], at);
            return Err(io::ErrorKind::StorageFull.into());
        }
        let short = self.chance(self.faults.short_write);
        let n = if short { self.below(bytes.len() as u64 + 1) as usize } else { bytes.len() };
        self.files[id].put(&bytes[..n], at);
        Ok(n)
    }

    fn sync(&mut self, id: usize) -> io::Result<()> {
        if self.chance(self.faults.sync_error) {
            // Linux: the pages count as clean, and they are not on the disk.
            self.files[id].dirty.clear();
            return Err(io::Error::other("injected sync error"));
        }
        if !self.faults.lies_about_files {
            self.files[id].durable_now();
        }
        Ok(())
    }
}

impl Content {
    fn put(&mut self, bytes: &[u8], at: usize) {
        let end = at + bytes.len();
        if bytes.is_empty() {
            return;
        }
        if self.cached.len() < end {
            self.cached.resize(end, 0);
        }
        self.cached[at..end].copy_from_slice(bytes);
        self.dirty.extend(at / SECTOR..=(end - 1) / SECTOR);
    }

    fn durable_now(&mut self) {
        // Only what is dirty: a page whose sync failed once stays lost.
        self.durable.resize(self.cached.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.cached.len());
            self.durable[range.clone()].copy_from_slice(&self.cached[range]);
        }
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Directory for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let inner = self.lock();
        let id = *inner.names.get(name).ok_or_else(not_found)?;
        Ok(Box::new(SimFile { disk: self.clone(), id, epoch: inner.epoch }))
    }

    fn reopen(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        self.open(name)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let mut inner = self.lock();
        let epoch = inner.epoch;
        inner.op(epoch)?;
        let id = inner.files.len();
        inner.files.push(Content::default());
        inner.change(Change::Name(name.to_owned(), id));
        Ok(Box::new(SimFile { disk: self.clone(), id, epoch }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let epoch = inner.epoch;
        inner.op(epoch)?;
        if !inner.names.contains_key(from) {
            return Err(not_found());
        }
        inner.change(Change::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let epoch = inner.epoch;
        inner.op(epoch)?;
        if !inner.names.contains_key(name) {
            return Err(not_found());
        }
        inner.change(Change::Remove(name.to_owned()));
        Ok(())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        let inner = self.lock();
        let id = *inner.names.get(name).ok_or_else(not_found)?;
        Ok(inner.files[id].cached.len() as u64)
    }

    fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let mut inner = self.lock();
        let epoch = inner.epoch;
        inner.op(epoch)?;
        let id = *inner.names.get(name).ok_or_else(not_found)?;
        let file = &mut inner.files[id];
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(file.cached.len());
        file.cached.truncate(len);
        file.dirty = file.dirty.iter().copied().filter(|sector| sector * SECTOR < len).collect();
        file.durable_now();
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.lock();
        let epoch = inner.epoch;
        inner.op(epoch)?;
        if !inner.faults.lies_about_names {
            inner.durable_names = inner.names.clone();
            inner.changes.clear();
        }
        Ok(())
    }
}

struct SimFile {
    disk: SimDisk,
    id: usize,
    epoch: u64,
}

impl SegmentFile for SimFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        let inner = self.disk.lock();
        let bytes = &inner.files[self.id].cached;
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let n = buf.len().min(bytes.len() - from);
        buf[..n].copy_from_slice(&bytes[from..from + n]);
        Ok(n)
    }

    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<usize> {
        let mut inner = self.disk.lock();
        let killed = inner.op(self.epoch);
        let at = usize::try_from(at).map_err(|_| io::Error::other("an offset over memory"))?;
        if killed.is_err() && self.epoch == inner.epoch {
            // A process may be killed within a write.
            let part = inner.below(bytes.len() as u64 + 1) as usize;
            inner.files[self.id].put(&bytes[..part], at);
        }
        killed?;
        inner.write(self.id, bytes, at)
    }

    fn allocate(&mut self, len: u64) -> io::Result<()> {
        let mut inner = self.disk.lock();
        inner.op(self.epoch)?;
        let len = usize::try_from(len).map_err(|_| io::Error::other("a length over memory"))?;
        let grows = len.saturating_sub(inner.files[self.id].cached.len()) as u64;
        let full = inner.faults.capacity.is_some_and(|limit| inner.used() + grows > limit);
        let unlucky = inner.faults.no_space;
        if full || inner.chance(unlucky) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        inner.files[self.id].cached.resize(len, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inner = self.disk.lock();
        inner.op(self.epoch)?;
        inner.sync(self.id)
    }
}
