//! `reply_markup`: what a student could press, and what the platform refuses.

use serde_json::Value;

use super::Refusal;

/// Label and data (or url) of each inline button, row by row.
pub(super) fn buttons(markup: &Value) -> Vec<(String, String)> {
    inline(markup)
        .map(|button| {
            let get = |name: &str| button.get(name).and_then(Value::as_str);
            let target = get("callback_data").or_else(|| get("url")).unwrap_or_default();
            (get("text").unwrap_or_default().to_owned(), target.to_owned())
        })
        .collect()
}

/// Refuses what the platform refuses.
pub(super) fn check(markup: Option<&Value>) -> Result<(), Refusal> {
    let Some(markup) = markup else { return Ok(()) };
    if !markup.is_object() {
        return Err(Refusal::bad("object expected as reply markup"));
    }
    for button in inline(markup) {
        if button.get("text").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Refusal::bad(
                "can't parse inline keyboard button: Field \"text\" must be of type String",
            ));
        }
        match button.get("callback_data").and_then(Value::as_str) {
            Some(data) if data.is_empty() || data.len() > 64 => {
                return Err(Refusal::bad("BUTTON_DATA_INVALID"));
            }
            Some(_) => {}
            None if button.as_object().is_some_and(|b| b.len() > 1) => {}
            None => {
                return Err(Refusal::bad(
                    "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
                ));
            }
        }
    }
    Ok(())
}

/// The markup as a message shows it: inline keyboards only.
pub(super) fn shown(markup: Option<&Value>) -> Option<&Value> {
    markup.filter(|m| m.get("inline_keyboard").is_some())
}

fn inline(markup: &Value) -> impl Iterator<Item = &Value> {
    let rows = markup.get("inline_keyboard").and_then(Value::as_array);
    rows.into_iter().flatten().filter_map(Value::as_array).flatten()
}
