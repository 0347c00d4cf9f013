//! `nobat doctor`: will it work? Asks the machine and the platform; a line each, with what to do.

mod machine;
mod places;
mod platform;

use super::args::Doctor;
use super::{Done, Status, World, configured};
use crate::config::{Inputs, Kind};
use crate::ctl::Request;
use crate::ctl::client::ask;
use nobat_bots::results::dataset::Dataset;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    Good,
    /// It works, and could be better.
    Note,
    Bad,
    /// Nobody answered.
    Unreachable,
}

/// What a check found, and what to do about it.
#[derive(Clone, Debug)]
struct Found {
    mark: Mark,
    says: String,
}

impl Found {
    const fn good(says: String) -> Self {
        Self { mark: Mark::Good, says }
    }

    const fn note(says: String) -> Self {
        Self { mark: Mark::Note, says }
    }

    const fn bad(says: String) -> Self {
        Self { mark: Mark::Bad, says }
    }

    const fn unreachable(says: String) -> Self {
        Self { mark: Mark::Unreachable, says }
    }

    fn is_unreachable(&self) -> bool {
        self.mark == Mark::Unreachable
    }
}

/// Writes the findings, and keeps the worst.
struct Report<'o> {
    out: &'o mut dyn Write,
    worst: Status,
}

impl Report<'_> {
    fn tell(&mut self, what: &str, found: Found) -> io::Result<()> {
        let word = match found.mark {
            Mark::Good => "ok  ",
            Mark::Note => "note",
            Mark::Bad | Mark::Unreachable => "BAD ",
        };
        match found.mark {
            Mark::Good | Mark::Note => {}
            Mark::Unreachable if self.worst == Status::Ok => self.worst = Status::Unavailable,
            Mark::Unreachable => {}
            Mark::Bad => self.worst = Status::NotAsWanted,
        }
        writeln!(self.out, "{word} {what:<10} {}", found.says)
    }

    fn is_good(&self) -> bool {
        self.worst == Status::Ok
    }
}

/// Runs every check. 0 if all is good, 69 if the platform cannot be reached, 1 otherwise.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, doctor: &Doctor) -> Done {
    let config = configured(world, inputs)?;
    let mut report = Report { out: &mut *world.out, worst: Status::Ok };
    report.tell("clock", machine::clock())?;
    report.tell("data", machine::data_dir(&config.data_dir))?;
    report.tell("volume", machine::volume(&config.data_dir))?;
    if config.kind == Kind::Results
        && let Some(path) = &config.results.dataset
    {
        report.tell("data set", dataset(path))?;
    }
    report.tell("files", machine::files(&config))?;
    let running = ask(&config.data_dir, &Request::Status).is_ok();
    if running {
        report.tell(
            "process",
            Found::good("nobat runs on this data directory: `nobat ctl status`".to_owned()),
        )?;
    } else {
        if config.listens {
            report.tell("webhooks", machine::listener(config.listen))?;
        }
        if config.admin.on_main.is_none() {
            report.tell("admin", machine::listener(config.admin_listen))?;
        }
    }
    if let Some(files) = &config.tls {
        report.tell("TLS", machine::certificate(files))?;
    }
    if !doctor.offline {
        platform::look(&*(world.connect)(&config), &config, running, &mut report)?;
    }
    Ok(report.worst)
}

fn dataset(path: &Path) -> Found {
    let shown = path.display();
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Found::note(format!("{shown} is not there yet: nobat results import FILE"))
        }
        Err(error) => Found::bad(format!("{shown} cannot be read: {error}")),
        Ok(bytes) => match Dataset::load(bytes) {
            Ok(set) => Found::good(format!("{shown}: {} pupils, {} bytes in memory", set.len(), set.bytes())),
            Err(error) => Found::bad(format!("{shown}: {error}; import the list again")),
        },
    }
}
