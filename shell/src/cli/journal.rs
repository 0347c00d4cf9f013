//! `nobat journal verify|dump`: reads the journal and changes nothing, also while the bot runs.

use super::args::Journal;
use super::{Done, Failed, Status, World};
use crate::config::{Inputs, store};
use crate::disk::inspect;
use nobat_core::id::Seq;
use std::io::{BufWriter, Write as _};

/// Needs no token: a journal may be looked at on another machine.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, journal: &Journal) -> Done {
    let dir = store(inputs)?.data_dir;
    let damaged = |error: crate::disk::DiskError| Failed::With(Status::Io, error.to_string());
    let segments = match journal {
        Journal::Verify => inspect::verify(&dir, Seq(0)).map_err(damaged)?,
        Journal::Dump => {
            let mut out = BufWriter::new(&mut world.out);
            let segments = inspect::dump(&dir, Seq(0), &mut out).map_err(damaged)?;
            out.flush()?;
            segments
        }
    };
    if segments.is_empty() {
        return Err(Failed::With(
            Status::NotAsWanted,
            format!("{}: there is no journal here", dir.display()),
        ));
    }
    for segment in &segments {
        writeln!(world.out, "{segment}")?;
    }
    Ok(Status::Ok)
}
