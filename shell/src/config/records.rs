//! The values of records: where they go, how long they stay.

use super::bots::Kind;
use super::keys;
use super::types::External;
use super::values::Values;
use crate::observe::Secret;
use nobat_core::bot::records::Table;
use std::path::{Path, PathBuf};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// What people may read, and where.
#[derive(Clone, Debug)]
pub struct RecordsConfig {
    /// Where rows go.
    pub store: RecordsStore,
    /// By table: rows dated earlier than so long ago are removed.
    pub retain: Vec<(&'static Table, Duration)>,
    /// How often space is given back; none for never.
    pub vacuum: Option<Duration>,
    /// Bytes of journal kept for a database that cannot be written.
    pub backlog: u64,
}

/// Where rows go.
#[derive(Clone, Debug)]
pub enum RecordsStore {
    /// Nowhere.
    Off,
    /// Into this file.
    Sqlite(PathBuf),
    /// To this server.
    Postgres(Secret),
}

impl RecordsConfig {
    /// What is worth saying at start.
    pub(super) fn remark(&self, kind: Kind, external: &External) -> Option<String> {
        let meant = kind != Kind::Results && external.postgres_uri.is_some();
        let lacking = meant && !cfg!(feature = "postgres") && matches!(self.store, RecordsStore::Sqlite(_));
        lacking.then(|| {
            "POSTGRES_URI is set, and this nobat was built without the feature `postgres`: records go to an SQLite \
             file (records.store = \"sqlite\" says that this is meant)"
                .to_owned()
        })
    }
}

pub(super) fn records(
    values: &mut Values<'_>,
    kind: Kind,
    data_dir: &Path,
    external: &External,
) -> RecordsConfig {
    // A results bot reads its lists from the databases that these names name.
    let ours = kind != Kind::Results;
    let file = values
        .path(keys::RECORDS_SQLITE)
        .or_else(|| external.sqlite_path.clone().filter(|_| ours))
        .unwrap_or_else(|| data_dir.join("records.sqlite"));
    let uri = external.postgres_uri.clone();
    let store = match (values.one_of(keys::RECORDS_STORE), uri) {
        (Some(0), _) => RecordsStore::Off,
        (Some(2), Some(uri)) => RecordsStore::Postgres(uri),
        (Some(2), None) => {
            let origin = values.origin(keys::RECORDS_STORE);
            let what = "is `postgres`, and nothing says where that is";
            let remedy = "set POSTGRES_URI to postgres://user:password@host/database";
            values.problems.add(&origin, keys::RECORDS_STORE.key().dotted(), what, remedy);
            RecordsStore::Off
        }
        (None, Some(uri)) if ours && cfg!(feature = "postgres") => RecordsStore::Postgres(uri),
        _ => RecordsStore::Sqlite(file),
    };
    let days = values.whole(keys::RECORDS_VACUUM);
    RecordsConfig {
        store,
        retain: retain(values),
        vacuum: (days > 0).then(|| DAY * u32::try_from(days).unwrap_or(u32::MAX)),
        backlog: values.whole(keys::RECORDS_BACKLOG) << 20,
    }
}

/// `table:days`.
fn retain(values: &mut Values<'_>) -> Vec<(&'static Table, Duration)> {
    let mut retain = Vec::new();
    for item in values.list(keys::RECORDS_RETAIN) {
        let read = item.text.split_once(':').and_then(|(name, days)| {
            let table = Table::named(name.trim()).filter(|table| table.dated.is_some())?;
            let days: u32 = days.trim().parse().ok().filter(|days| (1..=36_500).contains(days))?;
            Some((table, DAY * days))
        });
        match read {
            Some(read) => retain.push(read),
            None => {
                let what = format!("`{}` is not a table and its days", item.text);
                let remedy = "write such as `audit:365`; docs/records.md lists the tables";
                values.problems.add(&item.origin, keys::RECORDS_RETAIN.key().dotted(), what, remedy);
            }
        }
    }
    retain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_texts;

    fn store(kind: &str, toml: &str, env: &str) -> RecordsConfig {
        let env = format!("BOT_TOKENS=1000001:TEST\nNOBAT_KIND={kind}\nPORT=8080\n{env}");
        load_texts(toml, &env).unwrap_or_else(|problems| panic!("{problems}")).records
    }

    fn file(of: &RecordsConfig) -> String {
        match &of.store {
            RecordsStore::Sqlite(path) => path.display().to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_go_to_a_file_in_the_data_directory_unless_another_is_named() {
        assert_eq!(file(&store("chat", "", "")), "data/records.sqlite");
        assert_eq!(file(&store("chat", "", "SQLITE_DB_PATH=/x/bot.db\n")), "/x/bot.db");
        // There a results bot's list stands.
        assert_eq!(file(&store("results", "", "SQLITE_DB_PATH=/x/list.db\n")), "data/records.sqlite");
        assert_eq!(file(&store("results", "[records]\nsqlite_path = \"/y\"\n", "")), "/y");
        assert!(matches!(store("chat", "[records]\nstore = \"off\"\n", "").store, RecordsStore::Off));
    }

    #[test]
    fn a_server_is_used_where_one_is_named_and_this_build_can() {
        let uri = "POSTGRES_URI=postgres://u:p@h/d\n";
        let named = store("chat", "", uri);
        assert_eq!(matches!(named.store, RecordsStore::Postgres(_)), cfg!(feature = "postgres"));
        assert!(matches!(store("results", "", uri).store, RecordsStore::Sqlite(_)));
        let told = store("results", "[records]\nstore = \"postgres\"\n", uri);
        assert!(matches!(told.store, RecordsStore::Postgres(_)));
        assert!(!format!("{told:?}").contains("u:p"));
        let refused = load_texts("[records]\nstore = \"postgres\"\n", "BOT_TOKENS=1000001:TEST\nPORT=8080\n");
        assert!(refused.expect_err("a problem").to_string().contains("POSTGRES_URI"));
    }

    #[test]
    fn what_is_removed_is_said_by_table_and_days() {
        let kept =
            store("chat", "[records]\nretain_days = [\"audit:365\", \"users:30\"]\nvacuum_days = 0\n", "");
        let shown: Vec<_> =
            kept.retain.iter().map(|(table, age)| (table.name, age.as_secs() / 86_400)).collect();
        assert_eq!((shown, kept.vacuum), (vec![("audit", 365), ("users", 30)], None));
        for bad in ["audit", "audit:0", "nothing:5", "audit:x"] {
            let toml = format!("[records]\nretain_days = [\"{bad}\"]\n");
            assert!(load_texts(&toml, "BOT_TOKENS=1000001:TEST\nPORT=8080\n").is_err(), "{bad}");
        }
    }
}
