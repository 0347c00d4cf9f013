//! What one would take off the shelf: SQLite in memory with an index for each kind of question, and a sorted list.
//!
//! All are given the folded words that the data set's own search compares, so that they find the same pupils,
//! and are asked for 48 pupils at most, as it gives.

use nobat_bots::results::dataset::{Dataset, MATCHES_MAX};
use nobat_bots::text::{Token, tokens};
use rusqlite::{Connection, params};

/// A table of numbers and names, an index on the folded name, and a full-text index on its words.
pub(super) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    pub(super) fn of(set: &Dataset) -> Self {
        let connection = Connection::open_in_memory().expect("memory");
        connection
            .execute_batch(
                "PRAGMA cache_size = -400000;
                 CREATE TABLE pupil(number INTEGER PRIMARY KEY, folded TEXT NOT NULL);
                 CREATE VIRTUAL TABLE words USING fts5(folded, content='pupil', content_rowid='number', detail=none);
                 BEGIN",
            )
            .expect("FTS5 is built in");
        {
            let mut insert = connection.prepare("INSERT INTO pupil VALUES (?1, ?2)").expect("a table");
            for student in set.students() {
                let number = student.number().expect("valid").value() as i64;
                insert.execute(params![number, beginning(&tokens(&student.name()))]).expect("a new number");
            }
        }
        connection
            .execute_batch(
                "CREATE INDEX by_name ON pupil(folded);
                 INSERT INTO words(words) VALUES ('rebuild');
                 INSERT INTO words(words) VALUES ('optimize');
                 COMMIT",
            )
            .expect("indexes");
        Self { connection }
    }

    pub(super) fn bytes(&self) -> u64 {
        let one =
            |what: &str| self.connection.query_row(what, [], |row| row.get::<_, i64>(0)).expect("a figure");
        (one("PRAGMA page_count") * one("PRAGMA page_size")).unsigned_abs()
    }

    pub(super) fn by_number(&self, number: u64) -> bool {
        let mut found =
            self.connection.prepare_cached("SELECT folded FROM pupil WHERE number = ?1").expect("SQL");
        found.exists([number as i64]).expect("an answer")
    }

    pub(super) fn by_words(&self, question: &str) -> usize {
        self.count(
            "SELECT rowid FROM words WHERE words MATCH ?1 LIMIT ?2",
            params![question, MATCHES_MAX as i64],
        )
    }

    pub(super) fn by_beginning(&self, start: &str) -> usize {
        let end = format!("{start}\u{10ffff}");
        self.count(
            "SELECT number FROM pupil WHERE folded >= ?1 AND folded < ?2 LIMIT ?3",
            params![start, end, MATCHES_MAX as i64],
        )
    }

    fn count(&self, sql: &str, params: impl rusqlite::Params) -> usize {
        let mut found = self.connection.prepare_cached(sql).expect("SQL");
        let rows = found.query_map(params, |row| row.get::<_, i64>(0)).expect("an answer");
        rows.inspect(|row| assert!(row.is_ok(), "a row")).count()
    }
}

/// Folded names in order, each with its row: about three times the memory of the data set's index.
pub(super) struct Sorted {
    names: Vec<(String, u32)>,
}

impl Sorted {
    pub(super) fn of(set: &Dataset) -> Self {
        let mut names: Vec<(String, u32)> =
            set.students().enumerate().map(|(row, s)| (beginning(&tokens(&s.name())), row as u32)).collect();
        names.sort_unstable();
        Self { names }
    }

    pub(super) fn by_beginning(&self, start: &str) -> usize {
        let from = self.names.partition_point(|(name, _)| name.as_str() < start);
        let fits = self.names[from..].iter().take_while(|(name, _)| name.starts_with(start));
        let rows: Vec<u32> = fits.map(|(_, row)| *row).take(MATCHES_MAX).collect();
        rows.len()
    }
}

/// The folded words with a blank behind each, so that a beginning ends at a word's end.
pub(super) fn beginning(words: &[Token<'_>]) -> String {
    words.iter().flat_map(|word| [word.key.as_str(), " "]).collect()
}

/// All of these words, in any order: `detail=none` keeps no places, which is the fastest that FTS5 has.
pub(super) fn fts_question(words: &[Token<'_>]) -> String {
    words.iter().map(|word| format!("\"{}\"", word.key)).collect::<Vec<_>>().join(" ")
}
