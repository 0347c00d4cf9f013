//! A chat bot of three hundred lines with a bug on request: what the evening's referee is tested against.
//!
//! It keeps nothing on the disk and speaks English alone, but its wire form is the real server's: configured by
//! the environment, buttons and words as `docs/chat.md` says. Without a bug it passes a small evening.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::wire::{Job, PER_SECOND, call, connect, hear, lane, variable};
use crate::auditor::evening::doctor::Bug;

/// The message that a bug strikes: not the first, so that the way there is sound.
const STRIKES_AT: usize = 10;
/// Credits of the package, days of the plan, and what a lock of so many minutes costs.
const PACKAGE: u32 = 5;
const PLAN: u32 = 7;
const LOCK: (u32, u32) = (5, 1);

/// Bugs that this server can have; the others are put into logs alone.
pub(super) fn can(bug: Bug) -> bool {
    !matches!(bug, Bug::LateCheckout | Bug::AfterTheEnd | Bug::BeforeTheChat | Bug::WrongThread)
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
    let tokens: Vec<String> = variable("BOT_TOKENS")?.split(',').map(ToOwned::to_owned).collect();
    let listener = TcpListener::bind(variable("NOBAT_LISTEN")?).await?;
    let base = variable("WEBHOOK_URL")?;
    let (mut lanes, mut calls) = (Vec::new(), Vec::new());
    let announced = Arc::new(Mutex::new(HashMap::new()));
    for (bot, token) in tokens.iter().enumerate() {
        let hook = json!({ "url": format!("{base}/webhook/{bot}"), "max_connections": 10 });
        call(&mut connect(&api).await?, &api, token, "setWebhook", &hook).await?;
        for to in [&mut lanes, &mut calls] {
            let (sender, jobs) = unbounded_channel();
            to.push(sender);
            let told = announcements(Arc::clone(&announced));
            tokio::spawn(lane(api.clone(), token.clone(), jobs, PER_SECOND, told));
        }
    }
    let house = House {
        bug,
        lanes,
        calls,
        people: HashMap::new(),
        line: VecDeque::new(),
        chats: 0,
        said: 0,
        held: None,
        announced,
    };
    let house = Arc::new(Mutex::new(house));
    hear(listener, move |path, update| {
        let bot = path.rsplit('/').next().and_then(|bot| bot.parse().ok()).unwrap_or(0);
        house.lock().unwrap_or_else(PoisonError::into_inner).take(bot, update);
    })
    .await
}

/// By chat and user: the number of the message, in his own chat with the bot, that told him of his partner.
type Announced = Arc<Mutex<HashMap<(u64, i64), i64>>>;

/// Notes what the platform says to the messages that tell of a partner.
fn announcements(announced: Announced) -> impl Fn(&Job, &Value) {
    move |job, answer| {
        let first = &job.body["reply_markup"]["inline_keyboard"][0][0]["callback_data"];
        let chat =
            first.as_str().and_then(|data| data.strip_prefix("next:")).and_then(|chat| chat.parse().ok());
        if let (Some(chat), Some(message)) = (chat, answer["result"]["message_id"].as_i64()) {
            let mut announced = announced.lock().unwrap_or_else(PoisonError::into_inner);
            announced.insert((chat, job.chat), message);
        }
    }
}

/// What the bot knows of somebody.
#[derive(Clone, Debug, Default)]
struct Somebody {
    bot: usize,
    gender: String,
    age: u32,
    partner: Option<i64>,
    former: Option<i64>,
    chat: u64,
    kept: bool,
    credits: u32,
    days: u32,
    /// What each payment gave: credits, days.
    charges: HashMap<String, (u32, u32)>,
}

struct House {
    bug: Option<Bug>,
    lanes: Vec<UnboundedSender<Job>>,
    /// What is no message: it waits behind none.
    calls: Vec<UnboundedSender<Job>>,
    people: HashMap<i64, Somebody>,
    line: VecDeque<i64>,
    chats: u64,
    /// Messages handed on so far.
    said: usize,
    /// A message that waits to come after the next of its author.
    held: Option<(i64, i64, Job)>,
    announced: Announced,
}

