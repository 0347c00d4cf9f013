//! RFC 9112 7.1: the chunked coding.

use super::*;

/// Decodes as a whole: the body and how many bytes it took, or why not.
fn decode(input: impl AsRef<[u8]>, max: u64) -> Result<(Vec<u8>, usize), Option<Reason>> {
    let input = input.as_ref();
    let (mut decoder, mut body, mut from) = (Chunked::new(max), Vec::new(), 0);
    loop {
        match decoder.feed(&input[from..]) {
            Progress::Data { at, len } => {
                body.extend_from_slice(&input[from + at..from + at + len]);
                from += at + len;
            }
            Progress::NeedMore => return Err(None),
            Progress::End(n) => return Ok((body, from + n)),
            Progress::Bad(reason) => return Err(Some(reason)),
        }
    }
}

fn good(input: &str, body: &str) {
    assert_eq!(decode(input, 1_000), Ok((body.as_bytes().to_vec(), input.len())), "{input:?}");
}

fn bad(reason: Reason, inputs: &[&str]) {
    for input in inputs {
        assert_eq!(decode(input, 1_000), Err(Some(reason)), "{input:?}");
    }
}

#[test]
fn rfc_9112_7_1_chunks_are_joined() {
    good("0\r\n\r\n", "");
    good("3\r\nabc\r\n0\r\n\r\n", "abc");
    good("1\r\na\r\n00B\r\n12345678901\r\n000\r\n\r\n", "a12345678901");
    good("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n");
    let (body, used) = decode("1\r\na\r\n0\r\n\r\nGET", 1_000).expect("good");
    assert_eq!((&body[..], used), (&b"a"[..], 11), "what follows is not touched");
}

#[test]
fn rfc_9112_7_1_a_size_is_hexadecimal_digits_alone() {
    bad(
        Reason::ChunkSize,
        &[
            "\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "0x1\r\n", "1\n", "1\rx", "1.\r\n", ";a\r\n",
            "1_0\r\n", "\0\r\n",
        ],
    );
    bad(Reason::ChunkSize, &["00000000000000001\r\n", "fffffffffffffffff\r\n"]);
    bad(Reason::ChunkExtension, &["1 \r\n", "1\t\r\n", "1 x\r\n"]);
}

#[test]
fn rfc_9112_7_1_a_chunk_ends_where_its_size_says() {
    bad(Reason::ChunkEnd, &["1\r\nab\r\n", "2\r\nab0\r\n", "1\r\na\n", "1\r\na\rx", "1\r\na0\r\n\r\n"]);
}

#[test]
fn rfc_9112_7_1_1_extensions_are_checked_and_ignored() {
    for extension in [
        ";a",
        ";a=b",
        ";a=\"b c;=\\\"\\\\\"",
        " ; a = b ; c",
        "\t;\ta\t=\t\"\"",
        ";a;b;c=d",
        ";!#$%&'*+-.^_`|~",
    ] {
        good(&format!("1{extension}\r\na\r\n0{extension}\r\n\r\n"), "a");
    }
    bad(
        Reason::ChunkExtension,
        &[
            "1;\r\n",
            "1;=b\r\n",
            "1;a=\r\n",
            "1;a=b c\r\n",
            "1;a b\r\n",
            "1;a=\"b\r\n",
            "1;a=\"\\\r\n",
            "1;a=\"b\"c\r\n",
            "1;a ;\r\n",
        ],
    );
    bad(Reason::ChunkExtension, &["1;a\n", "1;a=\"\n\"\r\n", "1;a=b\n", "1;a \r\n", "1;;a\r\n"]);
    bad(Reason::ChunkExtension, &[&format!("1;{}", "a".repeat(5_000)), &"1;aaaaaaaaaa\r\na\r\n".repeat(500)]);
}

#[test]
fn rfc_9112_7_1_2_trailers_are_checked_and_discarded() {
    good("0\r\nA: b\r\nContent-Length: 7\r\nB:\r\n\r\n", "");
    bad(
        Reason::Trailer,
        &[
            "0\r\n A: b\r\n",
            "0\r\nA : b\r\n",
            "0\r\nA\r\n",
            "0\r\n: b\r\n",
            "0\r\nA: b\n\r\n",
            "0\r\nA: b\r\n c\r\n",
            "0\r\n\n",
            "0\r\nA: \0\r\n",
        ],
    );
    bad(Reason::Trailer, &[&format!("0\r\nA: {}", "b".repeat(9_000))]);
}

#[test]
fn rfc_9112_7_1_a_size_that_exceeds_the_bound_is_refused_before_its_data_comes() {
    assert_eq!(decode("3e9\r\n", 1_000), Err(Some(Reason::BodyTooLarge)));
    assert_eq!(decode("3e8\r\n", 1_000), Err(None));
    assert_eq!(decode("2\r\nab\r\n2\r\n", 3), Err(Some(Reason::BodyTooLarge)));
    assert_eq!(decode("1\r\na\r\nffffffffffffffff\r\n", u64::MAX - 1), Err(Some(Reason::BodyTooLarge)));
}
