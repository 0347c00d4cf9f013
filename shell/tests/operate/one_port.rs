//! Platforms with one port start it like this: the environment alone, `PORT`, a health path, a mounted disk. What their
//! files in `contrib/platform` set is read from there, so that the files are what is tried.

use crate::load::{FIRST_USER, update};
use crate::platform::Platform;
use crate::process::{Place, Process, get, nobat, request, wait_for};
use std::path::Path;

const PASSWORD: &str = "correct-horse-battery";

fn contrib(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What a platform's file sets: its variables, and the path that it looks at.
fn of_file(file: &str) -> (Vec<(String, String)>, String) {
    let text = contrib(file);
    let bare = |word: &str| word.trim().trim_matches('"').to_owned();
    let (mut variables, mut health) = (Vec::new(), None);
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("- { key: ") {
            // What is `sync: false` is set in the dashboard.
            let pair = rest.trim_end_matches(" }").split_once(", value: ");
            variables.extend(pair.map(|(name, value)| (bare(name), bare(value))));
        } else if let Some((name, value)) = line.trim_start_matches("#   ").split_once('=') {
            let name = name.trim();
            if ["healthcheckPath", "path"].contains(&name) {
                health = Some(bare(value));
            } else if !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
                variables.push((name.to_owned(), bare(value)));
            }
        } else if let Some(path) = line.strip_prefix("healthCheckPath: ") {
            health = Some(bare(path));
        }
    }
    (variables, health.expect("a health path"))
}

/// Starts it with a platform's variables and those that its dashboard and the platform itself set; the disk is `data`.
fn start(place: &Place, api: std::net::SocketAddr, variables: &[(String, String)]) -> Process {
    let mut command = place.command(nobat(), &["serve"]);
    command.envs([
        ("ADMIN_PORT", place.admin.port().to_string()),
        ("BOT_TOKEN_MAIN", "1000001:TEST".to_owned()),
        ("WEBHOOK_SECRET_TOKEN", "test-secret".to_owned()),
        ("NOBAT_ADMIN_PASSWORD", PASSWORD.to_owned()),
        ("TELEGRAM_API_ROOT", format!("http://{api}")),
    ]);
    for (name, value) in variables {
        command.env(name, value.replace("/data", &place.path("disk").display().to_string()));
    }
    command.env("PORT", place.listen.port().to_string());
    place.spawn(command)
}

fn show(place: &Place, path: &str, authorization: &str) -> Option<(u16, String)> {
    request(
        place.listen,
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\r\n"),
    )
}

#[test]
fn each_platforms_own_file_starts_it_on_the_platforms_one_port() {
    for (file, domain) in [
        ("platform/render.yaml", ("WEBHOOK_URL", "https://nobat.example")),
        ("platform/railway.toml", ("RAILWAY_PUBLIC_DOMAIN", "nobat.example")),
        ("platform/fly.toml", ("WEBHOOK_URL", "https://nobat.example")),
    ] {
        let platform = Platform::start();
        let place = Place::new(platform.address);
        // As there: no file beside it.
        std::fs::remove_file(place.path("nobat.toml")).expect("removed");
        let (mut variables, health) = of_file(file);
        assert!(variables.iter().any(|(name, _)| name == "NOBAT_DATA_DIR"), "{file}: {variables:?}");
        variables.push((domain.0.to_owned(), domain.1.to_owned()));
        let process = start(&place, platform.address, &variables);
        wait_for("health", || get(place.listen, &health).is_some_and(|(status, _)| status == 200));
        wait_for("readiness", || get(place.listen, "/readyz").is_some_and(|(status, _)| status == 200));
        // Where the domain is told, it registers by itself.
        wait_for("a webhook", || {
            String::from_utf8_lossy(&platform.registration()).contains("https://nobat.example/webhook")
        });
        let bytes = update(1).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
        assert_eq!(request(place.listen, &bytes).map(|(status, _)| status), Some(200), "{file}");
        wait_for("an answer", || platform.sent_to(FIRST_USER + 1) == 1);
        assert!(place.path("disk").join("ctl.sock").exists(), "{file}: the data are on the disk");

        // The operator's pages: on the same port, with the password alone; there is no other port.
        assert_eq!(get(place.admin, "/metrics"), None, "{file}: {}", place.log());
        assert_eq!(show(&place, "/admin/metrics", "").map(|(status, _)| status), Some(401), "{file}");
        let bearer = format!("Authorization: Bearer {PASSWORD}\r\n");
        let (status, metrics) = show(&place, "/admin/metrics", &bearer).expect("metrics");
        assert!(status == 200 && metrics.contains("nobat_updates_total{kind=\"message\"} 1"), "{metrics}");
        assert_eq!(show(&place, "/metrics", &bearer).map(|(status, _)| status), Some(404), "{file}");
        assert!(!place.log().contains(PASSWORD), "{file}");

        // Drained: alive, and not ready.
        let disk = place.path("disk").display().to_string();
        let (status, _, says) = place.ask(&["--data-dir", &disk, "ctl", "drain"]);
        assert_eq!(status, 0, "{file}: {says}");
        assert_eq!(get(place.listen, &health).map(|(status, _)| status), Some(200), "{file}");
        let (status, body) = get(place.listen, "/readyz").expect("an answer");
        assert!(status == 503 && body.contains("draining"), "{file}: {body}");
        process.stop();
    }
}

