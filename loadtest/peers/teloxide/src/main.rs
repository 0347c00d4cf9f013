//! teloxide with `Throttle`, default limits; everything is handed over at once.

use std::io::{BufRead, Write};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use teloxide_core::Bot;
use teloxide_core::adaptors::throttle::Limits;
use teloxide_core::prelude::{Requester, RequesterExt};
use teloxide_core::types::ChatId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (api, tokens) = (std::env::var("PEER_API")?, std::env::var("PEER_TOKENS")?);
    let mut bots = Vec::new();
    for token in tokens.split(',') {
        bots.push(Bot::new(token).set_api_url(api.parse()?).throttle(Limits::default()));
    }
    println!("ready");
    std::io::stdout().flush()?;
    let mut calls = FuturesUnordered::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut fields = line.splitn(3, ' ');
        let (Some(bot), Some(chat), Some(text)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let request = bots[bot.parse::<usize>()?].send_message(ChatId(chat.parse()?), text.to_owned());
        calls.push(async move { request.await.map(|_| ()) });
    }
    while let Some(sent) = calls.next().await {
        if let Err(error) = sent {
            eprintln!("{error}");
        }
    }
    Ok(())
}
