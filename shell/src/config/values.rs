//! Text into typed values, by the form its key declares. A bad value is a problem, and the default stands in
//! so that the rest can still be judged.

use super::address::socket;
use super::keys::{Form, Key, KeyId};
use super::problem::{Origin, Problems};
use super::sources::{Item, Sources, shown};
use crate::address::BaseUrl;
use crate::network::{self, Network};
use crate::observe::rfc3339;
use nobat_core::time::UnixMillis;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Reads values of keys and collects what is wrong with them.
pub(super) struct Values<'s> {
    pub(super) sources: &'s Sources,
    pub(super) problems: Problems,
}

impl Values<'_> {
    /// What was given, or the default; none if there is neither.
    pub(super) fn item(&self, id: KeyId) -> Option<Item> {
        let given = self.sources.given[id.0].as_ref().and_then(|given| given.items.first().cloned());
        given.or_else(|| default(id.key()))
    }

    /// Where the value came from.
    pub(super) fn origin(&self, id: KeyId) -> Origin {
        self.sources.origin(id)
    }

    /// Was anything said?
    pub(super) fn is_given(&self, id: KeyId) -> bool {
        self.sources.given[id.0].is_some()
    }

    fn read<T>(&mut self, id: KeyId, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let item = self.item(id)?;
        match read(&item.text) {
            Ok(value) => Some(value),
            Err(remedy) => {
                let what = format!("`{}` is not {}", shown(id.key(), &item.text), wanted(id.key().form));
                self.problems.add(&item.origin, id.key().dotted(), what, remedy);
                // The default of a key reads, a test says so.
                default(id.key()).and_then(|item| read(&item.text).ok())
            }
        }
    }

    pub(super) fn whole(&mut self, id: KeyId) -> u64 {
        let Form::Whole(least, most) = id.key().form else { return 0 };
        let remedy = format!("write a number from {least} to {most}");
        let read = |text: &str| {
            let number: Result<u64, _> = text.replace('_', "").parse();
            number.ok().filter(|n| (least..=most).contains(n)).ok_or_else(|| remedy.clone())
        };
        self.read(id, read).unwrap_or(least)
    }

    /// [`Values::whole`], for what the table bounds below 2^32.
    pub(super) fn small(&mut self, id: KeyId) -> u32 {
        u32::try_from(self.whole(id)).unwrap_or(u32::MAX)
    }

    pub(super) fn seconds(&mut self, id: KeyId) -> Duration {
        Duration::from_secs(self.whole(id))
    }

    pub(super) fn flag(&mut self, id: KeyId) -> bool {
        let read = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("write true or false".to_owned()),
        };
        self.read(id, read).unwrap_or(false)
    }

    /// The place of the word among the key's words.
    pub(super) fn one_of(&mut self, id: KeyId) -> Option<usize> {
        let Form::OneOf(words) = id.key().form else { return None };
        let read = |text: &str| {
            let at = words.iter().position(|word| word.eq_ignore_ascii_case(text));
            at.ok_or_else(|| format!("write one of {}", words.join(", ")))
        };
        self.read(id, read)
    }

    pub(super) fn text(&self, id: KeyId) -> Option<String> {
        self.item(id).map(|item| item.text)
    }

    pub(super) fn path(&self, id: KeyId) -> Option<PathBuf> {
        self.text(id).map(PathBuf::from)
    }

    pub(super) fn list(&self, id: KeyId) -> Vec<Item> {
        self.sources.given[id.0].as_ref().map_or_else(Vec::new, |given| given.items.clone())
    }

    /// A list of networks; `telegram` stands for the platform's.
    pub(super) fn networks(&mut self, id: KeyId) -> Vec<Network> {
        let mut networks = Vec::new();
        for item in self.list(id) {
            let texts: &[&str] = match item.text.as_str() {
                "telegram" => &network::TELEGRAM,
                text => &[text],
            };
            for text in texts {
                match Network::parse(text) {
                    Ok(network) => networks.push(network),
                    Err(why) => {
                        let what = format!("`{}` is not a network", shown(id.key(), text));
                        let remedy = format!("{why}; such as 10.0.0.0/8 or one address");
                        self.problems.add(&item.origin, id.key().dotted(), what, remedy);
                    }
                }
            }
        }
        networks
    }

    pub(super) fn socket(&mut self, id: KeyId) -> SocketAddr {
        let remedy = "write an IP address and a port, such as 127.0.0.1:3001 or 0.0.0.0:8080";
        let read = |text: &str| socket(text).ok_or_else(|| remedy.to_owned());
        self.read(id, read).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(super) fn url(&mut self, id: KeyId) -> Option<BaseUrl> {
        self.read(id, |text| BaseUrl::parse(text).map_err(|why| format!("it {why}")))
    }

    /// None for `now`.
    pub(super) fn time(&mut self, id: KeyId) -> Option<UnixMillis> {
        let remedy = "write `now`, or date, time and zone such as 2026-07-20T09:00:00+03:00";
        let read = |text: &str| match text {
            "now" => Ok(None),
            text => rfc3339::parse(text).map(Some).ok_or_else(|| remedy.to_owned()),
        };
        self.read(id, read).flatten()
    }
}

fn default(key: &Key) -> Option<Item> {
    (!key.default.is_empty()).then(|| Item { text: key.default.to_owned(), origin: Origin::Default })
}

/// What a form asks for, in words.
pub(super) fn wanted(form: Form) -> String {
    match form {
        Form::Text => "a text".to_owned(),
        Form::Secret => "a secret".to_owned(),
        Form::List => "a list".to_owned(),
        Form::Secrets => "a list of secrets".to_owned(),
        Form::Whole(least, most) => format!("a whole number from {least} to {most}"),
        Form::Bool => "true or false".to_owned(),
        Form::OneOf(words) => format!("one of {}", words.join(", ")),
        Form::Address => "host:port".to_owned(),
        Form::Path => "a path".to_owned(),
        Form::Url => "an address".to_owned(),
        Form::Time => "an instant".to_owned(),
    }
}
