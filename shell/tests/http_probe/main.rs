//! The probe: the webhook listener as a whole (sockets, reactor, codec, service, engine) against what RFC 9112
//! and RFC 9110 ask of an origin server, one case a line of a table, each labelled with its section.
//!
//! Every case is played twice, in one piece and byte by byte, with a further request behind it. If the case
//! lets the connection stay, that request must be answered: the two sides agree on where messages end. If not,
//! it must not be: nothing is handled behind what is refused. Answers are read by httparse, not by our reader.

mod answers;
mod bodies;
mod case;
mod chunked;
mod conversation;
mod fields;
mod framing;
mod methods;
mod request_line;
mod server;
mod table;

use case::{Case, play};
use server::Server;

/// All cases that are one burst of bytes.
fn cases() -> Vec<Case> {
    [request_line::cases(), fields::cases(), framing::cases(), chunked::cases(), methods::cases()].concat()
}

fn play_all(server: &Server) {
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        for bytewise in [false, true] {
            if let Err(why) = play(server, case, bytewise) {
                wrong.push(format!("{} {:?} (bytewise: {bytewise}): {why}", case.section, case.shown()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= 345, "the probe has {} cases", cases.len());
}

#[test]
fn every_case_is_answered_as_its_section_asks() {
    play_all(&Server::start());
}

#[test]
fn every_case_is_answered_so_under_tls_too() {
    play_all(&Server::encrypted());
}

#[test]
fn no_two_cases_send_the_same() {
    let mut seen = std::collections::HashSet::new();
    let twice: Vec<_> = cases().into_iter().filter(|case| !seen.insert(case.send.clone())).collect();
    let shown: Vec<_> = twice.iter().map(Case::shown).collect();
    assert!(twice.is_empty(), "twice: {shown:#?}");
}
