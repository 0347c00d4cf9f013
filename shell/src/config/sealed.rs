//! Values that stand in the vault: `secret:NAME` becomes the secret of that name.
//!
//! What lives here: [`open`], called once after the layers were read, so that everything behind it sees tokens and
//! keys as if they had stood there. Only values that are secret may be written so: a reference elsewhere stays what
//! it is and is refused as what it is not.

use super::keys::{self, KEYS, KeyId};
use super::problem::{Origin, Problems};
use super::sources::{Item, Sources, others_may_read};
use super::types::Config;
use super::values::Values;
use crate::observe::Secret;
use crate::vault::seal::SealFlaw;
use crate::vault::{Keys, Vault, VaultError};
use std::path::{Path, PathBuf};

/// What a reference begins with.
pub(super) const PREFIX: &str = "secret:";

/// Where secrets are kept, and their keys.
#[derive(Clone, Debug)]
pub struct VaultPlace {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The file with the keys, if that is where they are.
    pub key_file: Option<PathBuf>,
    /// The keys; none if nobody gave one.
    pub(super) keys: Option<Secret>,
}

impl VaultPlace {
    pub(super) fn of(values: &mut Values<'_>) -> Self {
        Self {
            data_dir: values.path(keys::DATA_DIR).unwrap_or_default(),
            key_file: values.path(keys::SECRETS_KEY_FILE),
            keys: values.text(keys::SECRETS_KEY).map(Secret::new),
        }
    }

    /// The keys. Those in the environment go before those of the file.
    ///
    /// # Errors
    /// A file that cannot be read, or something that is no key.
    pub fn keys(&self) -> Result<Keys, VaultError> {
        match (&self.keys, &self.key_file) {
            (Some(text), _) => Keys::parse(text.expose(), "secrets.key (NOBAT_SECRETS_KEY)"),
            (None, Some(path)) => Keys::read(path),
            (None, None) => Ok(Keys::default()),
        }
    }

    /// Are the keys in the environment or the configuration, and not in a file of their own?
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.keys.is_some()
    }
}

/// Opens every reference among the secret values.
pub(super) fn open(sources: &mut Sources, problems: &mut Problems) {
    let secret = |name: &str| name == "BOT_TOKEN" || name == "BOT_TOKENS" || name.starts_with("BOT_TOKEN_");
    let mut wanted: Vec<&mut Item> = Vec::new();
    let place = {
        let mut values = Values { sources, problems: Problems::default() };
        VaultPlace::of(&mut values)
    };
    for (at, given) in sources.given.iter_mut().enumerate() {
        if KEYS[at].is_secret() && KeyId(at) != keys::SECRETS_KEY {
            wanted.extend(given.iter_mut().flat_map(|given| &mut given.items));
        }
    }
    wanted.extend(sources.names.iter_mut().filter(|(name, _)| secret(name)).map(|(_, item)| item));
    wanted.retain(|item| item.text.contains(PREFIX));
    if wanted.is_empty() {
        return;
    }
    let opened = place.keys().and_then(|keys| Ok((Vault::open(&place.data_dir)?, keys)));
    let (vault, keys) = match opened {
        Ok(opened) => opened,
        Err(e) => {
            return problems.add(
                &Origin::Default,
                "secrets",
                e.to_string(),
                "nothing can be opened without it",
            );
        }
    };
    for item in wanted {
        // `BOT_TOKENS` is a list in one text.
        let parts = item.text.split([',', ';', ' ', '\t']).filter(|part| !part.is_empty());
        let parts: Result<Vec<String>, VaultError> =
            parts.map(|part| resolved(part, &vault, &keys)).collect();
        match parts {
            Ok(parts) => item.text = parts.join(","),
            Err(e) => problems.add(
                &item.origin,
                "secrets",
                e.to_string(),
                "`nobat secrets list` shows what is there",
            ),
        }
    }
}

fn resolved(part: &str, vault: &Vault, keys: &Keys) -> Result<String, VaultError> {
    let Some(name) = part.strip_prefix(PREFIX) else { return Ok(part.to_owned()) };
    let secret = vault.get(keys, name)?;
    // Set from a terminal or a file, so it is text; what is not was sealed by another hand.
    let text = std::str::from_utf8(&secret)
        .map_err(|_| VaultError::Sealed { name: name.to_owned(), flaw: SealFlaw::Forged })?;
    Ok(text.to_owned())
}

/// A key must not lie beside what it locks, and nobody else should read it.
pub(super) fn judge(config: &mut Config, sources: &Sources, problems: &mut Problems) {
    let place = VaultPlace::of(&mut Values { sources, problems: Problems::default() });
    let Some(path) = &place.key_file else { return };
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (key, shown) = (keys::SECRETS_KEY_FILE.key().dotted(), path.display());
    let origin =
        sources.given[keys::SECRETS_KEY_FILE.0].as_ref().map_or(Origin::Default, |g| g.origin.clone());
    if whole(path).starts_with(whole(&place.data_dir)) {
        let what = format!("{shown} lies in the data directory: a backup would carry lock and key");
        problems.add(&origin, key, what, "keep the key elsewhere");
    } else if others_may_read(path) {
        if config.production {
            problems.add(
                &origin,
                key,
                format!("others on this machine can read {shown}"),
                format!("run: chmod 600 {shown}"),
            );
        } else {
            config.warnings.push(format!("{shown} can be read by others on this machine: chmod 600 {shown}"));
        }
    }
}
