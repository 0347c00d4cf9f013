//! The log's files in `log.dir`: all lines, and each subject's own, rotated by size.
//!
//! What lives here: [`Topic`], [`FilesConfig`], and the one thread that writes. Who speaks hands a line over and goes
//! on: a disk that is full, slow or gone costs lines, which are counted and told, and never holds the bot up.
//!
//! ```text
//! combined.log  every line            payments.log, vip.log, locks.log, admin.log, performance.log  their subject's
//! error.log     warnings and errors   NAME.1 ... NAME.N  older ones, the highest the oldest
//! ```

use super::log::Level;
use crossbeam::channel::{Receiver, Sender, bounded};
use parking_lot::RwLock;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Lines that may wait for the disk: about a megabyte.
const WAITING_MAX: usize = 8_192;

/// After a failure a file is left alone for so many of its lines, so that a full disk is not tried at each.
const REST_LINES: u32 = 64;

/// How long a stop or a reopening waits for the thread.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a line is about, beside its level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// Anything else.
    General,
    /// What the operator did.
    Admin,
    /// Money.
    Payments,
    /// Subscriptions.
    Vip,
    /// Chat locks and the credits they cost.
    Locks,
    /// What took long.
    Performance,
}

impl Topic {
    const fn file(self) -> Option<&'static str> {
        Some(match self {
            Self::General => return None,
            Self::Admin => "admin.log",
            Self::Payments => "payments.log",
            Self::Vip => "vip.log",
            Self::Locks => "locks.log",
            Self::Performance => "performance.log",
        })
    }
}

/// Where, and how much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilesConfig {
    /// The directory; made if it does not exist.
    pub dir: PathBuf,
    /// Bytes of a file before it is put aside.
    pub bytes_max: u64,
    /// Files put aside that are kept, of each.
    pub kept: u32,
}

enum Word {
    Line { topic: Topic, level: Level, text: String },
    Reopen(Sender<()>),
    Close,
}

static WAY: RwLock<Option<Sender<Word>>> = RwLock::new(None);
static LOST: AtomicU64 = AtomicU64::new(0);

/// The open files; dropped, they are written out and closed.
pub struct Files {
    way: Sender<Word>,
    thread: Option<JoinHandle<()>>,
}