impl House {
    fn take(&mut self, bot: usize, update: &Value) {
        let query = &update["callback_query"];
        if let (Some(user), Some(data)) = (query["from"]["id"].as_i64(), query["data"].as_str()) {
            self.call(bot, user, "answerCallbackQuery", json!({ "callback_query_id": query["id"] }));
            return self.pressed(bot, user, data);
        }
        let checkout = &update["pre_checkout_query"];
        if let Some(user) = checkout["from"]["id"].as_i64() {
            let yes = json!({ "pre_checkout_query_id": checkout["id"], "ok": true });
            return self.call(bot, user, "answerPreCheckoutQuery", yes);
        }
        if update["my_chat_member"]["new_chat_member"]["status"] == "kicked" {
            let user = update["my_chat_member"]["from"]["id"].as_i64().unwrap_or_default();
            self.line.retain(|other| *other != user);
            return self.part(user, None, "Your partner has blocked this bot, so the chat has ended.");
        }
        let message = &update["message"];
        let Some(user) = message["from"]["id"].as_i64() else { return };
        self.people.entry(user).or_default().bot = bot;
        if let Some(charge) = message["successful_payment"]["telegram_payment_charge_id"].as_str() {
            let credits = message["successful_payment"]["invoice_payload"] == "credits";
            return self.book(user, charge, credits);
        }
        if let Some(charge) = message["refunded_payment"]["telegram_payment_charge_id"].as_str() {
            return self.take_back(user, charge);
        }
        match message["text"].as_str() {
            Some(text) if text.starts_with('/') => self.command(bot, user, text),
            text => self.talk(bot, user, text, message),
        }
    }

    fn command(&mut self, bot: usize, user: i64, text: &str) {
        let mut words = text.split_whitespace();
        match words.next().unwrap_or_default() {
            "/start" => {
                self.tell(user, "Choose your language", &[("العربية", "l"), ("English", "l"), ("فارسی", "l")])
            }
            "/find" => self.find(user),
            "/refund" => {
                let (whom, charge) = (words.next().and_then(|id| id.parse::<i64>().ok()), words.next());
                let refund = json!({ "user_id": whom, "telegram_payment_charge_id": charge });
                self.call(bot, user, "refundStarPayment", refund);
                self.tell(user, "The platform was asked to give it back.", &[]);
            }
            "/vip" if self.person(user).partner.is_some() => self.tell(user, "Not during a chat.", &[]),
            "/vip" => self.tell(user, "⭐ As a VIP you go first", &[("7 days · 100 ⭐", "vip")]),
            word => self.act(user, word.trim_start_matches('/')),
        }
    }

    fn pressed(&mut self, bot: usize, user: i64, data: &str) {
        let (word, rest) = data.split_once(':').unwrap_or((data, ""));
        match word {
            "l" => self.tell(
                user,
                "Who are you?",
                &[("Man", "g:Man"), ("Woman", "g:Woman"), ("Other", "g:Other")],
            ),
            "g" => {
                self.people.entry(user).or_default().gender = rest.to_owned();
                self.tell(user, "How old are you? Send a number from 13 to 120.", &[]);
            }
            "find" => self.find(user),
            "credits" | "vip" => {
                let title =
                    if word == "vip" { format!("VIP for {PLAN} days") } else { format!("{PACKAGE} credits") };
                let prices = json!([{ "label": title, "amount": 100 }]);
                let body = json!({ "chat_id": user, "title": title, "description": "x", "payload": word,
                                   "currency": "XTR", "prices": prices });
                self.send(bot, Job { chat: user, method: "sendInvoice", body });
            }
            "lockfor" => self.lock(user),
            word => self.act(user, word),
        }
    }

    fn person(&self, user: i64) -> Somebody {
        self.people.get(&user).cloned().unwrap_or_default()
    }

    fn find(&mut self, user: i64) {
        let twice = self.bug == Some(Bug::TwoChats) && self.chats > 3;
        if self.person(user).partner.is_some() && !twice {
            return self.tell(user, "You are in a chat.", &[]);
        }
        self.tell(user, "🔎 Searching for a partner …", &[]);
        self.stand_in_line(user);
    }

    fn stand_in_line(&mut self, user: i64) {
        let former = self.person(user).former;
        let found = self.line.iter().position(|other| *other != user && Some(*other) != former);
        match found.and_then(|at| self.line.remove(at)) {
            Some(other) => self.pair(user, other),
            None if !self.line.contains(&user) => self.line.push_back(user),
            None => {}
        }
    }

