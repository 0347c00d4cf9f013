//! Puts a report where people and programs find it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::report::{Report, page};

/// Writes `PROFILE.json` and `PROFILE.html` into `folder`, and the JSON to `json` as well if that is named.
/// Returns the paths written.
///
/// # Errors
/// A file could not be written; the error names it.
pub fn write(report: &Report, folder: &Path, json: Option<&Path>) -> io::Result<Vec<PathBuf>> {
    let text = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
    let mut written = Vec::new();
    let mut put = |path: PathBuf, text: &str| {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        written.push(path);
        Ok::<(), io::Error>(())
    };
    put(folder.join(format!("{}.json", report.profile)), &text)?;
    put(folder.join(format!("{}.html", report.profile)), &page(report))?;
    if let Some(path) = json {
        put(path.to_path_buf(), &text)?;
    }
    Ok(written)
}
