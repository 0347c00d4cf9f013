//! The values of backups.

use super::keys;
use super::values::Values;
use std::path::PathBuf;
use std::time::Duration;

/// Copies of everything.
#[derive(Clone, Debug)]
pub struct BackupConfig {
    /// How often `serve` makes one; none for never.
    pub every: Option<Duration>,
    /// The folder that they go into.
    pub to: Option<PathBuf>,
    /// How many stay.
    pub keep: usize,
}

pub(super) fn backup(values: &mut Values<'_>) -> BackupConfig {
    let hours = values.whole(keys::BACKUP_EVERY);
    let to = values.path(keys::BACKUP_TO);
    if hours > 0 && to.is_none() {
        let origin = values.origin(keys::BACKUP_EVERY);
        let what = "is set, and nothing says where backups go";
        values.problems.add(&origin, keys::BACKUP_EVERY.key().dotted(), what, "set backup.to to a folder");
    }
    let every = (hours > 0).then(|| Duration::from_secs(hours * 3600));
    BackupConfig { every, to, keep: values.whole(keys::BACKUP_KEEP) as usize }
}

#[cfg(test)]
mod tests {
    use crate::config::load_texts;

    #[test]
    fn backups_are_off_until_it_is_said_how_often_and_where() {
        let read =
            |toml: &str| load_texts(toml, "BOT_TOKENS=1000001:TEST\nPORT=8080\n").map(|config| config.backup);
        assert!(read("").expect("a configuration").every.is_none());
        let refused = read("[backup]\nevery_hours = 6\n").expect_err("a problem").to_string();
        assert!(refused.contains("backup.to"), "{refused}");
        let said = read("[backup]\nevery_hours = 6\nto = \"/b\"\nkeep = 3\n").expect("a configuration");
        assert_eq!((said.every.map(|every| every.as_secs()), said.keep), (Some(21_600), 3));
    }
}