#[test]
fn a_second_instance_is_refused_the_disk_until_the_first_has_ended() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    std::fs::remove_file(place.path("nobat.toml")).expect("removed");
    let (variables, _) = of_file("platform/render.yaml");
    let first = start(&place, platform.address, &variables);
    wait_for("readiness", || get(place.listen, "/readyz").is_some_and(|(status, _)| status == 200));
    let bytes = update(1).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
    assert_eq!(request(place.listen, &bytes).map(|(status, _)| status), Some(200));
    wait_for("an answer", || platform.sent_to(FIRST_USER + 1) == 1);

    // On another machine's port the disk's lock refuses it, on the same one the port: both with a reason.
    let other = Place::new(platform.address);
    let mut elsewhere = place.command(nobat(), &["serve"]);
    elsewhere.envs([
        ("PORT", other.listen.port().to_string()),
        ("ADMIN_PORT", other.admin.port().to_string()),
        ("NOBAT_DATA_DIR", place.path("disk").display().to_string()),
        ("BOT_TOKEN_MAIN", "1000001:TEST".to_owned()),
        ("TELEGRAM_API_ROOT", format!("http://{}", platform.address)),
    ]);
    let mut second = place.spawn(elsewhere);
    assert!(!second.wait().success(), "{}", place.log());
    assert!(place.log().contains("is in use by process"), "{}", place.log());
    let mut second = start(&place, platform.address, &variables);
    assert_eq!(second.wait().code(), Some(1), "the port is taken: {}", place.log());

    first.stop();
    let next = start(&place, platform.address, &variables);
    wait_for("readiness", || get(place.listen, "/readyz").is_some_and(|(status, _)| status == 200));
    // Known, and not acted upon.
    assert_eq!(request(place.listen, &bytes).map(|(status, _)| status), Some(200));
    next.stop();
    assert_eq!(platform.sent_to(FIRST_USER + 1), 1, "nobody is served twice");
}

#[test]
fn the_operators_pages_are_not_shown_to_all_by_mistake() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    place.configure("[admin]\non_main = true\n");
    let (status, _, says) = place.ask(&["check"]);
    assert!(
        status == 2 && says.contains("there is no admin.password; set NOBAT_ADMIN_PASSWORD"),
        "{status} {says}"
    );
    place.configure("[admin]\non_main = true\npassword = \"short\"\n");
    let (status, _, says) = place.ask(&["check"]);
    assert!(status == 2 && says.contains("16 characters") && !says.contains("short"), "{status} {says}");
    let (status, _, says) = {
        std::fs::write(
            place.path("nobat.toml"),
            "[bot]\ntokens = [\"1000001:TEST\"]\nkind = \"chat\"\n[admin]\non_main = true\npassword = \"0123456789abcdef\"\n",
        )
        .expect("written");
        place.ask(&["check"])
    };
    assert!(status == 2 && says.contains("set PORT or NOBAT_LISTEN"), "{status} {says}");
}

#[test]
fn the_image_starts_what_is_there_and_names_the_disk() {
    let file = contrib("Containerfile");
    for line in ["ENTRYPOINT [\"nobat\"]", "CMD [\"serve\"]", "STOPSIGNAL SIGTERM", "VOLUME /data"] {
        assert!(file.contains(line), "{line}");
    }
    assert!(file.lines().any(|line| line.starts_with("ENV NOBAT_DATA_DIR=/data ")), "{file}");
    assert!(contrib("platform/Procfile").trim().ends_with("nobat serve"));
}
