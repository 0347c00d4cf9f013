//! `nobat-load compare`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::report::compare::{rows, table};

/// Flags of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: nobat-load compare before.json after.json --fail-above 10")]
pub(super) struct Args {
    /// The report to compare with.
    before: PathBuf,
    /// The report to compare.
    after: PathBuf,
    /// Exit 1 if a judged figure is worse by more than this, in per cent.
    #[arg(long, value_name = "PERCENT")]
    fail_above: Option<f64>,
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let (before, after) = match (read(&self.before), read(&self.after)) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(error), _) | (_, Err(error)) => return super::trouble(&error),
        };
        let rows = rows(&before, &after);
        super::put(&table(&rows));
        let Some(bound) = self.fail_above else {
            return ExitCode::SUCCESS;
        };
        let worse: Vec<_> = rows.iter().filter(|row| row.worse() * 100.0 > bound).collect();
        for row in &worse {
            eprintln!("worse by more than {bound} %: {}", row.path);
        }
        ExitCode::from(u8::from(!worse.is_empty()))
    }
}

fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{} is no report: {e}", path.display()))
}
