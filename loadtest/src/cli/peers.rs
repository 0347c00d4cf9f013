//! `nobat-load peers`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::peers::{Case, Peer, PeerError, Row, hold, hold_nobat, table};
use crate::rehearse::ServerCommand;
use crate::telegram::Defiance;

/// Flags of `peers`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Install the peers first: loadtest/peers/setup. All of it takes about 20 minutes.")]
pub(super) struct Args {
    /// Which bursts; all if none is named.
    #[arg(long, value_enum)]
    case: Vec<Case>,
    /// Beside whom; all if none is named.
    #[arg(long, value_enum)]
    peer: Vec<Peer>,
    /// A call before an announced wait is over starts the wait again, instead of being counted alone.
    #[arg(long)]
    extend: bool,
    /// The folder of the peers' programs.
    #[arg(long, value_name = "DIR", default_value = "loadtest/peers")]
    home: PathBuf,
    /// Nobat's binary; by default as in `rehearse`.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Write the rows here too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let server = match &self.server {
            Some(path) => Ok(ServerCommand::at(super::rehearse::absolute(path))),
            None => ServerCommand::find(&mut |line| eprintln!("{line}")),
        };
        let server = match server {
            Ok(server) => server,
            Err(error) => return super::trouble(&error),
        };
        let mut all = Vec::new();
        for case in chosen(&self.case, Case::ALL) {
            eprintln!("{}: {:.0} s at best", case.name(), case.bound_s());
            let mut rows = Vec::new();
            keep("nobat", hold_nobat(case, &server), &mut rows);
            for peer in chosen(&self.peer, Peer::ALL) {
                let defiance = if self.extend { Defiance::Extend } else { Defiance::Count };
                keep(peer.name(), hold(case, peer, defiance, &self.home), &mut rows);
            }
            super::put(&format!("\n{}\n\n{}\n", case.name(), table(&rows)));
            all.append(&mut rows);
        }
        match self.json.map(|path| write(&path, &all)) {
            Some(Err(error)) => super::trouble(&error),
            _ => ExitCode::SUCCESS,
        }
    }
}

fn chosen<T: Copy, const N: usize>(named: &[T], all: [T; N]) -> Vec<T> {
    if named.is_empty() { all.to_vec() } else { named.to_vec() }
}

/// A row, or the reason why there is none.
fn keep(name: &str, row: Result<Row, PeerError>, rows: &mut Vec<Row>) {
    match row {
        Ok(row) => {
            eprintln!("  {name}: {} of {} in {:.1} s", row.accepted, row.messages, row.drain_s);
            rows.push(row);
        }
        Err(error) => eprintln!("  {name}: EMPTY: {error}"),
    }
}

fn write(path: &std::path::Path, rows: &[Row]) -> Result<(), String> {
    let text = serde_json::to_string_pretty(rows).map_err(|e| e.to_string())?;
    std::fs::write(path, text + "\n").map_err(|e| format!("cannot write {}: {e}", path.display()))
}
