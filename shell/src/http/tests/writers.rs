//! What we write, byte by byte and read back by our own readers.

use super::*;
use nobat_core::time::UnixMillis;
use proptest::prelude::*;

const DATE: UnixMillis = UnixMillis(784_111_777_000);

fn written(response: &Response, keep: Keep, head_only: bool) -> String {
    let mut out = Vec::new();
    response.write(&mut out, &HttpDate::new(DATE), keep, head_only);
    String::from_utf8(out).expect("text")
}

#[test]
fn a_response_has_date_length_and_type() {
    assert_eq!(
        written(&Response::json(Status::OK, "{}"), Keep::Silent, false),
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    );
    assert_eq!(
        written(&Response::busy(3), Keep::Close, false),
        "HTTP/1.1 503 Service Unavailable\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\nRetry-After: 3\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn rfc_9110_8_6_no_length_where_none_may_stand() {
    assert!(!written(&Response::text(Status::NO_CONTENT, "x"), Keep::Silent, false).contains("Content-"));
    let head = written(&Response::text(Status::OK, "abc"), Keep::Say, true);
    assert!(head.contains("Content-Length: 3\r\n") && head.ends_with("Connection: keep-alive\r\n\r\n"));
}

#[test]
fn rfc_9110_15_5_6_a_405_names_what_is_allowed() {
    assert!(
        written(&Response::method_not_allowed("GET, HEAD"), Keep::Silent, false)
            .contains("\r\nAllow: GET, HEAD\r\n")
    );
}

#[test]
fn a_field_that_would_forge_another_is_left_out() {
    let response = Response::empty(Status::OK).field("X-A", "b\r\nX-Evil: c").field("X-Good", "d");
    let text = written(&response, Keep::Silent, false);
    assert!(!text.contains("Evil") && text.contains("\r\nX-Good: d\r\n"));
}

#[test]
fn every_refusal_has_a_status_of_its_class() {
    assert_eq!(Reason::Timeout.status(), Status::REQUEST_TIMEOUT);
    assert_eq!(Reason::LengthRequired.status(), Status::LENGTH_REQUIRED);
    assert_eq!(Reason::HostMissing.status(), Status::BAD_REQUEST);
    assert_eq!(
        written(&Response::empty(Status(299)), Keep::Silent, true).lines().next(),
        Some("HTTP/1.1 299 ")
    );
}

#[test]
fn rfc_9110_12_5_3_the_client_asks_for_no_content_coding() {
    let (mut post, mut get) = (Vec::new(), Vec::new());
    write_post(&mut post, &["/"], "x", "text/plain", &[], b"");
    write_get(&mut get, &["/"], "x", &[]);
    for request in [post, get] {
        let text = String::from_utf8(request).expect("text");
        assert!(text.contains("\r\nAccept-Encoding: identity\r\n"), "{text}");
    }
}

#[test]
fn rfc_9110_5_6_7_dates() {
    for (millis, text) in [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_102_444_799_999, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ] {
        assert_eq!(HttpDate::new(UnixMillis(millis)).as_bytes(), text.as_bytes());
    }
    let mut date = HttpDate::new(UnixMillis(0));
    date.update(UnixMillis(1_000));
    assert!(date.as_bytes().ends_with(b"00:00:01 GMT"));
}

proptest! {
    #[test]
    fn what_the_client_writes_the_server_reads(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        write_post(&mut out, &["/bot1000001:TEST/", "sendMessage"], "localhost:80", "application/json", &[("A", "b")], &body);
        let mut index = RequestIndex::default();
        let Step::Done(n) = parse_request(&out, &HeadLimits::default(), &mut index) else { panic!("not our own") };
        let head = RequestHead::new(&out, &index);
        prop_assert_eq!(head.path(), b"/bot1000001:TEST/sendMessage");
        prop_assert_eq!(head.framing(), Framing::Length(body.len() as u64));
        prop_assert_eq!(head.fields().only("a"), Some(&b"b"[..]));
        prop_assert_eq!(&out[n..], &body[..]);
    }

    #[test]
    fn what_the_server_writes_the_client_reads(body in "\\PC{0,80}", status in 200u16..600) {
        let mut out = Vec::new();
        let response = Response::text(Status(status), body.clone());
        response.write(&mut out, &HttpDate::new(DATE), Keep::Silent, false);
        let mut index = ResponseIndex::default();
        let Step::Done(n) = parse_response(&out, &HeadLimits::default(), Method::Get, &mut index) else { panic!("not our own") };
        let head = ResponseHead::new(&out, &index);
        prop_assert_eq!(head.status(), Status(status));
        let bodiless = head.status().is_bodiless();
        prop_assert_eq!(&out[n..], if bodiless { b"" } else { body.as_bytes() });
        prop_assert_eq!(head.framing(), if bodiless { Framing::None } else { Framing::Length(body.len() as u64) });
    }
}
