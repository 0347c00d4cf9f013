//! What became of each name in the environment: used, not needed, or unknown with the nearest known.

use super::bots::Kind;
use super::keys::{KEYS, KINDS, Key, OTHER_NAMES, Standing};
use super::nearest::{distance, nearest};
use super::problem::Origin;
use super::sources::Sources;

/// What became of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NameUse {
    /// It sets something.
    Used,
    /// It is known, and sets nothing here; why.
    NotNeeded(String),
    /// It is not known; the nearest that is.
    Unknown(Option<String>),
}

/// A name and its fate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameReport {
    /// The name.
    pub name: String,
    /// Where it stood.
    pub origin: Origin,
    /// What became of it.
    pub what: NameUse,
}

impl NameReport {
    /// What an operator should know of it, if anything.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        match &self.what {
            NameUse::Used => None,
            NameUse::NotNeeded(why) => Some(format!("{} is not needed: {why}", self.name)),
            NameUse::Unknown(Some(near)) => Some(format!("{} is not known: did you mean {near}?", self.name)),
            NameUse::Unknown(None) => Some(format!("{} is not known", self.name)),
        }
    }
}

/// Judges all names of `.env`, and those of the environment that are ours or nearly are: a machine's
/// environment is full of names that are nobody's business here.
pub(super) fn report(sources: &Sources, kind: Option<Kind>) -> Vec<NameReport> {
    let envs: Vec<String> = KEYS.iter().map(Key::env).collect();
    let known: Vec<&str> = envs
        .iter()
        .map(String::as_str)
        .chain(KEYS.iter().flat_map(|key| key.short.iter().map(|(name, _)| *name)))
        .chain(OTHER_NAMES.iter().map(|(name, _)| *name))
        .collect();
    let judge = |name: &str, origin: &Origin| {
        if let Some((_, standing)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
            return Some(match standing {
                Standing::Tokens => NameUse::Used,
                Standing::Unneeded(why) => NameUse::NotNeeded((*why).to_owned()),
            });
        }
        let means = |key: &&Key| key.short.iter().any(|(short, _)| *short == name) || key.env() == name;
        if let Some(of) = KEYS.iter().find(means).map(|key| key.section)
            && KINDS.contains(&of)
            && kind.is_some_and(|kind| kind.name() != of)
        {
            return Some(NameUse::NotNeeded(format!("only a {of} bot has a use for it")));
        }
        if known.contains(&name) || numbered(name) {
            return Some(NameUse::Used);
        }
        let ours = name.starts_with("NOBAT_") || name.starts_with("BOT_TOKEN");
        let near = nearest(name, known.iter().copied());
        let slip = near.is_some_and(|near| near.len() >= 8 && distance(name, near) <= 2);
        let asked = matches!(origin, Origin::DotEnv { .. }) || ours || slip;
        asked.then(|| NameUse::Unknown(near.map(str::to_owned)))
    };
    sources
        .names
        .iter()
        .filter_map(|(name, item)| {
            let what = judge(name, &item.origin)?;
            Some(NameReport { name: name.clone(), origin: item.origin.clone(), what })
        })
        .collect()
}

fn numbered(name: &str) -> bool {
    let digits = name.strip_prefix("BOT_TOKEN_").unwrap_or("");
    digits.parse().is_ok_and(|n: usize| n.to_string() == digits)
}
