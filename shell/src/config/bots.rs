//! Which bot this is: its kind, its mode and its lanes, from names that grew over the years.
//!
//! What lives here: the rules of which name means what, and which contradict. Wherever two names cannot both
//! be meant, both are named and nothing is guessed.

use super::keys::{self, KINDS, MODES};
use super::problem::{Origin, Problems};
use super::sources::{Item, Sources};
use crate::observe::Secret;
use nobat_core::id::BotId;
use nobat_core::limits::LANES_MAX;
use std::collections::BTreeMap;

/// What the bot does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Exam results.
    Results,
    /// Anonymous chat.
    Chat,
    /// Class registration.
    Registration,
    /// Trading signals.
    Signals,
    /// AI answers.
    Answers,
    /// For bots that exist already.
    Gateway,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Results, Self::Chat, Self::Registration, Self::Signals, Self::Answers, Self::Gateway];
    /// The kinds this version serves.
    pub const SERVED: &'static [Self] = &[Self::Results, Self::Chat];

    /// Its word in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        KINDS[self as usize]
    }
}

/// How the tokens face the users.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// One public bot in front of all tokens.
    SingleInterface,
    /// Every bot is public.
    MultiBot,
}

impl Mode {
    /// Its word in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        MODES[self as usize]
    }
}

/// One token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneConfig {
    /// The token.
    pub token: Secret,
    /// The number before its colon.
    pub bot_id: BotId,
}

/// What was decided.
pub(super) struct Bots {
    pub(super) kind: Kind,
    pub(super) mode: Mode,
    pub(super) lanes: Vec<LaneConfig>,
    /// Did the tokens come as `BOT_TOKENS`, a list of equals?
    pub(super) list: bool,
}

/// The tokens as one style of naming gives them.
struct Group {
    /// As it is named in a contradiction.
    name: String,
    implies: Option<Kind>,
    list: bool,
    items: Vec<Item>,
}

pub(super) fn bots(sources: &Sources, problems: &mut Problems) -> Option<Bots> {
    let groups = groups(sources, problems);
    if let [first, second, ..] = groups.as_slice() {
        let what = format!("{} and {} both name tokens", first.name, second.name);
        problems.add(
            &place(second),
            "tokens",
            what,
            format!("keep {} or {}, not both", first.name, second.name),
        );
        return None;
    }
    let Some(group) = groups.into_iter().next() else {
        problems.add(
            &Origin::Default,
            "tokens",
            "there is none",
            "set BOT_TOKEN_MAIN (and BOT_TOKEN_1, ...) in .env, or bot.tokens in nobat.toml; @BotFather gives them",
        );
        return None;
    };
    let lanes = lanes(&group, problems);
    let (kind, mode) = kind_and_mode(sources, &group, problems)?;
    Some(Bots { kind, mode, lanes: lanes?, list: group.list })
}

/// The same without need of a token: the kind must be told, by the names of tokens or in words. Takes the tokens out of
/// `sources`, so that nobody opens what is sealed of them.
pub(super) fn without_tokens(sources: &mut Sources, problems: &mut Problems) -> Option<Bots> {
    // What is wrong with them is told to who needs them.
    let group = groups(sources, &mut Problems::default()).into_iter().next().unwrap_or_else(|| Group {
        name: "the data directory".to_owned(),
        implies: None,
        list: false,
        items: Vec::new(),
    });
    let (kind, mode) = kind_and_mode(sources, &group, problems)?;
    // All or none: a lane is known by its place.
    let lane = |item: &Item| {
        let token = Secret::new(item.text.clone());
        bot_id(token.expose()).map(|bot_id| LaneConfig { token, bot_id })
    };
    let lanes = group.items.iter().map(lane).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    sources
        .names
        .retain(|name, _| name != "BOT_TOKEN" && name != "BOT_TOKENS" && !name.starts_with("BOT_TOKEN_"));
    sources.given[keys::TOKENS.0] = None;
    Some(Bots { kind, mode, lanes, list: group.list })
}

fn place(group: &Group) -> Origin {
    group.items.first().map_or(Origin::Default, |item| item.origin.clone())
}

