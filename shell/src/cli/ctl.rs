//! `nobat ctl`: asks the running process. Needs no token and no configuration beyond where the data directory is.

use super::args::{Ask, Ctl};
use super::{Done, Failed, Status, World};
use crate::config::{Inputs, Secret, data_dir};
use crate::ctl::Request;
use crate::ctl::client::{CtlError, Reply, ask};
use simd_json::OwnedValue;
use simd_json::prelude::{ValueAsScalar as _, ValueObjectAccess as _};
use std::io::{self, BufRead as _, Read as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

mod show;

/// How long another program may take to serve after it was put in place.
const TAKES_OVER_MAX: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Asks, and prints the answer: a sentence or a table, or with `--json` as it came.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, args: &Ctl) -> Done {
    let data_dir = data_dir(inputs);
    let token = match args.ask {
        Ask::AddToken => Some(token()?),
        _ => None,
    };
    let request = args.ask.request(token);
    let before = match request {
        Request::Upgrade(_) | Request::AddToken(_) => {
            started(&ask(&data_dir, &Request::Status).map_err(failed)?.value)
        }
        _ => None,
    };
    let reply = ask(&data_dir, &request).map_err(failed)?;
    if let Request::Upgrade(_) | Request::AddToken(_) = request {
        let after = await_next(&data_dir, before)?;
        return tell_upgrade(world, &reply, &after, args.json);
    }
    if args.json {
        writeln!(world.out, "{}", reply.text)?;
    } else {
        show::show(world.out, &args.ask, &reply)?;
    }
    Ok(Status::Ok)
}

/// From standard input: an argument would stand in the list of processes.
fn token() -> Result<Secret, Failed> {
    let mut line = String::new();
    io::stdin().lock().take(1024).read_line(&mut line)?;
    match line.trim() {
        "" => Err(Failed::With(
            Status::Usage,
            "no token: write it to standard input, such as `nobat ctl add-token < FILE`".to_owned(),
        )),
        token => Ok(Secret::new(token.to_owned())),
    }
}

/// When the server in the process began to serve.
fn started(status: &OwnedValue) -> Option<u64> {
    status.get("started_unix_ms")?.as_u64()
}

/// Waits until another program serves, or this one again.
fn await_next(data_dir: &Path, before: Option<u64>) -> Result<Reply, Failed> {
    let mut left = TAKES_OVER_MAX;
    loop {
        match ask(data_dir, &Request::Status) {
            Ok(reply) if started(&reply.value) != before => return Ok(reply),
            // The connection ends with the program that took it; the next one takes the next.
            Ok(_) | Err(CtlError::Io(_) | CtlError::NotRunning(_)) if !left.is_zero() => {}
            Ok(_) => {
                let why = "the next program does not serve yet: look at the log".to_owned();
                return Err(Failed::With(Status::NotAsWanted, why));
            }
            Err(e) => return Err(failed(e)),
        }
        thread::sleep(LOOK_AGAIN);
        left = left.saturating_sub(LOOK_AGAIN);
    }
}

fn tell_upgrade(world: &mut World<'_>, reply: &Reply, after: &Reply, json: bool) -> Done {
    if json {
        writeln!(world.out, "{}", after.text)?;
    }
    if let Some(why) = after.value.get("fell_back").and_then(|why| why.as_str()) {
        let why = format!("the next program did not start, the one before serves again: {why}");
        return Err(Failed::With(Status::NotAsWanted, why));
    }
    if !json {
        let says = reply.says().unwrap_or_default();
        writeln!(world.out, "{says}: it serves, in the same process, with the same sockets")?;
    }
    Ok(Status::Ok)
}

fn failed(error: CtlError) -> Failed {
    match error {
        CtlError::Refused(_) => Failed::With(Status::NotAsWanted, error.to_string()),
        CtlError::NotRunning(_) | CtlError::NotAllowed(_) | CtlError::NotUnderstood => {
            Failed::With(Status::Unavailable, error.to_string())
        }
        CtlError::Io(e) => Failed::Io(io::Error::new(e.kind(), format!("the answer did not come: {e}"))),
    }
}
