//! Two reports side by side: what changed, and by how much.

use std::fmt::Write;

use serde_json::Value;

/// Parts of a report that are no figures to compare.
const SKIPPED: [&str; 4] = ["series", "findings", "lanes", "checks"];

/// Figures of which more is better; of all others less is better or neither.
const MORE_IS_BETTER: [&str; 1] = ["sends_per_s"];

/// One figure of both reports, by its path.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Dotted, as in `latency_ms.update_to_send.p99`.
    pub path: String,
    /// In the first report.
    pub before: f64,
    /// In the second.
    pub after: f64,
}

impl Row {
    /// Change relative to the first, where that is not zero.
    pub fn change(&self) -> Option<f64> {
        (self.before != 0.0).then(|| self.after / self.before - 1.0)
    }

    /// By how much the second is worse than the first, 0 to infinity. Only what a run is judged by counts.
    pub fn worse(&self) -> f64 {
        let judged = ["latency_ms", "server.rss", "server.cpu", "drain", "sends_per_s", "lost", "repeated"];
        let judged = judged.iter().any(|part| self.path.starts_with(part) && !self.path.ends_with("count"));
        let more = MORE_IS_BETTER.contains(&self.path.as_str());
        match self.change() {
            _ if !judged => 0.0,
            Some(change) => f64::max(if more { -change } else { change }, 0.0),
            None if self.after > 0.0 && !more => f64::INFINITY,
            None => 0.0,
        }
    }
}

/// All figures that both reports have, in the order of the first.
pub fn rows(before: &Value, after: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    walk(String::new(), before, after, &mut rows);
    rows
}

fn walk(path: String, before: &Value, after: &Value, rows: &mut Vec<Row>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                if let (false, Some(other)) = (SKIPPED.contains(&key.as_str()), after.get(key)) {
                    walk(path, value, other, rows);
                }
            }
        }
        (Value::Number(before), Value::Number(after)) => {
            if let (Some(before), Some(after)) = (before.as_f64(), after.as_f64()) {
                rows.push(Row { path, before, after });
            }
        }
        _ => {}
    }
}

/// The table of what differs, for the terminal.
pub fn table(rows: &[Row]) -> String {
    let mut out = format!("{:<48} {:>14} {:>14} {:>9}\n", "", "before", "after", "change");
    for row in rows.iter().filter(|row| row.before != row.after) {
        let change = row.change().map_or("new".to_owned(), |change| format!("{:+.1} %", change * 100.0));
        let [before, after] = [row.before, row.after].map(super::verdict::trim);
        let _ = writeln!(out, "{:<48} {before:>14} {after:>14} {change:>9}", row.path);
    }
    out
}
