//! Methods that ask: about the bot, chats, members, files. And those that only need a yes.

use serde_json::{Value, json};

use super::{Desk, Done, Refusal, Verdict, names};
use crate::telegram::chats::is_group;
use crate::telegram::shapes::{chat_of, student};

/// Performs what no other room does.
pub(super) fn perform(method: &str, desk: &mut Desk<'_>) -> Verdict {
    match method {
        "getme" => Ok(get_me(desk)),
        "getchat" => get_chat(desk),
        "getchatmember" => get_chat_member(desk),
        "getchatadministrators" => get_chat_administrators(desk),
        "getchatmembercount" => chat_known(desk).map(|_| Done::with(&2)),
        "getfile" => get_file(desk),
        "getuserprofilephotos" => Ok(Done::with(&json!({"total_count": 0, "photos": []}))),
        "getmycommands" => Ok(Done::with(&Value::Array(Vec::new()))),
        "getmyname" => Ok(Done::with(&json!({"name": desk.bot.spec.first_name}))),
        "getmydescription" => Ok(Done::with(&json!({"description": ""}))),
        "getmyshortdescription" => Ok(Done::with(&json!({"short_description": ""}))),
        "getchatmenubutton" => Ok(Done::with(&json!({"type": "default"}))),
        _ if names::answered_yes(method) => Ok(Done::yes()),
        _ => Err(Refusal::Refused(404, "Not Found: method not found".into())),
    }
}

fn get_me(desk: &Desk<'_>) -> Done {
    let spec = &desk.bot.spec;
    Done::with(&json!({
        "id": desk.bot.id, "is_bot": true, "first_name": spec.first_name, "username": spec.username,
        "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
        "can_connect_to_business": false, "has_main_web_app": false,
    }))
}

/// Only what this bot has met is known to it.
fn chat_known(desk: &mut Desk<'_>) -> Result<i64, Refusal> {
    desk.reachable_chat("chat_id")
}

fn get_chat(desk: &mut Desk<'_>) -> Verdict {
    let chat = chat_known(desk)?;
    let mut value = serde_json::to_value(chat_of(chat)).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("accent_color_id".into(), 3.into());
        fields.insert("max_reaction_count".into(), 11.into());
    }
    Ok(Done::with(&value))
}

fn get_chat_member(desk: &mut Desk<'_>) -> Verdict {
    let chat = chat_known(desk)?;
    let Some(user) = desk.params.integer("user_id").and_then(|id| u64::try_from(id).ok()) else {
        return Err(Refusal::bad("invalid user_id specified"));
    };
    let status = if desk.world.members.has(chat, user) { "member" } else { "left" };
    Ok(Done::with(&json!({"user": student(user, None), "status": status})))
}

fn get_chat_administrators(desk: &mut Desk<'_>) -> Verdict {
    match chat_known(desk)? {
        chat if is_group(chat) => Ok(Done::with(&json!([]))),
        _ => Err(Refusal::bad("there are no administrators in the private chat")),
    }
}

/// File ids belong to one bot: another's is refused, as on the platform.
fn get_file(desk: &mut Desk<'_>) -> Verdict {
    let id = desk.params.text("file_id").unwrap_or_default();
    let own = format!("EMU{:x}-", desk.bot.ix);
    if id.is_empty() {
        return Err(Refusal::bad("file_id is empty"));
    }
    if id.starts_with("EMU") && !id.starts_with(&own) {
        return Err(Refusal::bad("wrong file_id or the file is temporarily unavailable"));
    }
    let path = format!("documents/{id}");
    Ok(Done::with(&json!({"file_id": id, "file_unique_id": id, "file_size": 0, "file_path": path})))
}
