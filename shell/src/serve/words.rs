//! The operator's own words: one file a language in his folder, over the built-in texts.

use super::ServeError;
use std::fmt::Display;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Reads `<tag>.txt` of each language that has one and passes it to `replace`; `key` names the folder in
/// the configuration.
///
/// # Errors
/// `dir` is no directory; a file that cannot be read, or whose texts cannot be used; with its name, and the
/// line where there is one.
pub(super) fn replaced<L, E: Display>(
    key: &str,
    dir: &Path,
    languages: impl IntoIterator<Item = (L, &'static str)>,
    mut replace: impl FnMut(L, &str) -> Result<(), Vec<E>>,
) -> Result<(), ServeError> {
    if !dir.is_dir() {
        let what = format!("{key}: {} is no directory; make it, or leave the key away", dir.display());
        return Err(ServeError::Config(what));
    }
    for (language, tag) in languages {
        let path = dir.join(format!("{tag}.txt"));
        let file = match fs::read_to_string(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(ServeError::Config(format!("{}: {e}", path.display()))),
        };
        replace(language, &file).map_err(|errors| {
            let lines: Vec<_> = errors.iter().map(|e| format!("{}: {e}", path.display())).collect();
            ServeError::Config(lines.join("\n"))
        })?;
    }
    Ok(())
}
