//! The layers: file, `.env`, environment, flags. What wins for each key, and where it came from.
//!
//! What lives here: [`Inputs`], what a caller hands in, and `Sources`, what was found. Values are still
//! text here; what they mean is decided in `values.rs` and `bots.rs`.

use super::dotenv;
use super::keys::{Form, KEYS, Key, KeyId, Via};
use super::nearest::nearest;
use super::problem::{Origin, Problems};
use crate::observe::{Secret, scrub};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use zeroize::Zeroize as _;

/// What the configuration is made from.
#[derive(Clone, Default, Debug)]
pub struct Inputs {
    /// `--config`; without it `nobat.toml` in `dir`, if there is one.
    pub config: Option<PathBuf>,
    /// Where `nobat.toml` and `.env` are looked for.
    pub dir: PathBuf,
    /// The process's environment.
    pub env: Vec<(String, String)>,
    /// What the command line says.
    pub flags: Vec<Flag>,
}

/// One value from the command line.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Which key it sets.
    pub key: KeyId,
    /// With its dashes.
    pub name: &'static str,
    /// As given.
    pub value: String,
}

/// One piece of text and where it stood.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// What was given for one key: one item, or several for a list.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) items: Vec<Item>,
    pub(super) origin: Origin,
}

/// What was found in all layers.
pub(super) struct Sources {
    /// What wins, by key.
    pub(super) given: Vec<Option<Given>>,
    /// Every name of the environment and `.env` that is not empty.
    pub(super) names: BTreeMap<String, Item>,
    /// `.env` if others can read it.
    pub(super) readable_dotenv: Option<String>,
}

impl Drop for Sources {
    /// Tokens and keys were among them.
    fn drop(&mut self) {
        let given = self.given.iter_mut().flatten().flat_map(|given| &mut given.items);
        given.chain(self.names.values_mut()).for_each(|item| item.text.zeroize());
    }
}

impl Sources {
    pub(super) fn read(inputs: &Inputs, problems: &mut Problems) -> Self {
        let mut sources = Self::empty();
        sources.file(inputs, problems);
        sources.dotenv(&inputs.dir.join(".env"), problems);
        sources.layers(inputs, problems);
        sources
    }

    /// Where a key's value came from.
    pub(super) fn origin(&self, id: KeyId) -> Origin {
        self.given[id.0].as_ref().map_or(Origin::Default, |given| given.origin.clone())
    }

    /// From texts alone, without a file being opened.
    pub(super) fn of_texts(toml: &str, dotenv: &str, problems: &mut Problems) -> Self {
        let mut sources = Self::empty();
        sources.toml("nobat.toml", toml, problems);
        sources.dotenv_text(".env", dotenv, problems);
        sources.layers(&Inputs::default(), problems);
        sources
    }

    fn empty() -> Self {
        Self { given: vec![None; KEYS.len()], names: BTreeMap::new(), readable_dotenv: None }
    }

    /// The environment, then what all names say, then the flags.
    fn layers(&mut self, inputs: &Inputs, problems: &mut Problems) {
        for (name, value) in &inputs.env {
            // An empty value is how a template says "not set".
            if !value.trim().is_empty() {
                let origin = Origin::Env { name: name.clone() };
                self.names.insert(name.clone(), Item { text: value.trim().to_owned(), origin });
            }
        }
        for (index, key) in KEYS.iter().enumerate() {
            if let Some(given) = self.named(key, problems) {
                self.given[index] = Some(given);
            }
        }
        for flag in &inputs.flags {
            let origin = Origin::Flag { name: flag.name.to_owned() };
            self.given[flag.key.0] = Some(split(flag.key.key(), &flag.value, &origin));
        }
    }

