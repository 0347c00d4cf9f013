//! One program takes the place of another in the same process: nobody above it sees a restart, and its sockets stay
//! open.
//!
//! What lives here: [`Program`], the file and the arguments that this process runs; [`Program::try_out`], which starts
//! the next one aside to see whether it would start; [`Program::replace`], which does not return if it works; and
//! [`Fallback`], the way back.
//!
//! ```text
//! try out (a child: configuration, certificate, data set) -> stop taking, seal the journal, give up its lock
//!   -> exec, sockets kept -> replay, serve
//!                        \-> it cannot start after all: exec of the program before, sockets kept
//! ```
//!
//! The process keeps its id, so systemd, a container's runtime and whoever else started it go on watching the right
//! one. The program before is kept open as a file: it is there even when its package was removed.

use super::descriptors::{claim, passed_on};
use super::sockets::{ACTIVATION, HANDED_ON, Sockets};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The descriptor of the program before, and its path, in the environment of the next.
const BEFORE: &str = "NOBAT_PROGRAM_BEFORE";

/// How it was called: its arguments, parted by [`ARGUMENT_END`]. A wrapper may call the next one otherwise.
const BEFORE_CALLED: &str = "NOBAT_PROGRAM_BEFORE_CALLED";
/// The unit separator, which no argument that people write holds.
const ARGUMENT_END: u8 = 0x1f;

/// Why the program that was put in this one's place is gone again.
const FELL_BACK: &str = "NOBAT_FELL_BACK";

/// What one program tells the next in its environment.
pub(super) const NAMES: [&str; 3] = [BEFORE, BEFORE_CALLED, FELL_BACK];

/// The flag that makes `serve` only see whether it would start.
pub const TRIAL_FLAG: &str = "--trial";

/// What a program that would start says on standard output, with its version and its data directory.
const WOULD_START: &str = "nobat would start";

/// For a trial: a data set of a million pupils is read in a few seconds.
const TRIAL_MAX: Duration = Duration::from_secs(60);

/// Bytes of a trial's words that are passed on.
const WORDS_MAX: u64 = 4 * 1024;

/// What this process runs.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    file: File,
    argv: Vec<OsString>,
}

/// A program that would start.
#[derive(Debug)]
pub struct Candidate {
    path: PathBuf,
    /// Its version, as it says.
    pub version: String,
}

impl Program {
    /// Of this process; to be asked early, before a package puts another file in its place.
    ///
    /// # Errors
    /// `/proc` is not there.
    pub fn of_this_process() -> io::Result<Self> {
        let file = File::open("/proc/self/exe").map_err(|e| {
            io::Error::new(e.kind(), format!("/proc/self/exe: {e}; mount /proc where the program runs"))
        })?;
        let path = std::env::current_exe()?;
        // How the kernel calls a file that another was put in the place of: the other is what comes next.
        let path = match path.to_str().and_then(|path| path.strip_suffix(" (deleted)")) {
            Some(path) => PathBuf::from(path),
            None => path,
        };
        Ok(Self { path, file, argv: std::env::args_os().collect() })
    }

    /// Starts `binary` (without it, what now lies where this program lay) aside, with this process's arguments, and
    /// has it say whether it would start on `data_dir`. Takes up to a minute.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn try_out(&self, binary: Option<&Path>, data_dir: &Path) -> Result<Candidate, String> {
        let path = binary.unwrap_or(&self.path).to_owned();
        let shown = path.display();
        let mut command = Command::new(&path);
        command.args(self.argv.iter().skip(1)).arg(TRIAL_FLAG);
        for variable in ACTIVATION.iter().chain(&[HANDED_ON]).chain(&NAMES) {
            command.env_remove(variable);
        }
        // It is not the service, and must not speak for it.
        command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC").env_remove("WATCHDOG_PID");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("{shown} cannot be run: {e}"))?;
        let ended = wait(&mut child);
        let (out, err) = (words(child.stdout.take()), words(child.stderr.take()));
        match ended {
            None => {
                return Err(format!(
                    "{shown} did not say within {} s that it would start",
                    TRIAL_MAX.as_secs()
                ));
            }
            Some(status) if !status.success() => {
                return Err(format!("{shown} would not start ({status}): {}", err.trim()));
            }
            Some(_) => {}
        }
        let said = out.lines().find_map(|line| line.strip_prefix(WOULD_START)?.strip_prefix(' '));
        let Some((version, dir)) = said.and_then(|said| said.split_once(' ')) else {
            return Err(format!("{shown} is not a nobat that can take over: it did not answer as one"));
        };
        if dir != shown_dir(data_dir) {
            return Err(format!(
                "it would use another data directory, {dir}, and what waits in this one would not be sent: stop and \
                 start instead"
            ));
        }
        Ok(Candidate { path, version: version.to_owned() })
    }

    /// Puts the candidate in this program's place, in this process. Everything must be sealed and given up: what
    /// other threads do ends here.
    ///
    /// # Errors
    /// Returns only if it could not be done; nothing has changed then.
    pub fn replace(&self, candidate: &Candidate, sockets: &Sockets) -> io::Error {
        let hand_over = || {
            let mut command = Command::new(&candidate.path);
            let path = self.path.display();
            command.env(BEFORE, format!("{}:{path}", passed_on(&self.file)?)).env_remove(FELL_BACK);
            command.env(BEFORE_CALLED, self.argv.join(OsStr::from_bytes(&[ARGUMENT_END])));
            exec(command, &self.argv, sockets)
        };
        hand_over().map_or_else(|e| e, |never: std::convert::Infallible| match never {})
    }
}

