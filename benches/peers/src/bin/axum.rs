//! axum on one thread.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing::post};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let app = Router::new().route(
        "/webhook",
        post(async |headers: HeaderMap, body: Bytes| {
            let secret = headers.get("x-telegram-bot-api-secret-token").map(|value| value.as_bytes());
            StatusCode::from_u16(nobat_peers::status(secret, &body)).expect("a status")
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    println!("{}", listener.local_addr().expect("address").port());
    axum::serve(listener, app).await.expect("serve");
}
