//! The tables of `docs/records.md`, made from those of the code. A test compares.

use nobat_core::bot::records::{Holds, TABLES};
use std::fmt::Write as _;

/// All tables as Markdown. Writing to a `String` cannot fail.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::new();
    for table in TABLES {
        let (name, about) = (table.name, table.about);
        let _ = write!(out, "\n### nobat_{name}\n\n{about}\n\n| column | holds | |\n|---|---|---|\n");
        for (at, column) in table.columns.iter().enumerate() {
            let holds = match column.holds {
                Holds::Whole => "whole number",
                Holds::Text => "text",
                Holds::Time => "instant",
                Holds::Flag => "yes or no",
            };
            let key = if at < table.key { ", key" } else { "" };
            let _ = writeln!(out, "| `{}` | {holds}{key} | {} |", column.name, column.about);
        }
        let indexes: Vec<_> =
            table.indexes.iter().map(|columns| format!("`{}`", columns.join(", "))).collect();
        let dated = table.dated.map_or(String::new(), |dated| format!(" Rows are dated by `{dated}`."));
        let _ = writeln!(out, "\nIndexes beside the key: {}.{dated}", indexes.join("; "));
    }
    out
}
