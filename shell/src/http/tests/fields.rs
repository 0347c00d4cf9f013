//! RFC 9112 5 and RFC 9110 5: field lines.

use super::*;

#[test]
fn rfc_9112_5_1_no_whitespace_stands_between_name_and_colon() {
    refused(Reason::FieldName, &["A : b", "A\t: b", "A b: c", "A", ": b", ":", "A\u{b}: b"]);
}

#[test]
fn rfc_9112_5_1_whitespace_around_a_value_is_not_of_it() {
    with_head(&with_lines("A:b\r\nB: \t c d\t \r\nC:\r\nD: \t \r\n"), |head| {
        let values: Vec<_> = head.fields().iter().skip(1).map(|(_, value)| value).collect();
        assert_eq!(values, [&b"b"[..], b"c d", b"", b""]);
    });
}

#[test]
fn rfc_9112_5_2_folded_lines_are_refused() {
    refused(Reason::FieldFolded, &["A: b\r\n c", "A: b\r\n\tc", "A: b\r\n "]);
    assert_eq!(parse("GET / HTTP/1.1\r\n Host: x\r\n\r\n"), Step::Bad(Reason::FieldFolded), "2.2");
}

#[test]
fn rfc_9110_5_1_names_are_tokens() {
    for byte in 0..=255u8 {
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let text = [b"GET / HTTP/1.1\r\nHost: x\r\na", &[byte][..], b"a: b\r\n\r\n"].concat();
        assert_eq!(matches!(parse(&text), Step::Done(_)), token || byte == b':', "{byte}");
    }
}

#[test]
fn rfc_9110_5_1_a_byte_that_is_no_token_is_found_wherever_it_stands_in_a_long_name() {
    for byte in 0..=255u8 {
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        for at in 0..27 {
            let mut name = *b"X-Telegram-Bot-Api_Secret-T0";
            name[at] = byte;
            let text = [b"GET / HTTP/1.1\r\nHost: x\r\n", &name[..], b": b\r\n\r\n"].concat();
            // A colon ends the name, and what follows is its value.
            let good = token || byte == b':' && at > 0;
            assert_eq!(matches!(parse(&text), Step::Done(_)), good, "{byte} at {at}");
        }
    }
}

#[test]
fn rfc_9110_5_5_values_hold_no_control_but_tab() {
    for byte in 0..=255u8 {
        let good = byte == b'\t' || byte >= 0x20 && byte != 0x7f;
        let text = [b"GET / HTTP/1.1\r\nHost: x\r\nA: b", &[byte][..], b"c\r\n\r\n"].concat();
        assert_eq!(matches!(parse(&text), Step::Done(_)), good, "{byte}");
    }
}

#[test]
fn rfc_9110_5_5_a_control_is_found_wherever_it_stands_in_a_long_value() {
    for byte in 0..=255u8 {
        let good = byte == b'\t' || byte >= 0x20 && byte != 0x7f;
        for at in 0..40 {
            let mut value = [b'v'; 41];
            value[at] = byte;
            let text = [b"GET / HTTP/1.1\r\nHost: x\r\nA: ", &value[..], b"\r\n\r\n"].concat();
            assert_eq!(matches!(parse(&text), Step::Done(_)), good, "{byte} at {at}");
        }
    }
}

#[test]
fn names_are_found_without_regard_to_case_and_only_means_once() {
    with_head(&with_lines("X-Secret: 1\r\nA: 2\r\na: 3\r\n"), |head| {
        let fields = head.fields();
        assert_eq!(fields.only("x-secret"), Some(&b"1"[..]));
        assert_eq!((fields.first("A"), fields.only("A")), (Some(&b"2"[..]), None));
        assert_eq!(fields.all("a").count(), 2);
        assert_eq!(fields.first("b"), None);
    });
}

#[test]
fn rfc_6585_5_too_many_or_too_long_fields_are_431() {
    let lines = |n: usize| "A: b\r\n".repeat(n);
    assert!(matches!(parse(with_lines(&lines(FIELDS_MAX - 1))), Step::Done(_)));
    assert_eq!(parse(with_lines(&lines(FIELDS_MAX))), Step::Bad(Reason::TooManyFields));
    let padding = usize::from(HeadLimits::default().head_bytes) - with_lines("A: \r\n").len();
    let exact = with_lines(&format!("A: {}\r\n", "b".repeat(padding)));
    assert_eq!(parse(&exact), Step::Done(exact.len()));
    let longer = with_lines(&format!("A: {}\r\n", "b".repeat(padding + 1)));
    assert_eq!(parse(&longer), Step::Bad(Reason::HeadTooLarge));
}