impl Files {
    /// Opens them; every line of the process goes there as well from now on.
    ///
    /// # Errors
    /// The directory cannot be made or written, with its name; or there is no thread.
    pub fn open(config: &FilesConfig) -> io::Result<Self> {
        let named =
            |e: io::Error| io::Error::new(e.kind(), format!("log.dir: {}: {e}", config.dir.display()));
        fs::create_dir_all(&config.dir).map_err(named)?;
        let mut writer = Writer { config: config.clone(), files: Vec::new() };
        // Found out now, where it can be told, and not at the first line.
        writer.file("combined.log").open(config).map_err(named)?;
        let (way, words) = bounded(WAITING_MAX);
        let thread = thread::Builder::new().name("log".into()).spawn(move || writer.run(&words))?;
        *WAY.write() = Some(way.clone());
        Ok(Self { way, thread: Some(thread) })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        *WAY.write() = None;
        // A disk that hangs must not keep the process from ending.
        if self.way.send_timeout(Word::Close, PATIENCE).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// Hands a line over; never waits.
pub(super) fn write(topic: Topic, level: Level, text: &str) {
    let way = WAY.read();
    let Some(way) = &*way else { return };
    if way.try_send(Word::Line { topic, level, text: text.to_owned() }).is_err() {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lines that no file took.
pub(super) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Opens the files anew, for who has moved them away; whether that was done. None if there are none.
pub(super) fn reopen() -> Option<bool> {
    let way = WAY.read().clone()?;
    let (done, wait) = bounded(1);
    Some(way.send_timeout(Word::Reopen(done), PATIENCE).is_ok() && wait.recv_timeout(PATIENCE).is_ok())
}

struct Writer {
    config: FilesConfig,
    files: Vec<LogFile>,
}

impl Writer {
    fn run(mut self, words: &Receiver<Word>) {
        while let Ok(word) = words.recv() {
            match word {
                Word::Line { topic, level, text } => self.line(topic, level, &text),
                Word::Reopen(done) => {
                    self.files.clear();
                    // Who asked may have given up.
                    let _ = done.try_send(());
                }
                Word::Close => return,
            }
        }
    }

    fn line(&mut self, topic: Topic, level: Level, text: &str) {
        let error = (level <= Level::Warn).then_some("error.log");
        for name in ["combined.log"].into_iter().chain(error).chain(topic.file()) {
            let config = self.config.clone();
            if !self.file(name).write(&config, text) {
                LOST.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn file(&mut self, name: &'static str) -> &mut LogFile {
        let at = self.files.iter().position(|file| file.name == name).unwrap_or_else(|| {
            self.files.push(LogFile { name, open: None, len: 0, rest: 0 });
            self.files.len() - 1
        });
        &mut self.files[at]
    }
}

/// One file, opened when something is to be written.
struct LogFile {
    name: &'static str,
    open: Option<File>,
    len: u64,
    /// Lines that are not even tried, after a failure.
    rest: u32,
}

impl LogFile {
    fn open(&mut self, config: &FilesConfig) -> io::Result<&mut File> {
        if self.open.is_none() {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).mode(0o640).open(config.dir.join(self.name))?;
            self.len = file.metadata()?.len();
            self.open = Some(file);
        }
        self.open.as_mut().ok_or_else(|| io::Error::other("it was just opened"))
    }

    /// Whether the line is written.
    fn write(&mut self, config: &FilesConfig, text: &str) -> bool {
        if self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        let written = self.rotate(config).and_then(|()| self.open(config)?.write_all(text.as_bytes()));
        if written.is_ok() {
            self.len += text.len() as u64;
        } else {
            (self.open, self.rest) = (None, REST_LINES);
        }
        written.is_ok()
    }

    /// Puts a full file aside: `NAME` becomes `NAME.1`, that `NAME.2`, and the oldest goes.
    fn rotate(&mut self, config: &FilesConfig) -> io::Result<()> {
        if self.open.is_none() || self.len < config.bytes_max {
            return Ok(());
        }
        self.open = None;
        let path = config.dir.join(self.name);
        if config.kept == 0 {
            return fs::remove_file(&path);
        }
        for older in (1..config.kept).rev() {
            move_away(&aside(&path, older), &aside(&path, older + 1))?;
        }
        move_away(&path, &aside(&path, 1))
    }
}

fn aside(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn move_away(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(dir: &Path, bytes_max: u64, kept: u32) -> Writer {
        Writer { config: FilesConfig { dir: dir.into(), bytes_max, kept }, files: Vec::new() }
    }

    fn read(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).unwrap_or_default()
    }

    #[test]
    fn each_line_goes_to_all_the_files_it_belongs_to() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut writer = writer(dir.path(), 1 << 20, 3);
        writer.line(Topic::General, Level::Info, "a\n");
        writer.line(Topic::Payments, Level::Info, "b\n");
        writer.line(Topic::Performance, Level::Warn, "c\n");
        assert_eq!(read(dir.path(), "combined.log"), "a\nb\nc\n");
        assert_eq!(read(dir.path(), "payments.log"), "b\n");
        assert_eq!(
            (read(dir.path(), "error.log"), read(dir.path(), "performance.log")),
            ("c\n".into(), "c\n".into())
        );
        assert!(!dir.path().join("vip.log").exists());
    }

    #[test]
    fn full_files_are_put_aside_and_the_oldest_go() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut writer = writer(dir.path(), 4, 2);
        for line in ["one\n", "two\n", "thr\n", "fou\n"] {
            writer.line(Topic::General, Level::Info, line);
        }
        let names = ["combined.log", "combined.log.1", "combined.log.2", "combined.log.3"];
        assert_eq!(names.map(|name| read(dir.path(), name)), ["fou\n", "thr\n", "two\n", ""]);
        // What an earlier life wrote counts.
        let mut next = self::writer(dir.path(), 4, 2);
        next.line(Topic::General, Level::Info, "fiv\n");
        next.line(Topic::General, Level::Info, "six\n");
        assert_eq!(read(dir.path(), "combined.log"), "six\n");
    }

    #[test]
    fn a_full_disk_costs_lines_of_the_file_it_holds_and_heals() {
        let dir = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink("/dev/full", dir.path().join("combined.log")).expect("linked");
        let mut writer = writer(dir.path(), 1 << 20, 2);
        writer.line(Topic::General, Level::Error, "a\n");
        assert_eq!(read(dir.path(), "error.log"), "a\n");
        fs::remove_file(dir.path().join("combined.log")).expect("removed");
        for _ in 0..=REST_LINES {
            writer.line(Topic::General, Level::Info, "b\n");
        }
        assert_eq!(read(dir.path(), "combined.log"), "b\n");
    }
}
