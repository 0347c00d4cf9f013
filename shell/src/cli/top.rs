//! `nobat top`: the running process, live, in a terminal.
//!
//! What lives here: the loop (ask, draw, wait for a key) and the terminal's care. What a screen shows is a pure
//! function of two looks at the process, in [`screen`]. Plain ANSI sequences: no framework is needed for a table.

mod screen;
mod view;

use super::{Done, Failed, Status, World};
use crate::config::{Inputs, data_dir};
use crate::ctl::Request;
use crate::ctl::client::{CtlError, ask};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use screen::{Size, draw};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use view::View;

use super::args::Top;

/// Where nobody says how large the terminal is.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// Draws until `q` is pressed; with `--once`, or where there is no terminal, one screen after one interval.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, args: &Top) -> Done {
    let data_dir = data_dir(inputs);
    let every = Duration::from_secs(args.every.into());
    let mut before = look(&data_dir).map_err(failed)?;
    if args.once || !io::stdout().is_terminal() {
        std::thread::sleep(every);
        let now = look(&data_dir).map_err(failed)?;
        write!(world.out, "{}", draw(&now, Some(&before), USUAL, false))?;
        return Ok(Status::Ok);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(Failed::Io)?;
    }
    let _terminal = Terminal::take().map_err(Failed::Io)?;
    let mut gone = None;
    while !stop.load(Ordering::Relaxed) {
        let screen = match look(&data_dir) {
            Ok(now) => {
                let screen = draw(&now, Some(&before), size(), true);
                (before, gone) = (now, None);
                screen
            }
            // An upgrade or a restart is under way: the last screen stays, and says so.
            Err(e) => {
                let since = *gone.get_or_insert(before.at_ms);
                format!("\x1b[H\x1b[7m {e} (last seen at {since}) \x1b[0m\x1b[K")
            }
        };
        let mut out = io::stdout().lock();
        out.write_all(screen.as_bytes())?;
        out.flush()?;
        drop(out);
        if quit_pressed(every) {
            break;
        }
    }
    Ok(Status::Ok)
}

fn look(data_dir: &Path) -> Result<View, CtlError> {
    let reply = ask(data_dir, &Request::Status)?;
    View::read(&reply.value).ok_or(CtlError::NotUnderstood)
}

fn failed(error: CtlError) -> Failed {
    Failed::With(Status::Unavailable, error.to_string())
}

fn size() -> Size {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
        }
        _ => USUAL,
    }
}

/// Waits for a key; whether it was `q`. A closed standard input is none.
fn quit_pressed(patience: Duration) -> bool {
    let stdin = io::stdin();
    let wait = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: 0 };
    let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
    match poll(&mut ready, Some(&wait)) {
        Ok(n) if n > 0 => {
            let mut key = [0; 16];
            match io::stdin().lock().read(&mut key) {
                Ok(0) | Err(_) => {
                    std::thread::sleep(patience);
                    false
                }
                Ok(n) => key[..n].contains(&b'q'),
            }
        }
        _ => false,
    }
}

/// The terminal while we draw: another screen, no cursor, keys at once. Given back when dropped.
struct Terminal {
    before: Option<Termios>,
}

impl Terminal {
    fn take() -> io::Result<Self> {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut keys = before.clone();
            keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            tcsetattr(io::stdin(), OptionalActions::Now, &keys)?;
        }
        io::stdout().write_all(b"\x1b[?1049h\x1b[?25l")?;
        Ok(Self { before })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut out = io::stdout();
        // Nothing is left to be done if the terminal is gone.
        let _ = out.write_all(b"\x1b[?25h\x1b[?1049l").and_then(|()| out.flush());
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
