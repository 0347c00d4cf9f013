//! `nobat completions` and `nobat man`: made from the grammar itself, so that they never lag behind it.

use super::args::{Args, Completions, Man};
use super::{Done, Failed, Status, World};
use clap::CommandFactory as _;
use std::io;

/// Prints a completion script.
pub(super) fn completions(world: &mut World<'_>, args: &Completions) -> Done {
    // Into memory first: the generator panics when a pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "nobat", &mut script);
    world.out.write_all(&script)?;
    Ok(Status::Ok)
}

/// Writes a page for each command into a directory, or prints the first.
pub(super) fn man(world: &mut World<'_>, args: &Man) -> Done {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Args::command()).render(&mut page)?;
        world.out.write_all(&page)?;
        return Ok(Status::Ok);
    };
    let named = |e: io::Error| Failed::Io(io::Error::new(e.kind(), format!("{}: {e}", dir.display())));
    std::fs::create_dir_all(dir).map_err(named)?;
    clap_mangen::generate_to(Args::command(), dir).map_err(named)?;
    writeln!(world.out, "pages are in {}", dir.display())?;
    Ok(Status::Ok)
}