    fn pair(&mut self, one: i64, other: i64) {
        self.chats += 1;
        for (user, partner) in [(one, other), (other, one)] {
            let chat = self.chats;
            let profile = self.person(partner);
            let person = self.people.entry(user).or_default();
            (person.partner, person.chat, person.kept) = (Some(partner), chat, false);
            // The bug shows the wrong man; his words still come from the right one.
            let age = profile.age + u32::from(self.bug == Some(Bug::SwappedPair) && chat == 3);
            let text =
                format!("🎉 You have a partner:\n👤 {}\n🎂 {age}\n💬 chats: 0\n\nSay hello!", profile.gender);
            let data = |word: &str| format!("{word}:{chat}");
            let [next, stop, block, lock, report] = ["next", "stop", "block", "lock", "report"].map(data);
            self.tell(
                user,
                &text,
                &[
                    ("⏭ Next", &next),
                    ("⏹ Leave", &stop),
                    ("🚫 Block", &block),
                    ("🔒 Lock", &lock),
                    ("🚩 Report", &report),
                ],
            );
        }
        // The bug lets one of a pair stand in line as before.
        if self.bug == Some(Bug::TwoChats) && self.chats == 4 {
            self.line.push_front(one);
        }
    }

    fn act(&mut self, user: i64, word: &str) {
        let person = self.person(user);
        if self.line.contains(&user) && word == "stop" {
            self.line.retain(|other| *other != user);
            return self.tell(user, "The search has ended.", &[]);
        }
        if person.partner.is_none() {
            return match word {
                "next" => self.find(user),
                _ => self.tell(user, "You are not in a chat.", &[]),
            };
        }
        if person.kept && matches!(word, "stop" | "next") && self.bug != Some(Bug::LockIgnored) {
            return self.tell(user, "🔒 Your partner has locked this chat: you can leave in 5 minutes.", &[]);
        }
        let left = "Your partner has left the chat.";
        match word {
            "stop" => self.part(user, Some("You have left the chat."), left),
            "next" => {
                self.part(user, Some("You have left the chat.\n🔎 Searching for another partner …"), left);
                self.stand_in_line(user);
            }
            "block" => self.part(user, Some("The chat has ended, and you two will not meet again."), left),
            "report" => self.part(user, Some("Your report is noted. The chat has ended."), left),
            "lock" => {
                let text = if person.credits < LOCK.1 {
                    "🔒 A lock costs credits."
                } else {
                    "🔒 Your partner cannot leave while the chat is locked."
                };
                let text = format!("{text} Your credits: {}", person.credits);
                let lock = ("5 min · 1 credits", "lockfor");
                let buy = ("5 credits · 100 ⭐", "credits");
                let both = [lock, buy];
                self.tell(user, &text, if person.credits < LOCK.1 { &both[1..] } else { &both });
            }
            _ => self.tell(user, "⚠️ Not sent: there is no such command.", &[]),
        }
    }

    fn part(&mut self, user: i64, own: Option<&str>, other: &str) {
        let partner = self.people.entry(user).or_default().partner.take();
        // What is held back must still come before the end.
        let ours = |(author, to, _): &mut (i64, i64, Job)| [*author, *to].contains(&user);
        if let Some((_, to, job)) = self.held.take_if(ours) {
            self.send_to(to, job);
        }
        if let Some(own) = own {
            self.tell(user, own, &[]);
        }
        let Some(partner) = partner else { return };
        self.people.entry(user).or_default().former = Some(partner);
        let theirs = self.people.entry(partner).or_default();
        if theirs.partner == Some(user) {
            (theirs.partner, theirs.former) = (None, Some(user));
            self.tell(partner, other, &[]);
        }
    }

    fn lock(&mut self, user: i64) {
        let person = self.people.entry(user).or_default();
        let Some(partner) = person.partner.filter(|_| person.credits >= LOCK.1) else {
            return self.act(user, "lock");
        };
        person.credits -= LOCK.1;
        let left = person.credits;
        self.people.entry(partner).or_default().kept = true;
        self.tell(user, &format!("🔒 Locked for {} minutes. Your credits: {left}", LOCK.0), &[]);
        self.tell(partner, "🔒 Your partner has locked this chat for 5 minutes.", &[]);
    }

