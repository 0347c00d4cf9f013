//! `[admin]`: who may administer, and whether he does so on the webhooks' port.

use super::keys;
use super::sources::shown;
use super::types::{Admin, Config};
use super::values::Values;
use super::{bots, problem::Problems, sources::Sources};
use crate::observe::Secret;
use nobat_core::id::UserId;

/// Whoever can reach the webhooks can try passwords.
const PASSWORD_MIN: usize = 16;
/// As long as a secret of webhooks may be.
const PASSWORD_MAX: usize = 256;

pub(super) fn admin(values: &mut Values<'_>) -> Admin {
    let bot_token = values.text(keys::ADMIN_TOKEN);
    if let Some(Err(what)) = bot_token.as_deref().map(bots::bot_id) {
        let origin = values.origin(keys::ADMIN_TOKEN);
        values.problems.add(&origin, keys::ADMIN_TOKEN.key().dotted(), what, "copy it whole from @BotFather");
    }
    let mut user_ids = Vec::new();
    for item in values.list(keys::ADMIN_IDS) {
        match item.text.parse() {
            Ok(id) if (1..1 << 52).contains(&id) => user_ids.push(UserId(id)),
            _ => {
                let what = format!("`{}` is not a user id", shown(keys::ADMIN_IDS.key(), &item.text));
                let remedy = "write numbers, separated by commas; @userinfobot tells yours";
                values.problems.add(&item.origin, keys::ADMIN_IDS.key().dotted(), what, remedy);
            }
        }
    }
    let on_main = values.flag(keys::ADMIN_ON_MAIN);
    let password = password(values, on_main);
    Admin { bot_token: bot_token.map(Secret::new), user_ids, on_main: password.filter(|_| on_main) }
}

/// The password of the pages, judged where it is there or needed.
fn password(values: &mut Values<'_>, needed: bool) -> Option<Secret> {
    const REMEDY: &str =
        "set NOBAT_ADMIN_PASSWORD to 16 or more characters: `openssl rand -hex 16` prints some";
    let password = values.text(keys::ADMIN_PASSWORD);
    let wrong = match &password {
        None if needed => {
            let what =
                "shows the operator's pages to all who reach the webhooks, and there is no admin.password";
            Some((keys::ADMIN_ON_MAIN, what))
        }
        None => None,
        Some(text) if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&text.len()) => {
            Some((keys::ADMIN_PASSWORD, "has fewer than 16 characters, or more than 256"))
        }
        Some(text) if !text.bytes().all(|b| b.is_ascii_graphic()) => {
            Some((keys::ADMIN_PASSWORD, "has a character that is not printable ASCII, or a blank"))
        }
        Some(_) => None,
    };
    if let Some((id, what)) = wrong {
        let origin = values.origin(id);
        values.problems.add(&origin, id.key().dotted(), what, REMEDY);
        return None;
    }
    password.map(Secret::new)
}

/// What must hold between the operator's listener and the webhooks'.
pub(super) fn judge(config: &mut Config, sources: &Sources, problems: &mut Problems) {
    let origin = |id: keys::KeyId| sources.origin(id);
    if config.admin.on_main.is_some() {
        if !config.listens {
            let what = "shows the operator's pages on the listener of webhooks, and none is opened";
            let remedy = "set PORT or NOBAT_LISTEN, or turn it off: the operator's own listener serves them";
            problems.add(&origin(keys::ADMIN_ON_MAIN), keys::ADMIN_ON_MAIN.key().dotted(), what, remedy);
        }
        return;
    }
    if config.listen == config.admin_listen && config.listen.port() != 0 {
        let what = format!("is {} as well as server.listen", config.admin_listen);
        let remedy = "choose another port, or one port for both: admin.on_main";
        problems.add(&origin(keys::ADMIN_LISTEN), keys::ADMIN_LISTEN.key().dotted(), what, remedy);
    }
    if !config.admin_listen.ip().is_loopback() {
        let what = format!(
            "server.admin_listen is {}: /metrics and /stats are open to all who can reach it",
            config.admin_listen
        );
        config.warnings.push(what);
    }
}
