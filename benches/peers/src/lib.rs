//! What both frameworks read of an update: the fields that our decoder reads, typed.

use serde::Deserialize;
use std::borrow::Cow;

/// What the platform proves itself with.
pub const SECRET: &[u8] = b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[derive(Deserialize)]
pub struct Update<'a> {
    pub update_id: i64,
    #[serde(borrow)]
    pub message: Option<Message<'a>>,
}

#[derive(Deserialize)]
pub struct Message<'a> {
    pub message_id: i64,
    pub date: u64,
    #[serde(borrow)]
    pub from: Option<User<'a>>,
    #[serde(borrow)]
    pub chat: Chat<'a>,
    #[serde(borrow)]
    pub text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub struct User<'a> {
    pub id: u64,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(borrow)]
    pub language_code: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub struct Chat<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub r#type: Option<Cow<'a, str>>,
}

/// The status of one call: 200 to an update with the secret.
pub fn status(secret: Option<&[u8]>, body: &[u8]) -> u16 {
    if secret != Some(SECRET) {
        return 401;
    }
    match serde_json::from_slice::<Update<'_>>(body) {
        Ok(update) if std::hint::black_box(&update).message.is_some() => 200,
        _ => 400,
    }
}
