//! `nobat backup` and `nobat restore`.

use super::args::{Backup, Restore};
use super::remedy::{of_the_system, with_remedy};
use super::{Done, Failed, Status, World, stored};
use crate::backup::{self, BackupError};
use crate::clock::Clock;
use crate::config::{Config, Inputs, load_without_tokens, store};
use crate::disk::DiskError;
use crate::observe::rfc3339;
use crate::recovery::{self, Pace, Rehearsed};
use crate::serve;
use std::sync::atomic::AtomicBool;

/// Makes one, or opens one that is there. Takes no lock: the bot may run.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, args: &Backup) -> Done {
    let config = stored(world, inputs)?;
    let engine = engine(&config)?;
    if let Some(path) = &args.check {
        let opened = backup::verify(path, &engine).map_err(failed)?;
        writeln!(world.out, "{} opens: {}", path.display(), held(opened))?;
        return Ok(Status::Ok);
    }
    let to = args.to.as_ref().or(config.backup.to.as_ref()).ok_or_else(|| {
        Failed::With(
            Status::Usage,
            "say where the backup goes: --to DIR, or backup.to in the configuration".to_owned(),
        )
    })?;
    recovery::stand_back();
    let stop = AtomicBool::new(false);
    let mut pace = Pace::new(&stop);
    let (what, now) = (serve::what_is_backed_up(&config), Clock::start().now().wall);
    let made = backup::make(&what, to, now, &engine, &mut |bytes| pace.spend(bytes)).map_err(failed)?;
    let (path, bytes) = (made.path.display(), made.bytes);
    writeln!(world.out, "{path}: {bytes} bytes, opened: {}", held(made.opened))?;
    Ok(Status::Ok)
}

/// Needs no token: on a new machine the backup may be there first.
pub(super) fn restore(world: &mut World<'_>, inputs: &Inputs, args: &Restore) -> Done {
    let to = store(inputs)?.data_dir;
    let manifest = backup::restore(&args.from, &to).map_err(failed)?;
    let (made, files) = (rfc3339::format(manifest.made), manifest.files.len());
    let (to, last) = (to.display(), manifest.last);
    writeln!(world.out, "{to}: {files} files of {made}, every frame to {last} is whole")?;
    match load_without_tokens(inputs).ok().map(|config| engine(&config)) {
        Some(Ok(engine)) => {
            let opened = backup::verify(&args.from, &engine).map_err(failed)?;
            writeln!(world.out, "opened: {}; `nobat serve` goes on from here", held(opened))?;
        }
        _ => writeln!(
            world.out,
            "it was not opened, because the configuration is not whole here (`nobat check`); `nobat serve` does that"
        )?,
    }
    writeln!(
        world.out,
        "what was answered after {made} is not in it; never run the old data directory and this one at the same time"
    )?;
    Ok(Status::Ok)
}

fn engine(config: &Config) -> Result<nobat_core::engine::Engine<nobat_core::engine::Detached>, Failed> {
    serve::bare_engine(config).map_err(|e| Failed::With(Status::Usage, e.to_string()))
}

fn held(Rehearsed { last, users, pending }: Rehearsed) -> String {
    format!("{users} users, {pending} messages that wait, frames to {last}")
}

fn failed(error: BackupError) -> Failed {
    let status = match &error {
        BackupError::NotEmpty { .. } => Status::Usage,
        BackupError::Flawed { .. } | BackupError::Unusable { .. } => Status::NotAsWanted,
        _ => Status::Io,
    };
    let says = match &error {
        BackupError::Disk(e @ DiskError::Io { .. }) => with_remedy(e),
        BackupError::Io { source, .. } => match of_the_system(source.kind()) {
            Some(remedy) => format!("{error}; {remedy}"),
            None => error.to_string(),
        },
        BackupError::Unusable { .. } => {
            format!("{error}; was it made by a newer nobat, or with another kind of bot? Try an older backup")
        }
        _ => error.to_string(),
    };
    Failed::With(status, says)
}
