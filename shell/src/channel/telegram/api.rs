//! Single calls of the Bot API, one after the other: for the commands and for the start, not for traffic.
//!
//! What lives here: the trait [`Api`], behind which a real connection or a test stands, the typed methods on
//! it, and [`ApiError`]. No error holds a token or an address with one in it.

use super::encode::Params;
use crate::observe::{Secret, scrub};
use nobat_core::time::UnixMillis;
use serde::Deserialize;
use std::time::Duration;

/// An answer as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A file that goes with a call.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'f> {
    /// The parameter it is.
    pub field: &'f str,
    /// Its name.
    pub name: &'f str,
    /// What it holds.
    pub bytes: &'f [u8],
}

/// Something that can call a method of the platform and wait for the answer.
pub trait Api {
    /// Calls `method` once.
    ///
    /// # Errors
    /// In words, if no answer came: no connection, time-out, ... Without the token.
    fn call(&self, token: &Secret, method: &str, params: &Params) -> Result<RawAnswer, String>;

    /// Calls `method` once with a file beside its parameters (multipart/form-data, RFC 7578).
    ///
    /// # Errors
    /// As [`Api::call`].
    fn upload(
        &self,
        token: &Secret,
        method: &str,
        params: &[(&str, &str)],
        file: &Upload<'_>,
    ) -> Result<RawAnswer, String> {
        let _ = (token, method, params, file);
        Err("files cannot be sent this way".to_owned())
    }

    /// What time the platform says that it is; none if it was not asked or does not say.
    fn date(&self) -> Option<UnixMillis> {
        None
    }

    /// Waits. A test need not.
    fn pause(&self, wait: Duration) {
        std::thread::sleep(wait);
    }
}

/// Why a call did not do what it should.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApiError {
    /// No answer came.
    #[error("the platform cannot be reached: {0}")]
    Unreachable(String),
    /// 401, or 404 on a method that exists.
    #[error("the platform does not know this token: copy it again from @BotFather, or ask it for a new one")]
    TokenDead,
    /// It says no.
    #[error("the platform refuses: {0}")]
    Refused(String),
    /// Something else answers at this address.
    #[error("what answers is not the Bot API (status {0}): check telegram.api_root")]
    NotTheApi(u16),
}

#[derive(Deserialize)]
struct Reply<T> {
    ok: bool,
    result: Option<T>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

/// Waits are honoured up to this; beyond, the refusal is told.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Calls until a 429 is told.
const TRIES: usize = 4;

/// Calls `method` and reads its result. A 429 is waited for (`setWebhook` may be called once a second).
///
/// # Errors
/// [`ApiError`].
pub fn call<T: for<'de> Deserialize<'de>>(
    api: &dyn Api,
    token: &Secret,
    method: &str,
    params: &Params,
) -> Result<T, ApiError> {
    result_of(api, &mut || api.call(token, method, params))
}

/// [`call`] with a file beside the parameters.
///
/// # Errors
/// [`ApiError`].
pub fn upload<T: for<'de> Deserialize<'de>>(
    api: &dyn Api,
    token: &Secret,
    method: &str,
    params: &[(&str, &str)],
    file: &Upload<'_>,
) -> Result<T, ApiError> {
    result_of(api, &mut || api.upload(token, method, params, file))
}

fn result_of<T: for<'de> Deserialize<'de>>(
    api: &dyn Api,
    ask: &mut dyn FnMut() -> Result<RawAnswer, String>,
) -> Result<T, ApiError> {
    let mut tries = 1;
    loop {
        let mut answer = ask().map_err(|why| ApiError::Unreachable(scrub(&why).into_owned()))?;
        let reply: Reply<T> =
            simd_json::from_slice(&mut answer.body).map_err(|_| ApiError::NotTheApi(answer.status))?;
        if let (true, Some(result)) = (reply.ok, reply.result) {
            return Ok(result);
        }
        let wait = reply.parameters.and_then(|p| p.retry_after).map(Duration::from_secs);
        match (answer.status, wait) {
            (429, Some(wait)) if wait <= WAIT_MAX && tries < TRIES => api.pause(wait),
            (401 | 404 | 421, _) => return Err(ApiError::TokenDead),
            (_, _) => {
                let said = reply.description.unwrap_or_else(|| format!("status {}", answer.status));
                return Err(ApiError::Refused(scrub(&said).into_owned()));
            }
        }
        tries += 1;
    }
}

/// A bot, as it sees itself.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct BotInfo {
    /// Its id.
    pub id: u64,
    /// Without the `@`.
    #[serde(default)]
    pub username: String,
    /// What people see.
    #[serde(default)]
    pub first_name: String,
}

/// What the platform knows of a webhook.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(default)]
pub struct WebhookInfo {
    /// Empty if none is set.
    pub url: String,
    /// Updates that wait.
    pub pending_update_count: u64,
    /// When a delivery failed last, in seconds since 1970.
    pub last_error_date: Option<u64>,
    /// Why.
    pub last_error_message: Option<String>,
    /// Deliveries at the same time.
    pub max_connections: Option<u32>,
    /// Kinds that are delivered; empty for the platform's default.
    pub allowed_updates: Vec<String>,
    /// Whether it was given a certificate of ours; none if it does not say.
    pub has_custom_certificate: Option<bool>,
}

/// Asks who the token's bot is.
///
/// # Errors
/// [`ApiError`].
pub fn get_me(api: &dyn Api, token: &Secret) -> Result<BotInfo, ApiError> {
    call(api, token, "getMe", &Params::new())
}

/// Asks what is known of the bot's webhook.
///
/// # Errors
/// [`ApiError`].
pub fn webhook_info(api: &dyn Api, token: &Secret) -> Result<WebhookInfo, ApiError> {
    call(api, token, "getWebhookInfo", &Params::new())
}

/// What a bot or a user is in a chat.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct ChatMember {
    /// `creator`, `administrator`, `member`, `restricted`, `left` or `kicked`.
    pub status: String,
}

/// Whatever a result is.
#[derive(Deserialize)]
struct Anything {}

/// Whether the bot knows this chat: a user's number, a channel's number or `@name`.
///
/// # Errors
/// [`ApiError`].
pub fn get_chat(api: &dyn Api, token: &Secret, chat: &str) -> Result<(), ApiError> {
    call::<Anything>(api, token, "getChat", &Params::new().string("chat_id", chat)).map(drop)
}

/// Asks what a user is in a chat.
///
/// # Errors
/// [`ApiError`].
pub fn get_chat_member(api: &dyn Api, token: &Secret, chat: &str, user: u64) -> Result<ChatMember, ApiError> {
    let user = i64::try_from(user).unwrap_or(i64::MAX);
    call(api, token, "getChatMember", &Params::new().string("chat_id", chat).number("user_id", user))
}

/// Whether the bot may be polled at present. Takes no update away: without an offset none is confirmed.
///
/// # Errors
/// [`ApiError`]; a refusal that speaks of another `getUpdates` is another poller.
pub fn peek_updates(api: &dyn Api, token: &Secret) -> Result<(), ApiError> {
    let params = Params::new().number("limit", 1).number("timeout", 0);
    call::<Vec<Anything>>(api, token, "getUpdates", &params).map(drop)
}
