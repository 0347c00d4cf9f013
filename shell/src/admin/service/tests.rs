use super::super::{State, bodies};
use super::*;
use crate::config::{Config, Inputs, load};
use crate::http::{HeadLimits, RequestIndex, Step, parse_request};
use crate::observe::{Registry, names};
use nobat_core::time::{Nanos, Now, UnixMillis};
use serde_json::{Value, json};

fn config(names: &[(&str, &str)]) -> Config {
    let mut env: Vec<_> =
        (1..=16).map(|n| (format!("BOT_TOKEN_{n}"), format!("{}:TEST", 1_000_000 + n))).collect();
    env.push(("BOT_TOKEN_MAIN".into(), "5036504214:TEST".into()));
    env.extend(names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    load(&Inputs { dir: "/nowhere".into(), env, ..Inputs::default() }).expect("a configuration")
}

fn pages(names: &[(&str, &str)]) -> Pages {
    Pages::new(&config(names), Arc::new(Registry::new(17)), Nanos::from_secs(1))
}

const TURN: Turn = Turn { now: Now { mono: Nanos::from_secs(62), wall: UnixMillis(1_784_527_200_000) } };

fn with_head<R>(request: &str, look: impl FnOnce(&RequestHead<'_>) -> R) -> R {
    let bytes = format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut index = RequestIndex::default();
    let step = parse_request(bytes.as_bytes(), &HeadLimits::default(), &mut index);
    assert!(matches!(step, Step::Done(_)), "{step:?}");
    look(&RequestHead::new(bytes.as_bytes(), &index))
}

fn asked(pages: &Pages, request: &str, audience: Audience) -> (u16, String) {
    with_head(request, |head| {
        let response = match pages.admit(head, audience) {
            Ok(()) => pages.answer(&TURN, head, audience),
            Err(refusal) => refusal,
        };
        (response.status.0, String::from_utf8(response.body.into_owned()).expect("UTF-8"))
    })
}

#[test]
fn the_public_statistics_are_what_operators_programs_expect_to_the_letter() {
    assert_eq!(
        bodies::public_stats(&config(&[])),
        "{\"mode\":\"single_interface\",\"main_bot_token\":\"5036504214...\",\"backend_bots\":17,\
         \"total_capacity_per_second\":510,\"load_balancing\":\"user_id % tokens\",\
         \"webhook_endpoint\":\"single (/webhook)\",\"user_experience\":\"single_bot_interface\"}"
    );
}

#[test]
fn health_is_told_in_every_state_and_readiness_only_when_updates_are_taken() {
    let pages = pages(&[]);
    let alive = "{\"status\":\"ok\",\"timestamp\":\"2026-07-20T06:00:00.000Z\"}";
    for (state, status, word) in [
        (State::Starting, 503, "starting"),
        (State::Ready, 200, "ready"),
        (State::Stalled, 503, "stalled"),
        (State::Stopping, 503, "stopping"),
    ] {
        pages.set(state);
        for path in ["GET /", "GET /health", "HEAD /health", "GET /health?probe=1"] {
            assert_eq!(asked(&pages, path, Audience::Public), (200, alive.to_owned()), "{path}");
        }
        let ready = (status, format!("{{\"status\":\"{word}\"}}"));
        assert_eq!(asked(&pages, "GET /readyz", Audience::Public), ready);
    }
}

#[test]
fn the_public_sees_no_metrics_and_no_traffic() {
    let pages = pages(&[]);
    assert_eq!(asked(&pages, "GET /metrics", Audience::Public).0, 404);
    for audience in [Audience::Public, Audience::Local] {
        assert_eq!(asked(&pages, "GET /stats", audience).1, bodies::public_stats(&config(&[])));
    }
    assert_eq!(asked(&pages, "GET /metrics", Audience::Local).0, 200);
    assert_eq!(asked(&pages, "GET /stats/", Audience::Operator).0, 404);
    assert_eq!(asked(&pages, "POST /health", Audience::Operator).0, 405);
    assert_eq!(asked(&pages, "TRACE /metrics", Audience::Operator).0, 405);
}

#[test]
fn the_operator_sees_numbers_by_lane_and_what_is_counted_elsewhere() {
    let pages = pages(&[]).with_refresh(|registry| registry.set(names::ENVELOPES_PENDING, 9));
    pages.registry().inc_at(names::SENDS, 16);
    pages.set(State::Ready);
    pages.watch(vec![Arc::default(), Arc::default()]);
    let (status, body) = asked(&pages, "GET /stats", Audience::Operator);
    let stats: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &stats["backend_bots"], &stats["state"]), (200, &json!(17), &json!("ready")));
    assert_eq!(
        (&stats["pending"], &stats["uptime_seconds"], &stats["sends"]),
        (&json!(9), &json!(61), &json!(1))
    );
    assert_eq!(stats["lanes"].as_array().map(Vec::len), Some(17));
    assert_eq!((&stats["lanes"][16]["bot"], &stats["lanes"][16]["sends"]), (&json!(1_000_016), &json!(1)));
    assert_eq!(stats["latency_ms"]["update_to_200"]["count"], 0);
    assert!(stats["resident_bytes"].as_u64() > Some(0));
    let (status, text) = asked(&pages, "GET /metrics", Audience::Operator);
    assert_eq!(status, 200);
    assert!(
        text.contains("\nnobat_envelopes_pending 9\n") && text.contains("nobat_sends_total{lane=\"16\"} 1\n")
    );
}

