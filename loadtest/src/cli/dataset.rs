//! `nobat-load dataset`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::dataset::{ROWS_MAX, Truth};

/// Flags of `dataset`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: nobat-load dataset --records 700000 results.csv")]
pub(super) struct Args {
    /// Where to write it; `-` is the standard output.
    file: PathBuf,
    /// How many pupils.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(0..=ROWS_MAX as i64))]
    records: u32,
    /// Everything follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let truth = Truth::generate(self.records as usize, self.seed);
        let written = if self.file.as_os_str() == "-" {
            truth.write_csv(&mut BufWriter::new(std::io::stdout().lock()))
        } else {
            File::create(&self.file).and_then(|file| {
                let mut file = BufWriter::new(file);
                truth.write_csv(&mut file)?;
                file.flush()
            })
        };
        match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => super::trouble(&format_args!("cannot write {}: {error}", self.file.display())),
        }
    }
}
