//! `nobat secrets`: what the configuration names as `secret:NAME`, sealed in the data directory.

use super::args::Secrets;
use super::{Done, Failed, Status, World};
use crate::config::{Inputs, VaultPlace, vault_place};
use crate::vault::{Keys, Vault, VaultError};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a secret, at most: a key file's worth.
const SECRET_MAX: u64 = 64 << 10;

/// Needs no token.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, command: &Secrets) -> Done {
    let place = vault_place(inputs)?;
    match command {
        Secrets::Key { to } => key(world, to.as_deref()),
        Secrets::Set { name } => set(world, &place, name),
        Secrets::List => list(world, &place),
        Secrets::Remove { name } => {
            let mut vault = Vault::open(&place.data_dir).map_err(failed)?;
            vault.remove(name).and_then(|()| vault.save()).map_err(failed)?;
            writeln!(world.out, "`{name}` is removed")?;
            Ok(Status::Ok)
        }
        Secrets::Rotate => rotate(world, &place),
    }
}

fn failed(error: VaultError) -> Failed {
    let status = match error {
        VaultError::Io { .. } => Status::Io,
        VaultError::BadKey(_) | VaultError::BadName(_) | VaultError::NoKey => Status::Usage,
        VaultError::Unreadable { .. } | VaultError::Sealed { .. } | VaultError::Missing(_) => {
            Status::NotAsWanted
        }
    };
    Failed::With(status, error.to_string())
}

/// A new key, to a file that is not there yet or to the output.
fn key(world: &mut World<'_>, to: Option<&Path>) -> Done {
    let fresh = Keys::default().with_first(Keys::fresh());
    match to {
        Some(path) if path.exists() => {
            let says = format!(
                "{} is there already: a key that is overwritten opens nothing any more",
                path.display()
            );
            return Err(Failed::With(Status::Usage, says));
        }
        Some(path) => {
            fresh.write(path).map_err(failed)?;
            let path = path.display();
            writeln!(
                world.out,
                "{path}: a new key; name it in secrets.key_file, and keep a copy away from the backups"
            )?;
        }
        None => {
            let key = Keys::fresh();
            writeln!(world.out, "{}", *key.to_hex())?;
        }
    }
    Ok(Status::Ok)
}

fn set(world: &mut World<'_>, place: &VaultPlace, name: &str) -> Done {
    let keys = place.keys().map_err(failed)?;
    let mut vault = Vault::open(&place.data_dir).map_err(failed)?;
    if std::io::stdin().is_terminal() {
        write!(world.err, "the secret (it is not shown): ")?;
        world.err.flush()?;
    }
    let secret = read_secret()?;
    if secret.is_empty() {
        return Err(Failed::With(
            Status::Usage,
            "nothing was given: type the secret, or `< FILE`".to_owned(),
        ));
    }
    vault.set(&keys, name, secret.as_bytes()).and_then(|()| vault.save()).map_err(failed)?;
    writeln!(world.out, "`{name}` is sealed; write `secret:{name}` where the configuration wants it")?;
    Ok(Status::Ok)
}

/// A line from a terminal that does not show it, or all of a file, without the line's end.
fn read_secret() -> Result<Zeroizing<String>, Failed> {
    let stdin = std::io::stdin();
    let mut text = Zeroizing::new(String::new());
    if stdin.is_terminal() {
        let before = tcgetattr(&stdin).map_err(std::io::Error::from)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &silent).map_err(std::io::Error::from)?;
        let read = stdin.lock().read_line(&mut text);
        let _ = tcsetattr(&stdin, OptionalActions::Now, &before);
        read?;
    } else {
        stdin.lock().take(SECRET_MAX).read_to_string(&mut text)?;
    }
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn list(world: &mut World<'_>, place: &VaultPlace) -> Done {
    let vault = Vault::open(&place.data_dir).map_err(failed)?;
    let keys = place.keys().map_err(failed)?;
    let mut status = Status::Ok;
    for (name, needs) in vault.list() {
        let says = match vault.get(&keys, name) {
            Ok(_) => format!("opens, sealed under {}", needs.map_or(String::new(), |key| key.to_string())),
            Err(VaultError::Sealed { flaw, .. }) => format!("DOES NOT OPEN: {flaw}"),
            Err(error) => format!("DOES NOT OPEN: {error}"),
        };
        if says.starts_with("DOES") {
            status = Status::NotAsWanted;
        }
        writeln!(world.out, "{name:<24} {says}")?;
    }
    Ok(status)
}

/// Everything under a new key. At every moment in between the keys that are there open what is there.
fn rotate(world: &mut World<'_>, place: &VaultPlace) -> Done {
    let keys = place.keys().map_err(failed)?;
    let mut vault = Vault::open(&place.data_dir).map_err(failed)?;
    if place.is_given() {
        // Not ours to change: the operator has put the new one in front.
        let count = vault.reseal(&keys).and_then(|count| vault.save().map(|()| count)).map_err(failed)?;
        let first = keys.ids().next().map_or(String::new(), |id| id.to_string());
        writeln!(
            world.out,
            "{count} secrets are sealed under the first key of NOBAT_SECRETS_KEY, {first}; the others may go from there"
        )?;
        return Ok(Status::Ok);
    }
    let path = place.key_file.as_deref().ok_or_else(|| failed(VaultError::NoKey))?;
    let both = keys.with_first(Keys::fresh());
    let count = vault.reseal(&both).map_err(failed)?;
    both.write(path).and_then(|()| vault.save()).map_err(failed)?;
    both.first_alone().write(path).map_err(failed)?;
    let first = both.ids().next().map_or(String::new(), |id| id.to_string());
    let path = path.display();
    writeln!(
        world.out,
        "{count} secrets are sealed under the new key {first}, which stands alone in {path}; older backups still need the \
         old one"
    )?;
    Ok(Status::Ok)
}
