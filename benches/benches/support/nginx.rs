//! nginx as a peer, if it is installed: one worker that answers 200 to whatever it is sent, understanding nothing of
//! the body.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Whether there is one.
pub(crate) fn is_installed() -> bool {
    Command::new("nginx").arg("-v").output().is_ok_and(|ended| ended.status.success())
}

/// A folder with its configuration, and the port of it.
pub(crate) fn prepare(command: &mut Command) -> (TempDir, u16) {
    let folder = tempfile::tempdir().expect("a folder");
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let at = folder.path().display();
    let text = format!(
        "daemon off; master_process off; pid {at}/pid; error_log /dev/null;\n\
         events {{ worker_connections 4096; multi_accept on; }}\n\
         http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_body_temp_path {at};\n\
         proxy_temp_path {at}; fastcgi_temp_path {at}; uwsgi_temp_path {at}; scgi_temp_path {at};\n\
         server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200; }} }} }}\n"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, text).expect("written");
    command.args(["nginx", "-e", "/dev/null", "-p"]).arg(folder.path()).arg("-c").arg(&file);
    (folder, port)
}

/// Waits until it listens: it does not say so.
pub(crate) fn wait(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
}
