//! The binary: hands the world to the command line, and its answer to the operating system.

use nobat::cli::{World, run};
use nobat::observe::log;
use nobat::platform::Platform;
use nobat::supervisor::handed_on;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    log::guard_panics();
    // Names that are not UTF-8 are none of ours.
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        // From one program to the next in the same process: nobody configured them.
        .filter(|(name, _)| !handed_on(name));
    let mut world = World {
        env: env.collect(),
        dir: std::path::PathBuf::new(),
        out: &mut io::stdout(),
        err: &mut io::stderr(),
        connect: &|config| Box::new(Platform::of(config)),
    };
    ExitCode::from(run(&mut world, std::env::args_os()) as u8)
}
