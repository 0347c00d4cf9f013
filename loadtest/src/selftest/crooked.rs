//! A results bot of two hundred lines with a bug on request: what the referee is tested against.
//!
//! It has no journal and no mercy, but its wire form is the real server's: configured by the environment,
//! `results import`, `serve`, cards as `docs/results.md` says. Without a bug it passes a small rehearsal.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::wire::{Job, PER_SECOND, call, connect, hear, lane, variable};
use crate::auditor::doctor::Bug;

/// The card that a bug strikes: not the first, so that the way there is sound.
const STRIKES_AT: usize = 6;
/// A page of a list of names.
const LIST: usize = 8;

/// Bugs that this server can have; the others are put into logs alone.
pub(super) fn can(bug: Bug) -> bool {
    !matches!(
        bug,
        Bug::TalkativeButton
            | Bug::WrongResult
            | Bug::SecondCard
            | Bug::NoticeFlood
            | Bug::WrongText
            | Bug::Unacknowledged
            | Bug::ForgottenEnd
    )
}

struct Server {
    /// The CSV's rows by exam number.
    rows: HashMap<u64, csv::StringRecord>,
    header: csv::StringRecord,
    bug: Option<Bug>,
    cards: AtomicUsize,
    /// The card that waits to be exchanged with the next.
    held: Mutex<Option<(usize, Job)>>,
    lanes: Vec<UnboundedSender<Job>>,
    /// Answers to presses: no messages, so they wait behind none.
    calls: UnboundedSender<Job>,
}

/// Copies the data set into the data directory.
///
/// # Errors
/// The file cannot be copied.
pub fn import(file: &Path, data: &Path) -> io::Result<()> {
    std::fs::copy(file, data.join("crooked.csv")).map(|_| ())
}

/// Serves until SIGTERM, configured by the environment.
///
/// # Errors
/// A variable is missing, or a socket cannot be had.
pub fn serve(bug: Option<Bug>) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(bug))
}

async fn run(bug: Option<Bug>) -> io::Result<()> {
    let api = variable("TELEGRAM_API_ROOT")?.trim_start_matches("http://").to_owned();
    let mut tokens = vec![variable("BOT_TOKEN_MAIN")?];
    while let Ok(token) = std::env::var(format!("BOT_TOKEN_{}", tokens.len())) {
        tokens.push(token);
    }
    let data = PathBuf::from(variable("NOBAT_DATA_DIR")?);
    let (header, rows) = read_rows(&data.join("crooked.csv"))?;
    let listener = TcpListener::bind(variable("NOBAT_LISTEN")?).await?;
    let hook = json!({ "url": format!("{}/webhook", variable("WEBHOOK_URL")?), "max_connections": 40 });
    call(&mut connect(&api).await?, &api, &tokens[0], "setWebhook", &hook).await?;
    let (calls, jobs) = unbounded_channel();
    tokio::spawn(lane(api.clone(), tokens[0].clone(), jobs, PER_SECOND, |_, _| {}));
    let mut lanes = Vec::new();
    for token in tokens {
        let (sender, jobs) = unbounded_channel();
        lanes.push(sender);
        // One token too many in the window is the bug of the 31st send.
        let window = PER_SECOND + usize::from(bug == Some(Bug::ThirtyFirstSend));
        tokio::spawn(lane(api.clone(), token, jobs, window, |_, _| {}));
    }
    let (cards, held) = (AtomicUsize::new(0), Mutex::new(None));
    let server = Server { rows, header, bug, cards, held, lanes, calls };
    hear(listener, move |_, update| server.take(update)).await
}

fn read_rows(path: &Path) -> io::Result<(csv::StringRecord, HashMap<u64, csv::StringRecord>)> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?.clone();
    let mut rows = HashMap::new();
    for row in reader.records() {
        let row = row?;
        rows.extend(row[0].parse().ok().map(|number: u64| (number, row.clone())));
    }
    Ok((header, rows))
}

impl Server {
    fn take(&self, update: &Value) {
        if update["callback_query"].is_object() {
            return self.pressed(&update["callback_query"]);
        }
        let message = &update["message"];
        let (Some(chat), Some(text)) = (message["chat"]["id"].as_i64(), message["text"].as_str()) else {
            return;
        };
        let digits: Option<String> = text.trim().chars().map(digit).collect();
        let number = digits.and_then(|digits| digits.parse::<u64>().ok());
        let lane = usize::try_from(chat).unwrap_or(0) % self.lanes.len();
        match number.map(|number| (number, self.rows.get(&number))) {
            Some((_, Some(row))) => self.card(lane, chat, row),
            Some((number, None)) => {
                self.send(lane, Job::message(chat, format!("لا توجد نتيجة للرقم \u{2068}{number}\u{2069}")));
            }
            None => self.send_words(lane, chat, text),
        }
    }

    fn send_words(&self, lane: usize, chat: i64, text: &str) {
        let told = match text {
            "/start" => "أهلا بك، من هنا تحصل على نتيجتك",
            "/help" => "أرسل رقمك الامتحاني في رسالة واحدة",
            _ => return self.named(lane, chat, text),
        };
        self.send(lane, Job::message(chat, told));
    }