    fn book(&mut self, user: i64, charge: &str, credits: bool) {
        let times = if self.bug == Some(Bug::DoubledBooking) { 2 } else { 1 };
        let more = u32::from(self.bug == Some(Bug::WrongPurse));
        for _ in 0..times {
            let person = self.people.entry(user).or_default();
            let gave = if credits { (PACKAGE + more, 0) } else { (0, PLAN + more) };
            person.charges.insert(charge.to_owned(), gave);
            person.credits += gave.0;
            person.days += gave.1;
            let (has, days) = (person.credits, person.days);
            match credits {
                true => self.tell(user, &format!("Thank you! Your credits: {has}"), &[]),
                false => self.tell(user, &format!("⭐ Thank you! You are a VIP for {days} days now."), &[]),
            }
        }
    }

    fn take_back(&mut self, user: i64, charge: &str) {
        let person = self.people.entry(user).or_default();
        let (credits, days) = person.charges.remove(charge).unwrap_or_default();
        person.credits = person.credits.saturating_sub(credits);
        person.days = person.days.saturating_sub(days);
        self.tell(user, "A payment was given back, and what it had given was taken back.", &[]);
    }

    fn talk(&mut self, bot: usize, user: i64, text: Option<&str>, message: &Value) {
        let person = self.person(user);
        let number = text.and_then(|text| text.parse::<u32>().ok());
        if let Some(age) = number {
            self.people.entry(user).or_default().age = age;
            return self.tell(user, "Your profile is complete 🎉", &[("🔎 Find a partner", "find")]);
        }
        let Some(partner) = person.partner else {
            return self.tell(user, "What would you like to do?", &[("🔎 Find a partner", "find")]);
        };
        // A press overtakes a message: what he wrote before he knew of this partner was for another one.
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let since = announced.get(&(person.chat, user)).copied();
        drop(announced);
        if since.is_none_or(|since| message["message_id"].as_i64().is_none_or(|own| own < since)) {
            return self.tell(user, "⚠️ Not sent: you wrote that before this chat began.", &[]);
        }
        let theirs = self.person(partner);
        let job = match text {
            Some(text) if text.contains('@') => {
                return self.tell(user, "⚠️ Not sent: it names an account.", &[]);
            }
            Some(text) => Job::message(partner, text),
            None if message["contact"].is_object() || theirs.bot != bot => {
                return self.tell(user, "⚠️ Not sent: your partner uses another bot.", &[]);
            }
            None => {
                let body =
                    json!({ "chat_id": partner, "from_chat_id": user, "message_id": message["message_id"] });
                Job { chat: partner, method: "copyMessage", body }
            }
        };
        self.hand_on(user, partner, job);
    }

    fn hand_on(&mut self, user: i64, partner: i64, job: Job) {
        self.said += 1;
        let strikes = self.said == STRIKES_AT;
        if let Some((_, to, first)) = self.held.take_if(|(author, to, _)| *author == user && *to == partner) {
            self.send_to(partner, job);
            return self.send_to(to, first);
        }
        match self.bug {
            Some(Bug::RepeatedRelay) if strikes => {
                self.send_to(partner, Job { body: job.body.clone(), ..job })
            }
            // More than once: what its author could not be told of any more need not arrive.
            Some(Bug::LostRelay) if self.said.is_multiple_of(STRIKES_AT) => return,
            Some(Bug::DisorderedRelay) if self.held.is_none() && self.said >= STRIKES_AT => {
                self.held = Some((user, partner, job));
                return;
            }
            Some(Bug::FormerPartner) => {
                if let Some(former) = self.person(user).former.filter(|former| *former != partner) {
                    let mut job = job;
                    (job.chat, job.body["chat_id"]) = (former, former.into());
                    return self.send_to(former, job);
                }
            }
            _ => {}
        }
        self.send_to(partner, job);
    }

    fn send_to(&self, user: i64, job: Job) {
        self.send(self.person(user).bot, job);
    }

    fn tell(&self, user: i64, text: &str, buttons: &[(&str, &str)]) {
        let mut job = Job::message(user, text);
        if !buttons.is_empty() {
            let row: Vec<Value> =
                buttons.iter().map(|(text, data)| json!({ "text": text, "callback_data": data })).collect();
            job.body["reply_markup"] = json!({ "inline_keyboard": [row] });
        }
        self.send_to(user, job);
    }

    fn send(&self, bot: usize, job: Job) {
        // A lane that ended takes its jobs along: the auditor will say so.
        let _ = self.lanes[bot.min(self.lanes.len() - 1)].send(job);
    }

    fn call(&self, bot: usize, chat: i64, method: &'static str, body: Value) {
        let _ = self.calls[bot.min(self.calls.len() - 1)].send(Job { chat, method, body });
    }
}