/// Takes this process's place.
fn exec(mut command: Command, argv: &[OsString], sockets: &Sockets) -> io::Result<std::convert::Infallible> {
    for variable in ACTIVATION {
        command.env_remove(variable);
    }
    sockets.hand_on(&mut command)?;
    command.arg0(argv.first().map_or("nobat".as_ref(), OsString::as_os_str));
    Err(command.args(argv.iter().skip(1)).exec())
}

/// What a program that only tries says when all is well.
#[must_use]
pub fn would_start(data_dir: &Path) -> String {
    format!("{WOULD_START} {} {}", env!("CARGO_PKG_VERSION"), shown_dir(data_dir))
}

/// The same for both, whatever each calls it.
fn shown_dir(dir: &Path) -> String {
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned()).display().to_string()
}

fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    const STEP: Duration = Duration::from_millis(10);
    let mut left = TRIAL_MAX;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if left.is_zero() {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(STEP);
        left = left.saturating_sub(STEP);
    }
}

fn words(pipe: Option<impl io::Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What is said is for people; the status has decided already.
        let _ = pipe.take(WORDS_MAX).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Debug)]
struct Before {
    file: File,
    path: PathBuf,
    argv: Vec<OsString>,
}

/// The way back to the program before, until this one serves.
#[derive(Debug)]
pub struct Fallback {
    before: Option<Before>,
    /// Why the one that was tried is gone again, if this is the program before.
    pub fell_back: Option<String>,
}

impl Fallback {
    /// As the environment says.
    #[must_use]
    pub fn from_env() -> Self {
        let before = std::env::var(BEFORE).ok().and_then(|value| {
            let (fd, path) = value.split_once(':')?;
            let called = std::env::var_os(BEFORE_CALLED)?.into_vec();
            let argv =
                called.split(|byte| *byte == ARGUMENT_END).map(|part| OsStr::from_bytes(part).to_owned());
            let file = File::from(claim(fd.parse().ok()?).ok()?);
            Some(Before { file, path: path.into(), argv: argv.collect() })
        });
        Self { before, fell_back: std::env::var(FELL_BACK).ok().filter(|why| !why.is_empty()) }
    }

    /// Is there a program before this one?
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.before.is_some()
    }

    /// This program serves: it is the one that stays.
    pub fn forget(&mut self) {
        self.before = None;
    }

    /// Puts the program before back into its place, if there is one. Returns only if not.
    pub fn go(&self, sockets: &Sockets, why: &str) {
        let Some(Before { file, path, argv }) = &self.before else { return };
        // Through the descriptor: at its path lies another by now.
        let kept = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let Err(e) = passed_on(file).and_then(|_| {
            let mut command = Command::new(kept);
            command
                .env_remove(BEFORE)
                .env_remove(BEFORE_CALLED)
                .env(FELL_BACK, why.chars().filter(|c| *c != '\0').collect::<String>());
            exec(command, argv, sockets)
        });
        crate::say!(Error, "the program before cannot be put back: {e}", program = path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn program(dir: &Path, script: &str) -> Program {
        let path = dir.join("next");
        std::fs::write(&path, script).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        let argv = vec!["nobat".into(), "serve".into()];
        Program { path, file: File::open("/proc/self/exe").expect("itself"), argv }
    }

    #[test]
    fn only_a_nobat_that_says_that_it_would_start_is_a_candidate() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = dir.path().to_owned();
        let said = |script: &str| program(dir.path(), script).try_out(None, &data);
        let good = format!("#!/bin/sh\n[ \"$*\" = 'serve --trial' ] && echo '{}'\n", would_start(&data));
        assert_eq!(said(&good).expect("a candidate").version, env!("CARGO_PKG_VERSION"));
        for (script, why) in [
            ("#!/bin/sh\necho 'no such key: sever.listen' >&2; exit 2\n", "no such key: sever.listen"),
            ("#!/bin/sh\nexit 0\n", "did not answer as one"),
            ("#!/bin/sh\necho 'nobat would start 9.9 /elsewhere'\n", "another data directory, /elsewhere"),
            ("\u{7f}ELF garbage", "cannot be run"),
            ("#!/no/such/shell\n", "cannot be run"),
        ] {
            let error = said(script).expect_err(script);
            assert!(error.contains(why), "{script}: {error}");
        }
        let absent = program(dir.path(), "").try_out(Some(&dir.path().join("absent")), &data);
        assert!(absent.expect_err("refused").contains("cannot be run"));
    }
}
