//! The rows as people read them.

use std::fmt::Write;

use super::Row;

/// A table of one case, best drain first, in Markdown, so that it can stand in a document as it is.
pub fn table(rows: &[Row]) -> String {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|a, b| {
        let key = |row: &Row| row.over_bound.unwrap_or(f64::INFINITY);
        key(a).total_cmp(&key(b)).then(b.accepted.cmp(&a.accepted))
    });
    let mut out = String::from(
        "| sender | drain | over the bound | 429s | defiance | out of order | CPU s | peak RSS |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let over = match row.over_bound {
            Some(over) => format!("{over:.3}"),
            None => format!("{} of {} sent", row.accepted, row.messages),
        };
        let _ = writeln!(
            out,
            "| {} | {:.1} s | {over} | {} | {} | {} | {:.2} | {} MiB |",
            row.sender,
            row.drain_s,
            row.refused_429,
            row.defiance,
            row.order_violations,
            row.cpu_s,
            row.rss_peak_bytes >> 20
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sender: &'static str, accepted: u64, over_bound: Option<f64>) -> Row {
        Row {
            case: "chats",
            sender,
            messages: 10,
            accepted,
            drain_s: 1.0,
            over_bound,
            refused_429: 0,
            defiance: 0,
            order_violations: 0,
            cpu_s: 0.5,
            rss_peak_bytes: 3 << 20,
        }
    }

    #[test]
    fn what_did_not_finish_stands_last_and_says_how_far_it_came() {
        let table =
            table(&[row("slow", 7, None), row("second", 10, Some(1.2)), row("first", 10, Some(0.99))]);
        let senders: Vec<_> = table.lines().skip(2).filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(senders, ["first", "second", "slow"]);
        assert!(table.contains("7 of 10 sent"));
    }
}
