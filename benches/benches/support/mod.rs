//! What the webhook bench is made of: the servers, their processes, the load, the report.

pub(crate) mod load;
pub(crate) mod nginx;
pub(crate) mod process;
pub(crate) mod report;
pub(crate) mod tls;

use nobat_benches::serve::SECRET;

/// The length of the body.
pub(crate) const BODY_BYTES: usize = 570;

/// A question in the platform's wire form, with a text that makes it 570 bytes.
pub(crate) fn body() -> String {
    // As the platform does: what is ASCII stands as it is.
    let escaped = |text: &str| {
        let each = |unit: u16| match u8::try_from(unit) {
            Ok(byte @ b' '..=b'~') => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        };
        text.encode_utf16().map(each).collect::<String>()
    };
    let name = escaped("زينب عبد الأمير");
    let with = |text: &str| {
        format!(
            "{{\"update_id\":731500426,\"message\":{{\"message_id\":4348,\"from\":{{\"id\":700000002,\"is_bot\":false,\
             \"first_name\":\"{name}\",\"username\":\"zainab_07\",\"language_code\":\"ar\"}},\"chat\":{{\"id\":700000002,\
             \"first_name\":\"{name}\",\"username\":\"zainab_07\",\"type\":\"private\"}},\"date\":1784527200,\
             \"text\":\"{text}\"}}}}"
        )
    };
    let room = BODY_BYTES - with("").len();
    let mut text = String::new();
    for letter in "نتيجة الامتحان للطالبة ".repeat(4).chars().map(|letter| escaped(&letter.to_string()))
    {
        if text.len() + letter.len() <= room {
            text += &letter;
        }
    }
    text += &"1234567"[..room - text.len()];
    let body = with(&text);
    assert_eq!(body.len(), BODY_BYTES);
    body
}

/// The whole request.
pub(crate) fn request() -> Vec<u8> {
    let body = body();
    format!(
        "POST /webhook HTTP/1.1\r\nHost: bot.example.org\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: keep-alive\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n\
         Accept-Encoding: gzip, deflate\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
