//! `setWebhook`, `deleteWebhook`, `getWebhookInfo`.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use serde_json::{Map, Value};

use super::{Desk, Done, Refusal, Verdict};
use crate::telegram::json as wire_json;
use crate::telegram::limits::whole_seconds;
use crate::wire::Scope;

/// Connections when `max_connections` is not given, and the most that can be asked for.
const CONNECTIONS_DEFAULT: i64 = 40;
const CONNECTIONS_MAX: i64 = 100;

/// Where updates go. Two that compare equal are the same registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    /// Path and query, as the request line has it.
    pub(crate) path: Uri,
    pub(crate) host: HeaderValue,
    pub(crate) target: Target,
    pub(crate) secret: Option<HeaderValue>,
    pub(crate) max_connections: usize,
}

/// What to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Name(String, u16),
    Addr(SocketAddr),
}

/// Performs `method` if it is one of these.
pub(super) fn perform(method: &str, desk: &mut Desk<'_>) -> Option<Verdict> {
    Some(match method {
        "setwebhook" => set(desk),
        "deletewebhook" => delete(desk),
        "getwebhookinfo" => Ok(info(desk)),
        _ => return None,
    })
}

/// The list of `allowed_updates`; what is no string is left out.
pub(super) fn kinds_of(value: &Value) -> Vec<String> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn set(desk: &mut Desk<'_>) -> Verdict {
    let params = desk.params;
    let url = params.text("url").unwrap_or_default().trim();
    if url.is_empty() {
        return delete(desk);
    }
    if desk.at < desk.state.webhook_free_at {
        let retry_after = whole_seconds(desk.state.webhook_free_at - desk.at);
        return Err(Refusal::TooMany { retry_after, scope: Scope::Token, defiance: false });
    }
    desk.state.webhook_free_at = desk.at + desk.world.config.limits.set_webhook_every;
    let allowed =
        params.nested("allowed_updates").map_err(|()| Refusal::bad("can't parse allowed_updates"))?;
    let secret = secret_of(params.text("secret_token").unwrap_or_default())?;
    let asked = params.integer("max_connections").unwrap_or(CONNECTIONS_DEFAULT);
    let max_connections = usize::try_from(asked.clamp(1, CONNECTIONS_MAX)).unwrap_or(1);
    let (path, host, target) = target_of(url, desk.world.config.webhook_via)?;
    let hook = Webhook { url: url.to_owned(), path, host, target, secret, max_connections };
    if let Some(allowed) = allowed {
        desk.state.allowed_updates = kinds_of(&allowed);
    }
    drop_pending(desk);
    if desk.state.webhook.as_deref() == Some(&hook) {
        return Ok(said("Webhook is already set"));
    }
    change(desk, Some(hook));
    Ok(said("Webhook was set"))
}

fn delete(desk: &mut Desk<'_>) -> Verdict {
    drop_pending(desk);
    if desk.state.webhook.is_none() {
        return Ok(said("Webhook is already deleted"));
    }
    change(desk, None);
    Ok(said("Webhook was deleted"))
}

fn drop_pending(desk: &mut Desk<'_>) {
    if desk.params.is_true("drop_pending_updates") {
        desk.state.queue.clear();
        desk.bot.publish(desk.state);
    }
}

/// Puts loaded updates back, and lets connections of the old registration close.
fn change(desk: &mut Desk<'_>, hook: Option<Webhook>) {
    let state = &mut *desk.state;
    state.queue.unload();
    state.ramp = Default::default();
    state.epoch += 1;
    state.connections = 0;
    state.idle_connections = 0;
    state.last_error = None;
    state.gone_since = None;
    state.webhook = hook.map(Arc::new);
    desk.bot.publish(state);
    desk.bot.idle.notify_waiters();
    desk.bot.poll.notify_waiters();
    desk.bot.work.notify_one();
}

fn said(description: &'static str) -> Done {
    Done { body: wire_json::success(&true, Some(description)), message_id: None }
}

fn secret_of(secret: &str) -> Result<Option<HeaderValue>, Refusal> {
    if secret.is_empty() {
        return Ok(None);
    }
    if secret.len() > 256 {
        return Err(Refusal::bad("secret token is too long"));
    }
    if !secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Err(Refusal::bad("secret token contains unallowed characters"));
    }
    HeaderValue::from_str(secret)
        .map(Some)
        .map_err(|_| Refusal::bad("secret token contains unallowed characters"))
}

/// Plain HTTP goes where it says, as the server does with `--local`; HTTPS only through `via`.
fn target_of(url: &str, via: Option<SocketAddr>) -> Result<(Uri, HeaderValue, Target), Refusal> {
    const INVALID: &str = "invalid webhook URL specified";
    let invalid = || Refusal::bad(INVALID);
    let uri: Uri = url.parse().map_err(|_| invalid())?;
    let authority = uri.authority().ok_or_else(invalid)?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| invalid())?;
    let path: Uri = uri.path_and_query().map_or("/", |p| p.as_str()).parse().map_err(|_| invalid())?;
    let target = match (uri.scheme_str(), via) {
        (Some("https"), Some(addr)) => Target::Addr(addr),
        (Some("https"), None) => {
            return Err(Refusal::bad(
                "bad webhook: this emulator delivers plain HTTP; use an http URL, or tell it where to deliver \
                 HTTPS webhooks",
            ));
        }
        (Some("http"), _) => {
            let name = uri.host().ok_or_else(invalid)?.trim_matches(['[', ']']);
            Target::Name(name.to_owned(), uri.port_u16().unwrap_or(80))
        }
        _ => return Err(invalid()),
    };
    Ok((path, host, target))
}

fn info(desk: &Desk<'_>) -> Done {
    let state = &*desk.state;
    let hook = state.webhook.as_deref();
    let mut info = Map::new();
    info.insert("url".into(), hook.map_or("", |h| h.url.as_str()).into());
    info.insert("has_custom_certificate".into(), false.into());
    info.insert("pending_update_count".into(), state.queue.len().into());
    if let Some((date, message)) = &state.last_error {
        info.insert("last_error_date".into(), (*date).into());
        info.insert("last_error_message".into(), message.as_str().into());
    }
    if let Some(hook) = hook {
        info.insert("max_connections".into(), hook.max_connections.into());
        info.insert("ip_address".into(), "127.0.0.1".into());
    }
    if !state.allowed_updates.is_empty() {
        info.insert("allowed_updates".into(), state.allowed_updates.clone().into());
    }
    Done::with(&Value::Object(info))
}
