//! The entry point: arguments in, an exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    nobat_load::cli::run()
}
