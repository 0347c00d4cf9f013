//! Platforms with one port start it like this: the environment alone, `PORT`, a health path, a mounted disk.

use crate::load::{FIRST_USER, update};
use crate::platform::Platform;
use crate::process::{Place, get, nobat, request, wait_for};

#[test]
fn the_environment_alone_starts_it_on_the_platforms_port() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    // As there: no file, an empty NOBAT_LISTEN from a template, a disk that is mounted somewhere.
    std::fs::remove_file(place.path("nobat.toml")).expect("removed");
    let start = || {
        let mut command = place.command(nobat(), &["serve"]);
        command.envs([
            ("PORT", place.listen.port().to_string()),
            ("NOBAT_LISTEN", String::new()),
            ("ADMIN_PORT", place.admin.port().to_string()),
            ("NOBAT_DATA_DIR", place.path("disk").display().to_string()),
            ("BOT_TOKEN_MAIN", "1000001:TEST".to_owned()),
            ("WEBHOOK_SECRET_TOKEN", "test-secret".to_owned()),
            ("TELEGRAM_API_ROOT", format!("http://{}", platform.address)),
        ]);
        place.spawn(command)
    };
    let process = start();
    wait_for("health", || get(place.listen, "/health").is_some_and(|(status, _)| status == 200));
    wait_for("readiness", || get(place.listen, "/readyz").is_some_and(|(status, _)| status == 200));
    let bytes = update(1).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
    assert_eq!(request(place.listen, &bytes).map(|(status, _)| status), Some(200));
    wait_for("an answer", || platform.sent_to(FIRST_USER + 1) == 1);

    // Some start the new instance before the old has ended: the disk's lock refuses it, with a reason.
    let mut second = start();
    assert_eq!(second.wait().code(), Some(1), "the port is taken: {}", place.log());
    process.stop();
    let next = start();
    wait_for("readiness", || get(place.listen, "/readyz").is_some_and(|(status, _)| status == 200));
    assert_eq!(
        request(place.listen, &bytes).map(|(status, _)| status),
        Some(200),
        "known, and not acted upon"
    );
    next.stop();
    assert_eq!(platform.sent_to(FIRST_USER + 1), 1, "nobody is served twice");
}