    /// Whose name begins like this: a card, or a list through the bot that was written to.
    fn named(&self, lane: usize, chat: i64, text: &str) {
        let mut found: Vec<&csv::StringRecord> =
            self.rows.values().filter(|row| row[1].starts_with(text) && text.contains(' ')).collect();
        found.sort_by_key(|row| row[0].to_owned());
        match found.as_slice() {
            [] if text.contains(' ') => self.send(lane, Job::message(chat, "لم نجد اسما مطابقا")),
            [] => self.send(lane, Job::message(chat, "لم أفهم رسالتك")),
            [only] => self.card(lane, chat, only),
            several => {
                let several = &several[..several.len().min(LIST)];
                let keyboard: Vec<Value> = (0..several.len())
                    .map(|nth| {
                        let swapped = usize::from(self.bug == Some(Bug::SwappedButton));
                        let (row, other) = (several[nth], several[(nth + swapped) % several.len()]);
                        json!([{ "text": format!("{}، {}، {}", &row[1], &row[2], &row[3]), "callback_data": format!("{chat}:{}", &other[0]) }])
                    })
                    .collect();
                let mut job = Job::message(chat, format!("الأسماء المطابقة لبحثك: {}", several.len()));
                job.body["reply_markup"] = json!({ "inline_keyboard": keyboard });
                self.send(0, job);
            }
        }
    }

    fn pressed(&self, query: &Value) {
        let (Some(chat), Some(data)) = (query["from"]["id"].as_i64(), query["data"].as_str()) else { return };
        if self.bug != Some(Bug::SilentButton) {
            let body = json!({ "callback_query_id": query["id"] });
            let _ = self.calls.send(Job { chat, method: "answerCallbackQuery", body });
        }
        let lane = usize::try_from(chat).unwrap_or(0) % self.lanes.len();
        let Some((owner, number)) = data.split_once(':') else { return };
        let believed = owner == chat.to_string() || self.bug == Some(Bug::StolenButton);
        if let (true, Some(row)) =
            (believed, number.parse().ok().and_then(|number: u64| self.rows.get(&number)))
        {
            self.card(lane, chat, row);
        }
    }

    /// Sends a card; the bug strikes one of them.
    fn card(&self, lane: usize, chat: i64, row: &csv::StringRecord) {
        let nth = self.cards.fetch_add(1, Ordering::Relaxed);
        let strikes = nth == STRIKES_AT;
        let spoiled = strikes && self.bug == Some(Bug::WrongMark);
        let mut job = Job::message(chat, card_text(&self.header, row, spoiled));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match self.bug {
            Some(Bug::DroppedAnswer) if strikes => {}
            Some(Bug::Repeat) if strikes => {
                self.send(lane, Job { body: job.body.clone(), ..job });
                self.send(lane, job);
            }
            Some(Bug::WrongBot) if strikes => self.send(if lane == 1 { 2 } else { 1 }, job),
            Some(Bug::SwappedRecipient) if strikes => *held = Some((lane, job)),
            Some(Bug::SwappedRecipient) => {
                if let Some((other_lane, mut other)) = held.take() {
                    let (mine, others) = (job.body["text"].take(), other.body["text"].take());
                    (job.body["text"], other.body["text"]) = (others, mine);
                    self.send(other_lane, other);
                }
                self.send(lane, job);
            }
            Some(Bug::Reordering) if nth == 0 => *held = Some((lane, job)),
            Some(Bug::Reordering) if held.as_ref().is_some_and(|(_, first)| first.chat == chat) => {
                self.send(lane, job);
                if let Some((lane, first)) = held.take() {
                    self.send(lane, first);
                }
            }
            _ => self.send(lane, job),
        }
    }

    fn send(&self, lane: usize, job: Job) {
        // A lane that ended takes its jobs along: the auditor will say so.
        let _ = self.lanes[lane].send(job);
    }
}

/// Digits of three scripts as ASCII; nothing for any other character.
fn digit(c: char) -> Option<char> {
    let value = match c {
        '0'..='9' => return Some(c),
        '\u{660}'..='\u{669}' => c as u32 - 0x660,
        '\u{6F0}'..='\u{6F9}' => c as u32 - 0x6F0,
        _ => return None,
    };
    char::from_digit(value, 10)
}

/// The card of a row, as `docs/results.md` draws it; `spoiled` shows one mark that is not the pupil's.
fn card_text(header: &csv::StringRecord, row: &csv::StringRecord, spoiled: bool) -> String {
    let mut text =
        format!("الرقم الامتحاني: \u{2068}{}\u{2069}\nالاسم: \u{2068}{}\u{2069}\n", &row[0], &row[1]);
    for column in 2..row.len() {
        if matches!(&header[column], "arabic" | "total") {
            text.push('\n');
        }
        let label = match &header[column] {
            "school" => "المدرسة",
            "governorate" => "المحافظة",
            "total" => "المجموع",
            "average" => "المعدل",
            "status" => "النتيجة",
            other => other,
        };
        let value = &row[column];
        let value =
            if spoiled && &header[column] == "arabic" { format!("{value}0") } else { value.to_owned() };
        text += &format!("{label}: \u{2068}{value}\u{2069}\n");
    }
    text
}
