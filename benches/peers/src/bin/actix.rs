//! actix-web with one worker.

use actix_web::http::{KeepAlive, StatusCode};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

async fn webhook(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let secret = request.headers().get("x-telegram-bot-api-secret-token").map(|value| value.as_bytes());
    HttpResponse::new(StatusCode::from_u16(nobat_peers::status(secret, &body)).expect("a status"))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let server = HttpServer::new(|| App::new().route("/webhook", web::post().to(webhook)))
        .workers(1)
        .keep_alive(KeepAlive::Os)
        // Between two rounds its connections say nothing for longer than it would wait.
        .client_request_timeout(std::time::Duration::ZERO)
        .bind("127.0.0.1:0")?;
    println!("{}", server.addrs()[0].port());
    server.run().await
}
