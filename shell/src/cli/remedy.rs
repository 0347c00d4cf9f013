//! What to do about an error of the disk, in words for the operator: the rooms below say what and where.

use crate::disk::DiskError;
use std::io::ErrorKind;

/// The error, and its remedy where there is one to name.
pub(super) fn with_remedy(error: &DiskError) -> String {
    match remedy(error) {
        Some(remedy) => format!("{error}; {remedy}"),
        None => error.to_string(),
    }
}

fn remedy(error: &DiskError) -> Option<&'static str> {
    match error {
        DiskError::Io { source, .. } => of_the_system(source.kind()),
        DiskError::Header { .. } => Some("move it away if it is no journal's; else restore a backup"),
        DiskError::Snapshot { .. } => Some("restore a backup"),
        _ => None,
    }
}

/// For what the operating system says about a data directory.
pub(super) const fn of_the_system(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::PermissionDenied => {
            "give the directory to the user that runs nobat (chown), or set NOBAT_DATA_DIR to another"
        }
        ErrorKind::NotFound => "name the directory with NOBAT_DATA_DIR or --data-dir",
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "a file stands where the directory should be: set NOBAT_DATA_DIR to a directory"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
        ErrorKind::ReadOnlyFilesystem => "mount it writable, or set NOBAT_DATA_DIR to another place",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Arc;

    #[test]
    fn what_the_system_refuses_has_a_remedy() {
        let refused = |kind: ErrorKind| {
            let source = Arc::new(io::Error::from(kind));
            with_remedy(&DiskError::Io { doing: "open the lock", file: "data/lock".into(), source })
        };
        assert_eq!(
            refused(ErrorKind::PermissionDenied),
            "cannot open the lock data/lock: permission denied; give the directory to the user that runs nobat \
             (chown), or set NOBAT_DATA_DIR to another"
        );
        assert!(refused(ErrorKind::StorageFull).ends_with("; make room on the disk"));
        assert_eq!(refused(ErrorKind::TimedOut), "cannot open the lock data/lock: timed out");
    }
}