fn groups(sources: &Sources, problems: &mut Problems) -> Vec<Group> {
    let mut groups = Vec::new();
    let names = &sources.names;
    if let Some(items) = numbered(names, problems) {
        groups.push(Group {
            name: "BOT_TOKEN_MAIN".into(),
            implies: Some(Kind::Results),
            list: false,
            items,
        });
    }
    if let Some(item) = names.get("BOT_TOKENS") {
        let parts = item.text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
        let part = |text: &str| Item { text: text.to_owned(), origin: item.origin.clone() };
        let items = parts.filter(|part| !part.is_empty()).map(part).collect();
        groups.push(Group { name: "BOT_TOKENS".into(), implies: Some(Kind::Chat), list: true, items });
    }
    if let Some(item) = names.get("BOT_TOKEN") {
        groups.push(Group {
            name: "BOT_TOKEN".into(),
            implies: None,
            list: false,
            items: vec![item.clone()],
        });
    }
    // The file is a lower layer: where the environment names tokens, they win.
    let key = &sources.given[keys::TOKENS.0];
    if let Some(given) = key.as_ref().filter(|given| groups.is_empty() || given.origin.is_environment()) {
        let name = if given.origin.is_environment() { keys::TOKENS.key().env() } else { "bot.tokens".into() };
        groups.push(Group { name, implies: None, list: false, items: given.items.clone() });
    }
    groups
}

/// `BOT_TOKEN_MAIN`, `BOT_TOKEN_1`, ...: by number, not by spelling, and without a gap, because a user's
/// home is his id modulo the number of lanes.
fn numbered(names: &BTreeMap<String, Item>, problems: &mut Problems) -> Option<Vec<Item>> {
    let mut rest: Vec<(usize, &str, &Item)> = names
        .iter()
        .filter_map(|(name, item)| {
            let digits = name.strip_prefix("BOT_TOKEN_")?;
            let number = digits.parse().ok().filter(|n: &usize| n.to_string() == digits)?;
            Some((number, name.as_str(), item))
        })
        .collect();
    rest.sort_by_key(|(number, ..)| *number);
    let Some(main) = names.get("BOT_TOKEN_MAIN") else {
        let (_, name, item) = rest.first()?;
        let what = format!("is missing, but {name} is set");
        problems.add(
            &item.origin,
            "BOT_TOKEN_MAIN",
            what,
            "set it to the token of the bot that users write to",
        );
        return Some(rest.into_iter().map(|(_, _, item)| item.clone()).collect());
    };
    for (place, (number, name, item)) in rest.iter().enumerate() {
        if *number != place + 1 {
            let missing = format!("BOT_TOKEN_{}", place + 1);
            let what = format!("is missing, but {name} is set");
            problems.add(&item.origin, missing, what, "number the tokens from 1 without a gap");
            break;
        }
    }
    Some([main].into_iter().chain(rest.iter().map(|(.., item)| *item)).cloned().collect())
}

fn kind_and_mode(sources: &Sources, group: &Group, problems: &mut Problems) -> Option<(Kind, Mode)> {
    let word = |id: keys::KeyId, words: &[&str]| {
        let item = sources.given[id.0].as_ref()?.items.first()?;
        let at = words.iter().position(|word| word.eq_ignore_ascii_case(&item.text))?;
        Some((at, item))
    };
    let kind = word(keys::KIND, KINDS).map(|(at, item)| (Kind::ALL[at], item));
    let mode = word(keys::MODE, MODES).map(|(at, item)| {
        let mode = if at == 0 { Mode::SingleInterface } else { Mode::MultiBot };
        (mode, item)
    });
    let before = problems.0.len();
    let single = mode.filter(|(mode, _)| *mode == Mode::SingleInterface).map(|(_, item)| item);
    let mut contradict = |origin: &Origin, first: &str, second: &str, why: &str| {
        let what = format!("{first} and {second} contradict each other: {why}");
        problems.add(origin, "bot", what, format!("keep {first} or {second}, not both"));
    };
    if let Some(item) = single.filter(|_| group.list) {
        contradict(
            &item.origin,
            &said(item, "bot.mode"),
            &group.name,
            "one public bot, or a list of public bots",
        );
    }
    if let Some((kind, item)) = kind.filter(|(kind, _)| *kind != Kind::Results) {
        let why = format!("that is how a results bot is named, and this is to be a {} bot", kind.name());
        if let Some(single) = single {
            contradict(&item.origin, &said(item, "bot.kind"), &said(single, "bot.mode"), &why);
        }
        if group.implies == Some(Kind::Results) {
            contradict(&item.origin, &said(item, "bot.kind"), &group.name, &why);
        }
    }
    if problems.0.len() > before {
        return None;
    }
    let implied = kind.map(|(kind, _)| kind).or(single.map(|_| Kind::Results)).or(group.implies);
    let Some(kind) = implied else {
        // A kind that was given and not understood has its own problem already.
        if sources.given[keys::KIND.0].is_none() {
            let what = format!("{} alone does not say what the bot does", group.name);
            problems.add(
                &place(group),
                "bot.kind",
                what,
                format!("set NOBAT_KIND to one of {}", KINDS.join(", ")),
            );
        }
        return None;
    };
    if !Kind::SERVED.contains(&kind) {
        let served: Vec<_> = Kind::SERVED.iter().map(|kind| kind.name()).collect();
        let what = format!("this version does not serve `{}` yet", kind.name());
        problems.add(&place(group), "bot.kind", what, format!("it serves: {}", served.join(", ")));
        return None;
    }
    let by_default =
        if kind == Kind::Results && !group.list { Mode::SingleInterface } else { Mode::MultiBot };
    Some((kind, mode.map_or(by_default, |(mode, _)| mode)))
}

