//! The tables of `docs/configuration.md`, made from [`super::keys`]. A test compares.

use super::keys::{KEYS, OTHER_NAMES, Standing, Via};
use super::values::wanted;
use std::fmt::Write as _;

/// All keys by section, and all names that are no key, as Markdown. Writing to a `String` cannot fail.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::new();
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            let _ = write!(
                out,
                "\n### [{section}]\n\n| key | names in the environment | value | default | |\n|---|---|---|---|---|\n"
            );
        }
        let mut names = vec![format!("`{}`", key.env())];
        names.extend(key.short.iter().map(|(name, via)| match via {
            Via::Same => format!("`{name}`"),
            Via::AnyPort => format!("`{name}` (a port, on all addresses)"),
            Via::LoopbackPort => format!("`{name}` (a port, on loopback)"),
            Via::HttpsHost => format!("`{name}` (a host, by https)"),
        }));
        let default = if key.default.is_empty() { "–".to_owned() } else { format!("`{}`", key.default) };
        let (name, names, value, doc) = (key.name, names.join(", "), wanted(key.form), key.doc);
        let _ = writeln!(out, "| `{name}` | {names} | {value} | {default} | {doc} |");
    }
    out.push_str("\n### Other names\n\n| name | |\n|---|---|\n");
    for (name, standing) in OTHER_NAMES {
        let says = match standing {
            Standing::Tokens => "the tokens of the lanes, see above".to_owned(),
            Standing::Unneeded(why) => format!("accepted and not needed: {why}"),
        };
        let _ = writeln!(out, "| `{name}` | {says} |");
    }
    out
}