    fn file(&mut self, inputs: &Inputs, problems: &mut Problems) {
        let path = inputs.config.clone().unwrap_or_else(|| inputs.dir.join("nobat.toml"));
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && inputs.config.is_none() => return,
            Err(error) => {
                let remedy = "name a readable TOML file with --config, or leave it away";
                problems.add(&Origin::Default, shown, unreadable(&error), remedy);
                return;
            }
        };
        self.toml(&shown, &text, problems);
    }

    fn toml(&mut self, shown: &str, text: &str, problems: &mut Problems) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let file = File { shown, text };
        let before = problems.0.len();
        for error in &errors {
            let origin = file.origin(error.span().map_or(0, |span| span.start));
            let what = scrub(error.message()).replace('\n', ", ");
            problems.add(&origin, "TOML", what, "see docs/configuration.md for an example");
        }
        // What was recovered from a broken file may be half of what was meant.
        if errors.is_empty() {
            self.sections(&file, root.get_ref(), problems);
        }
        problems.0[before..].sort_by(|a, b| a.origin.cmp(&b.origin));
    }

    fn sections(&mut self, file: &File<'_>, root: &DeTable<'_>, problems: &mut Problems) {
        for (section, value) in root {
            let origin = file.origin(section.span().start);
            let name: &str = section.get_ref();
            if !KEYS.iter().any(|key| key.section == name) {
                let known = KEYS.iter().map(|key| key.section);
                problems.add(&origin, name, "there is no such section", did_you_mean(nearest(name, known)));
                continue;
            }
            match value.get_ref() {
                DeValue::Table(table) => self.section(file, name, table, problems),
                _ => problems.add(
                    &origin,
                    name,
                    "is not a section",
                    format!("write [{name}] on a line of its own"),
                ),
            }
        }
    }

    fn section(&mut self, file: &File<'_>, section: &str, table: &DeTable<'_>, problems: &mut Problems) {
        for (name, value) in table {
            let name_at = file.origin(name.span().start);
            let name: &str = name.get_ref();
            let Some(index) = KEYS.iter().position(|key| key.section == section && key.name == name) else {
                let known = KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
                let dotted = format!("{section}.{name}");
                problems.add(&name_at, dotted, "there is no such key", did_you_mean(nearest(name, known)));
                continue;
            };
            let origin = file.origin(value.span().start);
            let key = &KEYS[index];
            let list = matches!(key.form, Form::List | Form::Secrets);
            let items = match value.get_ref() {
                DeValue::Array(array) if list => array
                    .iter()
                    .map(|item| {
                        Some(Item { text: scalar(item.get_ref())?, origin: file.origin(item.span().start) })
                    })
                    .collect(),
                value => scalar(value).map(|text| vec![Item { text, origin: origin.clone() }]),
            };
            match items {
                Some(items) => self.given[index] = Some(Given { items, origin }),
                None => problems.add(
                    &origin,
                    key.dotted(),
                    format!("{} is not expected here", value.get_ref().type_str()),
                    if list { "write an array of strings" } else { "write a single value" },
                ),
            }
        }
    }

    fn dotenv(&mut self, path: &Path, problems: &mut Problems) {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => {
                problems.add(&Origin::Default, shown, unreadable(&error), "make it a text file you may read");
                return;
            }
        };
        if others_may_read(path) {
            self.readable_dotenv = Some(shown.clone());
        }
        self.dotenv_text(&shown, &text, problems);
    }

    fn dotenv_text(&mut self, shown: &str, text: &str, problems: &mut Problems) {
        let (entries, bad) = dotenv::parse(text);
        for (line, what) in bad {
            let origin = Origin::File { path: shown.to_owned(), line, column: 1 };
            problems.add(
                &origin,
                "line",
                what,
                "write NAME=value, or begin the line with # if it is a comment",
            );
        }
        for entry in entries {
            if !entry.value.trim().is_empty() {
                let origin =
                    Origin::DotEnv { path: shown.to_owned(), line: entry.line, name: entry.name.clone() };
                self.names.insert(entry.name, Item { text: entry.value.trim().to_owned(), origin });
            }
        }
    }

    /// What the names of one key say. Two that differ are refused; derived ones (`PORT`) are weaker.
    fn named(&self, key: &Key, problems: &mut Problems) -> Option<Given> {
        let env = key.env();
        let mut found: Option<(&str, &Item)> = None;
        for (name, _) in
            [(env.as_str(), Via::Same)].iter().chain(key.short).filter(|(_, via)| *via == Via::Same)
        {
            let Some(item) = self.names.get(*name) else { continue };
            match found {
                Some((first, other)) if other.text != item.text => {
                    let (a, b) = (shown(key, &other.text), shown(key, &item.text));
                    let what = format!("{first}={a} and {name}={b} contradict each other");
                    problems.add(
                        &item.origin,
                        key.dotted(),
                        what,
                        format!("keep {first} or {name}, not both"),
                    );
                }
                Some(_) => {}
                None => found = Some((name, item)),
            }
        }
        if let Some((_, item)) = found {
            return Some(split(key, &item.text, &item.origin));
        }
        key.short.iter().find_map(|(name, via)| {
            let item = self.names.get(*name)?;
            let text = match via {
                Via::Same => return None,
                Via::AnyPort => format!("0.0.0.0:{}", item.text),
                Via::LoopbackPort => format!("127.0.0.1:{}", item.text),
                Via::HttpsHost => format!("https://{}", item.text),
            };
            Some(split(key, &text, &item.origin))
        })
    }
}

struct File<'t> {
    shown: &'t str,
    text: &'t str,
}

impl File<'_> {
    fn origin(&self, at: usize) -> Origin {
        let (line, column) = place(self.text, at);
        Origin::File { path: self.shown.to_owned(), line, column }
    }
}

/// A value as it may be shown.
pub(super) fn shown(key: &Key, text: &str) -> String {
    if key.is_secret() { Secret::new(text.to_owned()).to_string() } else { scrub(text).into_owned() }
}

pub(super) fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "docs/configuration.md lists all there are".to_owned(),
    }
}

fn split(key: &Key, text: &str, origin: &Origin) -> Given {
    let item = |text: &str| Item { text: text.to_owned(), origin: origin.clone() };
    let items = match key.form {
        Form::List | Form::Secrets => text
            .split(|c: char| c == ',' || c == ';' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(item)
            .collect(),
        _ => vec![item(text.trim())],
    };
    Given { items, origin: origin.clone() }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.trim().to_owned()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::InvalidData => "is not UTF-8 text".to_owned(),
        _ => format!("cannot be read ({error})"),
    }
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

pub(super) fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o044 != 0)
}
