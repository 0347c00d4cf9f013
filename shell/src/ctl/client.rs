//! The other side of the socket: what `nobat ctl` and `nobat top` call.

use super::{Request, reachable};
use simd_json::OwnedValue;
use simd_json::prelude::{ValueAsScalar as _, ValueObjectAccess as _};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For an answer: the next program is tried out for a minute at most.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    /// Nobody is behind the socket.
    #[error(
        "nobat does not run on {}: start it, or name its data directory with --data-dir or NOBAT_DATA_DIR", .0.display()
    )]
    NotRunning(PathBuf),
    /// The socket is not ours.
    #[error("{}: permission denied: ask as the user that runs nobat (such as `sudo -u nobat nobat ctl ...`)", .0.display())]
    NotAllowed(PathBuf),
    /// The process answered with a refusal.
    #[error("{0}")]
    Refused(String),
    /// The connection broke, as it does when the process ends meanwhile.
    #[error("the answer did not come: {0}")]
    Io(#[from] io::Error),
    /// The answer is none of nobat's.
    #[error("the answer is not understood: is another program behind the socket?")]
    NotUnderstood,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// As it came: a JSON object.
    pub text: String,
    /// Read.
    pub value: OwnedValue,
}

impl Reply {
    /// The sentence for the operator, where it is one.
    #[must_use]
    pub fn says(&self) -> Option<String> {
        self.value.get("says")?.as_str().map(str::to_owned)
    }
}

/// Asks the process that holds `data_dir`.
///
/// # Errors
/// [`CtlError`].
pub fn ask(data_dir: &Path, request: &Request) -> Result<Reply, CtlError> {
    let shown = || data_dir.to_owned();
    let (path, _dir) = reachable(data_dir).map_err(|_| CtlError::NotRunning(shown()))?;
    let mut stream = UnixStream::connect(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => CtlError::NotRunning(shown()),
        io::ErrorKind::PermissionDenied => CtlError::NotAllowed(shown()),
        _ => CtlError::Io(e),
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{}\n", request.line()).as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let text = text.trim_end().to_owned();
    if text.is_empty() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let value = simd_json::to_owned_value(&mut text.clone().into_bytes());
    let value = value.map_err(|_| CtlError::NotUnderstood)?;
    match value.get("ok").and_then(simd_json::prelude::ValueAsScalar::as_bool) {
        Some(true) => Ok(Reply { text, value }),
        Some(false) => {
            let why = value.get("error").and_then(|why| why.as_str()).unwrap_or("no reason was given");
            Err(CtlError::Refused(why.to_owned()))
        }
        None => Err(CtlError::NotUnderstood),
    }
}