/// `NAME=value`, or `section.key = "value"`, whichever was written.
fn said(item: &Item, dotted: &str) -> String {
    match &item.origin {
        Origin::Env { name } | Origin::DotEnv { name, .. } => format!("{name}={}", item.text),
        Origin::Flag { name } => format!("{name} {}", item.text),
        Origin::File { .. } | Origin::Default => format!("{dotted} = \"{}\"", item.text),
    }
}

fn lanes(group: &Group, problems: &mut Problems) -> Option<Vec<LaneConfig>> {
    let before = problems.0.len();
    let mut seen: BTreeMap<BotId, String> = BTreeMap::new();
    let mut lanes = Vec::new();
    for (at, item) in group.items.iter().enumerate() {
        let name = match &item.origin {
            Origin::Env { name } | Origin::DotEnv { name, .. } if group.items.len() == 1 || !group.list => {
                name.clone()
            }
            _ => format!("{}, token {}", group.name, at + 1),
        };
        match bot_id(&item.text) {
            Err(what) => problems.add(&item.origin, name, what, TOKEN_REMEDY),
            Ok(bot_id) => {
                if let Some(first) = seen.get(&bot_id) {
                    let what = format!("is the same bot as {first} ({bot_id}:***)");
                    problems.add(&item.origin, name, what, "give each lane a bot of its own, or remove one");
                } else {
                    seen.insert(bot_id, name);
                    lanes.push(LaneConfig { token: Secret::new(item.text.clone()), bot_id });
                }
            }
        }
    }
    if lanes.len() > LANES_MAX {
        let what = format!("{} tokens are more than one process carries", lanes.len());
        problems.add(&place(group), group.name.clone(), what, format!("use at most {LANES_MAX}"));
    }
    if group.items.is_empty() {
        problems.add(&Origin::Default, group.name.clone(), "has no token in it", TOKEN_REMEDY);
    }
    (problems.0.len() == before).then_some(lanes)
}

const TOKEN_REMEDY: &str = "copy it whole from @BotFather: digits, a colon, then letters, digits, - and _";

/// The bot's id in a token, or what is wrong with it; never any of its characters.
pub(super) fn bot_id(token: &str) -> Result<BotId, String> {
    let Some((id, secret)) = token.split_once(':') else {
        return Err(format!("is not a bot token: no colon in its {} characters", token.chars().count()));
    };
    if id.is_empty() || id.len() > 16 || id.starts_with('0') || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err("is not a bot token: what stands before the colon is no bot id".to_owned());
    }
    if secret.is_empty() || token.len() > 80 {
        return Err(format!("is not a bot token: {} characters behind the colon", secret.chars().count()));
    }
    if !secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Err("is not a bot token: a character behind the colon that no token has".to_owned());
    }
    id.parse().map(BotId).map_err(|_| "is not a bot token: the bot id is too large".to_owned())
}
