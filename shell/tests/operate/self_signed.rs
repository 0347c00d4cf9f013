//! `nobat webhook setup --self-signed`: the platform is given a certificate, and the server answers with it.

use crate::load::update;
use crate::platform::Platform;
use crate::process::{PATIENCE, Place, wait_for};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

#[test]
fn the_platform_is_given_the_certificate_that_the_server_then_shows() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let url = format!("https://{}", place.listen);
    let (status, out, says) = place.ask(&["webhook", "setup", &url, "--self-signed"]);
    assert_eq!(status, 0, "{out}{says}");
    assert!(out.contains("ok  lane 0") && out.contains("nobat ctl upgrade"), "{out}");

    let body = String::from_utf8_lossy(&platform.registration()).into_owned();
    let begin = body.find("-----BEGIN CERTIFICATE-----").expect("a certificate was uploaded");
    assert!(body.contains("name=\"certificate\"; filename=\"certificate.pem\""), "{body}");
    assert!(body.contains("name=\"secret_token\"\r\n\r\ntest-secret\r\n"), "{body}");
    assert!(!body.contains("PRIVATE KEY"), "{body}");

    // A client that trusts this certificate alone, as the platform does.
    let process = place.spawn(place.command(crate::process::nobat(), &["serve"]));
    place.wait_log("serving kind=results");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&body.as_bytes()[begin..]).expect("PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let session = rustls::ClientConnection::new(Arc::new(config), name).expect("a session");
    let socket = TcpStream::connect(place.listen).expect("connected");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut stream = rustls::StreamOwned::new(session, socket);
    let bytes = update(1).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
    stream.write_all(bytes.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    wait_for("it is answered", || platform.sent_to(crate::load::FIRST_USER + 1) == 1);

    // It shows in what the operator asks, and a pair of his own is not silently replaced.
    assert!(place.ask(&["doctor", "--offline"]).1.contains("TLS        data/webhook.cert.pem is good until"));
    process.stop();
    place.configure("[tls]\ncert = \"c.pem\"\nkey = \"k.pem\"\n");
    let (status, _, says) = place.ask(&["webhook", "setup", &url, "--self-signed"]);
    assert!(status == 2 && says.contains("tls.cert names a certificate already"), "{says}");
}
