//! RFC 9112 7.1: the chunked coding, on the way to the engine: a body that is decoded wrongly is no update.

use crate::case::{Case, update};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |section, body: &str, status| {
        cases.push(Case::new(section, update("Transfer-Encoding: chunked\r\n", body), status));
    };
    for body in good() {
        add("9112 7.1", body, 200);
    }
    for body in bad() {
        add("9112 7.1", &format!("{body}{{\"update_id\":1}}\r\n0\r\n\r\n"), 400);
    }
    for body in [
        "f\r\n{\"update_id\":1}0\r\n\r\n",
        "f\r\n{\"update_id\":1}\n0\r\n\r\n",
        "f\r\n{\"update_id\":1}\r0\r\n\r\n",
        "f\r\n{\"update_id\":1}x\r\n0\r\n\r\n",
        "e\r\n{\"update_id\":1}\r\n0\r\n\r\n",
        "10\r\n{\"update_id\":1}\r\n0\r\n\r\n",
        "f\r\n{\"update_id\":1}\r\n\r\n0\r\n\r\n",
        "f\r\n{\"update_id\":1}\r\n0\n\r\n",
        "f\r\n{\"update_id\":1}\r\n0\r\n\n",
        "f\r\n{\"update_id\":1}\r\n0\r\n\rx",
        "f\r\n{\"update_id\":1}\r\n-0\r\n\r\n",
        "f\r\n{\"update_id\":1}\r\nz\r\n\r\n",
    ] {
        add("9112 7.1", body, 400);
    }
    for (extension, status) in EXTENSIONS {
        add("9112 7.1.1", &format!("f{extension}\r\n{{\"update_id\":1}}\r\n0{extension}\r\n\r\n"), *status);
    }
    add("9112 7.1.1", &format!("f;a={}\r\n{{\"update_id\":1}}\r\n0\r\n\r\n", "b".repeat(5_000)), 400);
    for (trailer, status) in TRAILERS {
        add("9112 7.1.2", &format!("f\r\n{{\"update_id\":1}}\r\n0\r\n{trailer}\r\n"), *status);
    }
    add("9112 7.1.2", &format!("f\r\n{{\"update_id\":1}}\r\n0\r\nA: {}\r\n\r\n", "b".repeat(10_000)), 400);
    add("9112 6.3", "0\r\n\r\n", 400);
    if let Some(last) = cases.last_mut() {
        // Well framed, and no update: the connection stays.
        *last = last.clone().stays();
    }
    for size in ["10001", "ffffffff", "7fffffffffffffff", "ffffffffffffffff", "f000000000000000"] {
        let body = format!("{size}\r\n");
        let case = Case::new("9110 15.5.14", update("Transfer-Encoding: chunked\r\n", &body), 413);
        cases.push(case.closes());
    }
    let beyond = format!("400\r\n{}\r\n", " ".repeat(1024)).repeat(65) + "0\r\n\r\n";
    cases.push(Case::new("9110 15.5.14", update("Transfer-Encoding: chunked\r\n", &beyond), 413).closes());
    cases
}

fn good() -> [&'static str; 7] {
    [
        "F\r\n{\"update_id\":1}\r\n0\r\n\r\n",
        "0f\r\n{\"update_id\":1}\r\n0\r\n\r\n",
        "000000000000000f\r\n{\"update_id\":1}\r\n00000\r\n\r\n",
        "1\r\n{\r\ne\r\n\"update_id\":1}\r\n0\r\n\r\n",
        "5\r\n{\"upd\r\n4\r\nate_\r\n6\r\nid\":1}\r\n0\r\n\r\n",
        "f\r\n{\"update_id\":1}\r\n2\r\n\r\n\r\n0\r\n\r\n",
        "0000000000000001\r\n{\r\n00e\r\n\"update_id\":1}\r\n0\r\n\r\n",
    ]
}

/// What may not stand where a size is due. The body's bytes follow.
fn bad() -> [&'static str; 26] {
    [
        "\r\n",
        "g\r\n",
        "-f\r\n",
        "+f\r\n",
        " f\r\n",
        "\tf\r\n",
        "0xf\r\n",
        "xf\r\n",
        "f \r\n",
        "f\t\r\n",
        "f\n",
        "f\r",
        "f\r\r\n",
        "\nf\r\n",
        "f.\r\n",
        "f.0\r\n",
        "f_\r\n",
        "1_5\r\n",
        "f,\r\n",
        "\"f\"\r\n",
        ";a=b\r\n",
        "f\0\r\n",
        "\0f\r\n",
        "\u{661}\r\n",
        "0000000000000000f\r\n",
        "10000000000000000\r\n",
    ]
}

const EXTENSIONS: &[(&str, u16)] = &[
    (";a", 200),
    (";a=b", 200),
    (";a=\"b c\"", 200),
    (";a=\"\\\"\\\\;\"", 200),
    (" ; a = b", 200),
    ("\t;\ta", 200),
    (";a;b=c;d=\"e\"", 200),
    (";", 400),
    (";;a", 400),
    (";=b", 400),
    (";a=", 400),
    (";a b", 400),
    (";a=b c", 400),
    (";a=\"b", 400),
    (";a=\"b\"c", 400),
    (";a\u{0}", 400),
    (";a=\u{1}", 400),
    (";a=\"\u{7f}\"", 400),
    (";a\n", 400),
    (";a=\"\n\"", 400),
    (";a\rb", 400),
    (";a=b ", 400),
    (" a", 400),
];

const TRAILERS: &[(&str, u16)] = &[
    ("A: b\r\n", 200),
    ("A: b\r\nC:\r\n", 200),
    // Checked and thrown away: a trailer changes neither framing nor routing.
    ("Content-Length: 99\r\n", 200),
    ("Transfer-Encoding: gzip\r\n", 200),
    ("Host: evil\r\nHost: more\r\n", 200),
    ("Connection: close\r\n", 200),
    ("A : b\r\n", 400),
    (" A: b\r\n", 400),
    ("A\r\n", 400),
    (": b\r\n", 400),
    ("A: b\n", 400),
    ("A: b\r\n c\r\n", 400),
    ("A: \u{0}\r\n", 400),
    ("é: b\r\n", 400),
    ("A(: b\r\n", 400),
    ("A: b\rc\r\n", 400),
];