#[test]
fn no_page_holds_a_token() {
    let pages = pages(&[]);
    for path in ["/", "/health", "/healthz", "/readyz", "/stats", "/metrics"] {
        let (_, body) = asked(&pages, &format!("GET {path}"), Audience::Operator);
        assert!(!body.contains("TEST"), "{path}");
    }
}

#[test]
fn a_local_caller_is_told_from_the_public_unless_a_proxy_may_stand_before_us() {
    let (local, far) = ([127, 0, 0, 1].into(), [10, 0, 0, 1].into());
    let plain = pages(&[]);
    let proxied = pages(&[("WEBHOOK_URL", "https://bot.example")]);
    let own_tls =
        pages(&[("WEBHOOK_URL", "https://bot.example"), ("NOBAT_TLS_CERT", "c"), ("NOBAT_TLS_KEY", "k")]);
    with_head("GET /stats", |head| {
        assert_eq!(plain.audience(head, local), Audience::Local);
        assert_eq!(plain.audience(head, far), Audience::Public);
        assert_eq!(proxied.audience(head, local), Audience::Public);
        assert_eq!(own_tls.audience(head, local), Audience::Local);
    });
    for forwarded in ["X-Forwarded-For: 1.2.3.4", "forwarded: for=1.2.3.4", "Via: 1.1 x"] {
        let request = format!("GET /stats HTTP/1.1\r\nHost: x\r\n{forwarded}\r\n\r\n");
        let mut index = RequestIndex::default();
        let step = parse_request(request.as_bytes(), &HeadLimits::default(), &mut index);
        assert!(matches!(step, Step::Done(_)), "{step:?}");
        let head = RequestHead::new(request.as_bytes(), &index);
        assert_eq!(plain.audience(&head, local), Audience::Public, "{forwarded}");
    }
}

#[test]
fn the_admin_listener_serves_operators() {
    let mut service = AdminService::new(Arc::new(pages(&[])));
    let peer = Peer { addr: ([10, 0, 0, 1], 1).into(), tls: false };
    with_head("GET /metrics", |head| assert!(service.admit(head, &peer).is_ok()));
    with_head("GET /webhook", |head| assert!(service.admit(head, &peer).is_err()));
}

#[test]
fn on_a_platforms_one_port_the_operators_pages_are_below_admin_and_want_the_password() {
    const PASSWORD: &str = "correct-horse-battery";
    let closed = pages(&[]);
    let open =
        pages(&[("PORT", "3000"), ("NOBAT_ADMIN_ON_MAIN", "true"), ("NOBAT_ADMIN_PASSWORD", PASSWORD)]);
    let anyone = [203, 0, 113, 9].into();
    let ask = |pages: &Pages, path: &str, authorization: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{authorization}\r\n");
        let mut index = RequestIndex::default();
        let step = parse_request(request.as_bytes(), &HeadLimits::default(), &mut index);
        assert!(matches!(step, Step::Done(_)), "{step:?}");
        let head = RequestHead::new(request.as_bytes(), &index);
        let audience = pages.audience(&head, anyone);
        let response = match pages.admit(&head, audience) {
            Ok(()) => pages.answer(&TURN, &head, audience),
            Err(refusal) => refusal,
        };
        (response.status.0, String::from_utf8(response.body.into_owned()).expect("UTF-8"))
    };
    let bearer = format!("Authorization: Bearer {PASSWORD}\r\n");
    for path in ["/admin/metrics", "/admin/stats", "/admin/healthz", "/admin/readyz", "/admin/"] {
        assert_eq!(ask(&closed, path, &bearer).0, 404, "{path}: not asked for, not there");
        assert_eq!(ask(&open, path, "").0, 401, "{path}");
        assert_eq!(ask(&open, path, "Authorization: Bearer correct-horse-batterx\r\n").0, 401, "{path}");
        assert_eq!(ask(&open, path, &format!("{bearer}{bearer}")).0, 401, "{path}: twice is ambiguous");
    }
    assert!(ask(&open, "/admin/metrics", &bearer).1.contains("nobat_updates_total"));
    assert!(ask(&open, "/admin/stats", &bearer).1.contains("\"uptime_seconds\":61"));
    assert_eq!(ask(&open, "/admin/nothing", &bearer).0, 404);
    // What everybody sees stays what it is, whoever asks.
    assert_eq!(ask(&open, "/metrics", &bearer).0, 404);
    assert_eq!(ask(&open, "/stats", &bearer).1, ask(&closed, "/stats", "").1);
    assert_eq!(ask(&open, "/administrator", &bearer).0, 404);
}
