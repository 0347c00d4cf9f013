//! The scanner beside simd-json's tape: what the tape takes, the scanner takes with the same meaning.

use super::*;
use proptest::prelude::*;

/// Panics if the two disagree on a body that simd-json takes; gives whether the scanner takes it.
fn agree(body: &[u8]) -> bool {
    let (mut ours, mut theirs) = (body.to_vec(), body.to_vec());
    let ours = Decoder::new().decode(&mut ours);
    let theirs = tape::decode(&mut theirs);
    if theirs != Err(DecodeError::NotJson) {
        assert_eq!(ours, theirs, "{:?}", body.escape_ascii().to_string());
    }
    ours != Err(DecodeError::NotJson)
}

/// JSON, nearly: pieces of an update in an order that may make sense.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let value = prop::sample::select(vec![
        "1",
        "-1",
        "0",
        "-0",
        "01",
        "1.5",
        "1e3",
        "1E-3",
        "-",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551615",
        "true",
        "false",
        "null",
        "tru",
        "[]",
        "{}",
        "[1,2]",
        "[1,]",
        "[,]",
        "[[]",
        "{\"a\":[{}]}",
        "{\"a\":1,}",
        "{,}",
        "\"\"",
        "\"member\"",
        "\"restricted\"",
        "\"creator\"",
        "\"private\"",
        "\"\\u0061\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\n\\\"\\\\\\/\"",
        "\"\\x\"",
        "\"a\\u0\"",
        "\"سلام\"",
        "\"seven..\"",
        "\"eight...\"",
        "\"nine.....\"",
        " 7 ",
        "\"left\"",
    ]);
    let leaf = (
        prop::sample::select(vec![
            "id",
            "is_bot",
            "language_code",
            "type",
            "status",
            "emoji",
            "username",
            "is_member",
            "media_group_id",
            "message_id",
            "date",
            "text",
            "data",
            "update_id",
            "\\u0069d",
            "x",
            "a_key_that_nobody_knows_because_it_is_longer_than_any_key_of_the_platform_is",
        ]),
        value,
    )
        .prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let entry = leaf.prop_recursive(3, 24, 5, |inner| {
        let name = prop::sample::select(vec![
            "message",
            "callback_query",
            "my_chat_member",
            "chat_member",
            "from",
            "user",
            "chat",
            "new_chat_member",
            "edited_message",
            "reply_to_message",
            "message_reaction",
            "y",
        ]);
        let object = (name, prop::collection::vec(inner.clone(), 0..5))
            .prop_map(|(name, entries)| format!("\"{name}\":{{{}}}", entries.join(",")));
        let list = prop::collection::vec(prop::collection::vec(inner, 0..3), 0..3).prop_map(|items| {
            let items: Vec<_> = items.iter().map(|entries| format!("{{{}}}", entries.join(","))).collect();
            format!("\"new_reaction\":[{}]", items.join(","))
        });
        prop_oneof![3 => object, 1 => list]
    });
    let entries = prop::collection::vec(entry, 0..6);
    spoilt(0.3, entries.prop_map(|entries| format!("{{\"update_id\":7,{}}}", entries.join(","))))
}

/// With this probability one byte of it is another.
fn spoilt(probability: f64, text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::option::weighted(probability, (any::<prop::sample::Index>(), any::<u8>()));
    (text, noise).prop_map(|(text, noise)| {
        let mut bytes = text.into_bytes();
        if let Some((at, byte)) = noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn what_the_tape_takes_is_taken_with_the_same_meaning(body in body()) {
        let ours = agree(&body);
        // And nothing that is no JSON: numbers beyond any type are the one thing that serde_json's tree refuses.
        let theirs = serde_json::from_slice::<serde_json::Value>(&body);
        prop_assert_eq!(ours, theirs.is_ok(), "{:?}", String::from_utf8_lossy(&body));
    }
}

/// A text of the platform's wire form and of every other, and sometimes one byte of it wrong.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "\\u0633",
        "\\u06CC",
        "\\u06cc",
        "\\u06F1",
        "\\u0600",
        "\\u06ff",
        "\\u05ff",
        "\\u0700",
        "\\u200c",
        "\\u0041",
        "\\u0000",
        "\\uFFFF",
        "\\ud83d\\ude00",
        "\\n",
        "\\\\",
        "\\\"",
        " ",
        "  ",
        "plain",
        "س",
        "😀",
    ]);
    spoilt(0.4, prop::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn a_text_in_any_form_is_resolved_as_the_tape_has_it(text in text(), name in text()) {
        let parts: [&[u8]; 5] = [
            b"{\"update_id\":7,\"message\":{\"message_id\":1,\"chat\":{\"id\":1,\"first_name\":\"",
            &name,
            b"\"},\"text\":\"",
            &text,
            b"\"}}",
        ];
        let body = parts.concat();
        let ours = agree(&body);
        let theirs = serde_json::from_slice::<serde_json::Value>(&body);
        prop_assert_eq!(ours, theirs.is_ok(), "{}", body.escape_ascii());
    }
}

