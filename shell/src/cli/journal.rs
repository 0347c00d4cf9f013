//! `nobat journal verify|dump|repair` and `nobat snapshot inspect`: read and change nothing, also while the bot
//! runs. A repair writes a copy.

use super::args::{Journal, Snapshot};
use super::remedy::with_remedy;
use super::{Done, Failed, Status, World};
use crate::config::{Inputs, store};
use crate::disk::io::FsDirectory;
use crate::disk::{DiskError, inspect, repair, snapshot};
use crate::observe::rfc3339;
use nobat_core::engine;
use nobat_core::id::Seq;
use std::io::{BufWriter, Write as _};
use std::path::Path;

fn damaged(dir: &Path) -> impl Fn(DiskError) -> Failed {
    move |error| Failed::With(Status::Io, format!("{}: {}", dir.display(), with_remedy(&error)))
}

/// Needs no token: a journal may be looked at on another machine.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, journal: &Journal) -> Done {
    let dir = store(inputs)?.data_dir;
    if let Journal::Repair { to } = journal {
        let repaired = repair::repair(&dir, to).map_err(damaged(&dir))?;
        writeln!(world.out, "{repaired}")?;
        let whole = repaired.damage.is_empty() && repaired.seen <= repaired.last;
        return Ok(if whole { Status::Ok } else { Status::NotAsWanted });
    }
    let image = snapshot::newest_whole(&FsDirectory::new(&dir)).map_err(damaged(&dir))?;
    let covered = image.map_or(Seq(0), |header| header.covered);
    let segments = match journal {
        Journal::Dump => {
            let mut out = BufWriter::new(&mut world.out);
            let segments = inspect::dump(&dir, covered, &mut out).map_err(damaged(&dir))?;
            out.flush()?;
            segments
        }
        _ => inspect::verify(&dir, covered).map_err(damaged(&dir))?,
    };
    if segments.is_empty() {
        return Err(Failed::With(
            Status::NotAsWanted,
            format!("{}: there is no journal here", dir.display()),
        ));
    }
    if covered > Seq(0) {
        writeln!(world.out, "a snapshot covers the frames to {covered}")?;
    }
    for segment in &segments {
        writeln!(world.out, "{segment}")?;
    }
    Ok(Status::Ok)
}

/// Says of each snapshot whether it is whole and what it holds.
pub(super) fn snapshots(world: &mut World<'_>, inputs: &Inputs, Snapshot::Inspect: &Snapshot) -> Done {
    let dir = store(inputs)?.data_dir;
    let found = inspect::snapshots(&dir).map_err(damaged(&dir))?;
    let mut status = if found.is_empty() { Status::NotAsWanted } else { Status::Ok };
    if found.is_empty() {
        writeln!(world.err, "{}: there is no snapshot here", dir.display())?;
    }
    for image in found {
        let file = &image.file;
        let told = image.blocks.and_then(|(header, blocks)| {
            let counts = engine::count(blocks.iter().map(Vec::as_slice)).map_err(|flaw| flaw.to_string())?;
            Ok((header, blocks.iter().map(Vec::len).sum::<usize>(), counts))
        });
        match told {
            Ok((header, bytes, counts)) => writeln!(
                world.out,
                "{file}: whole, covers the frames to {}, made {}, {bytes} bytes: {} users, {} envelopes without an \
                 end, {} pages of seen updates",
                header.covered,
                rfc3339::format(header.made),
                counts.users,
                counts.envelopes,
                counts.pages
            )?,
            Err(flaw) => {
                status = Status::NotAsWanted;
                writeln!(world.out, "{file}: DAMAGED: {flaw}")?;
            }
        }
    }
    Ok(status)
}
