//! The recorder: stands in front of a running server, writes down what users do, and hands every request on
//! unchanged.
//!
//! It understands as much of an update as a recording keeps, and never refuses one: what it cannot read is
//! handed on all the same. Plain HTTP on both sides, for a place behind the proxy that ends TLS.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use super::{Header, VERSION, put, put_planned};
use crate::profile::Planned;
use crate::wire::What;

/// What the recorder writes to, and what it needs for that.
struct Book<W> {
    out: Mutex<(W, HashMap<String, usize>)>,
    began: Instant,
    forward: SocketAddr,
}

/// Records on `listener` until the process ends; requests go on to `forward`.
///
/// # Errors
/// The recording cannot be begun. Later trouble with it ends the process's usefulness but never a request.
pub async fn record<W: Write + Send + 'static>(
    listener: TcpListener,
    forward: SocketAddr,
    mut out: W,
) -> io::Result<()> {
    put(&Header { nobat_record: VERSION, records: 0, seed: 0, tokens: 1 }, &mut out)?;
    let book = Arc::new(Book { out: Mutex::new((out, HashMap::new())), began: Instant::now(), forward });
    loop {
        let (stream, _) = listener.accept().await?;
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| pass(Arc::clone(&book), request));
            // The peer makes a broken connection again.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn pass<W: Write>(
    book: Arc<Book<W>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = match handed_on(&book, request).await {
        Ok(answer) => answer,
        Err(error) => {
            let mut answer =
                Response::new(Full::new(Bytes::from(format!("the server is not there: {error}\n"))));
            *answer.status_mut() = StatusCode::BAD_GATEWAY;
            answer
        }
    };
    Ok(answer)
}

async fn handed_on<W: Write>(
    book: &Book<W>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path().to_owned();
    let stream = TokioIo::new(TcpStream::connect(book.forward).await?);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let request = Request::from_parts(head, Full::new(body.clone()));
    let (head, answer) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
    let answer = answer.collect().await.map_err(io::Error::other)?.to_bytes();
    // What the server did not take will be delivered, and written down, again.
    if head.status.is_success() && path.starts_with("/webhook") {
        book.note(&path, &body);
    }
    Ok(Response::from_parts(head, Full::new(answer)))
}

impl<W: Write> Book<W> {
    fn note(&self, path: &str, body: &[u8]) {
        let Ok(update) = serde_json::from_slice::<Value>(body) else { return };
        let Some((user, language, what)) = act_of(&update) else { return };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (out, bots) = &mut *out;
        let known = bots.len();
        let bot = *bots.entry(path.to_owned()).or_insert(known);
        let planned = Planned { at: self.began.elapsed(), bot, user, what, language_code: language };
        // A full disk must not cost anybody his answer; the recording ends short.
        let _ = put_planned(&planned, out).and_then(|()| out.flush());
    }
}

/// Who did what, as far as a recording keeps it.
fn act_of(update: &Value) -> Option<(u64, String, What)> {
    let fields = update.as_object()?;
    let (kind, inner) = fields.iter().find(|(name, _)| *name != "update_id")?;
    let from = &inner["from"];
    let user = from["id"].as_u64()?;
    let language = from["language_code"].as_str().unwrap_or("ar").to_owned();
    let what = match (kind.as_str(), inner["text"].as_str(), inner["data"].as_str()) {
        ("message", Some(text), _) => What::Text(text.to_owned()),
        ("callback_query", _, Some(data)) => What::Press {
            data: data.to_owned(),
            message_id: inner["message"]["message_id"].as_i64().unwrap_or(1),
            callback_id: String::new(),
        },
        _ => What::Other(kind.clone()),
    };
    Some((user, language, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_update_is_kept_as_who_did_what() {
        let from = json!({"id": 42, "language_code": "en"});
        let text = json!({"update_id": 1, "message": {"from": from, "chat": {"id": 42}, "text": "11000005"}});
        assert_eq!(act_of(&text), Some((42, "en".to_owned(), What::Text("11000005".to_owned()))));
        let press =
            json!({"callback_query": {"from": {"id": 42}, "data": "c1", "message": {"message_id": 7}}});
        let what = What::Press { data: "c1".to_owned(), message_id: 7, callback_id: String::new() };
        assert_eq!(act_of(&press), Some((42, "ar".to_owned(), what)));
        let photo = json!({"message": {"from": from, "photo": []}});
        assert_eq!(act_of(&photo).map(|act| act.2), Some(What::Other("message".to_owned())));
        assert_eq!(act_of(&json!({"update_id": 1})), None);
        assert_eq!(act_of(&json!([1])), None);
    }
}