#[test]
fn numbers_of_any_size_are_numbers() {
    for number in ["123456789012345678901234567890", "1e999", "-0", "0.0", "18446744073709551616"] {
        assert!(agree(format!("{{\"update_id\":1,\"x\":{number}}}").as_bytes()), "{number}");
    }
    for number in ["00", "1.", ".1", "+1", "1e", "1e+", "--1", "0x1", "1_0", "Infinity"] {
        assert!(!agree(format!("{{\"update_id\":1,\"x\":{number}}}").as_bytes()), "{number}");
    }
}

#[test]
fn every_byte_in_a_string_is_judged_wherever_it_stands() {
    for byte in 0..=255u8 {
        for at in 0..20 {
            let mut text = [b't'; 20];
            text[at] = byte;
            let body = [b"{\"update_id\":1,\"x\":\"", &text[..], b"\"}"].concat();
            let json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
            assert_eq!(agree(&body), json, "{byte} at {at}");
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |n: usize| format!("{{\"update_id\":1,\"x\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert!(agree(nested(1_000).as_bytes()));
    assert!(!agree(nested(1_025).as_bytes()));
    for odd in [
        "[}",
        "{]",
        "[{]}",
        "[[],",
        "[{},{}",
        "{\"a\":[}",
        "{\"a\"}",
        "[\"a\":1]",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "[,1]",
    ] {
        assert!(!agree(format!("{{\"update_id\":1,\"x\":{odd}}}").as_bytes()), "{odd}");
    }
    for good in ["[[],[],{}]", "{\"a\":{\"b\":[]},\"c\":[{}]}", "[ [ ] , { } ]", "[[1],2,{\"a\":[]},3]"] {
        assert!(agree(format!("{{\"update_id\":1,\"x\":{good}}}").as_bytes()), "{good}");
    }
}

#[test]
fn escapes_are_resolved_in_place_and_only_where_they_are_read() {
    let mut body = br#"{"update_id":1,"message":{"message_id":2,"from":{"first_name":"\u0041"},"text":"\ud83d\ude00\u0633\n\"\/x"}}"#.to_vec();
    let update = Decoder::new().decode(&mut body).expect("an update");
    assert_eq!(
        update.what,
        super::super::What::Text {
            text: "😀س\n\"/x", message: nobat_core::id::MessageId(2), reply_to: None
        }
    );
    assert!(memchr::memmem::find(&body, br"\u0041").is_some(), "nobody reads the name");
}

#[test]
fn what_is_not_utf_8_is_refused_read_or_not_and_whatever_stands_beside_it() {
    for broken in [&b"\xd8"[..], b"\x80", b"\xd8 ", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"\xff"] {
        for (before, behind) in [("", ""), ("\\u0633", ""), ("", "\\u0633\\n"), ("\\n\\n", "\\u200c")] {
            for key in ["text", "nobody_reads_this"] {
                let front = format!("{{\"update_id\":1,\"message\":{{\"message_id\":2,\"{key}\":\"{before}");
                let body = [front.as_bytes(), broken, behind.as_bytes(), b"\"}}"].concat();
                assert!(!agree(&body), "{}", body.escape_ascii());
            }
        }
    }
    // Said before that there is no id, or no object.
    for body in [&b"{\"x\":\"\xff\"}"[..], b"[\"\xff\"]", b"\"\xff\""] {
        assert_eq!(Decoder::new().decode(&mut body.to_vec()), Err(DecodeError::NotJson));
    }
}
