//! What a student does of what he means to, by what he was told so far; and how he reacts to what he is told.
//!
//! He knows what a person knows: the messages that reached him. So he may talk to a partner who has just left,
//! press a button of a chat that is over, and be at home when a partner is found: what a bot must live with.

use std::time::Duration;

use super::label::Label;
use super::plan::{Act, Media, words};
use super::reading::Saying;
use super::{Language, Person};
use crate::wire::What;

/// Where he believes himself to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The bot does not know him yet.
    #[default]
    Outside,
    /// Neither talking nor looking for anyone.
    Apart,
    /// In line.
    Searching,
    /// With a partner.
    Chatting,
}

/// A message of the bot as he sees it.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What it says.
    pub saying: Saying,
    /// It is an invoice.
    pub invoice: bool,
    /// Its number in his chat.
    pub message: i64,
    /// Its buttons, by label and data.
    pub buttons: &'a [(String, String)],
}

/// A message, and its buttons with what they carry.
type Keyboard = (i64, Vec<(Label, Box<str>)>);

/// One student's mind.
#[derive(Clone, Debug, Default)]
pub struct Mind {
    place: Place,
    /// He is there; else he is at home.
    there: bool,
    wants_a_lock: bool,
    has_blocked: bool,
    is_vip: bool,
    /// The buttons of his chat, and their message.
    chat: Option<Keyboard>,
    /// What his partner said last, in this chat.
    heard: Option<i64>,
    /// What he said last himself, in this chat.
    said: Option<i64>,
}

impl Mind {
    /// One who has registered before.
    pub fn member() -> Mind {
        Mind { place: Place::Apart, ..Mind::default() }
    }

    /// Where he believes himself to be.
    pub fn place(&self) -> Place {
        self.place
    }

    /// He reads a message: what he will do about it, and after how long.
    pub fn sees(
        &mut self,
        seen: &Seen<'_>,
        who: &Person,
        rng: &mut fastrand::Rng,
    ) -> Option<(Duration, Act)> {
        if seen.invoice {
            return thinks(rng, 0.5, 2.0, Act::Pay(seen.message));
        }
        let button = |wanted: &dyn Fn(Label) -> bool| {
            let mut found = seen.buttons.iter().filter(|(label, _)| wanted(Label::of(label)));
            let (_, data) = found.next()?;
            Some(Act::Press { message: seen.message, data: data.as_str().into() })
        };
        self.moves(seen);
        let act = match seen.saying {
            Saying::AskLanguage => button(&|label| label == Label::Language(who.language)),
            Saying::AskGender => button(&|label| label == Label::Gender(who.gender)),
            Saying::AskAge => Some(Act::Age),
            Saying::VipOffer => button(&|label| matches!(label, Label::Days { .. })),
            Saying::LockAsk { .. } if self.wants_a_lock => {
                button(&|label| matches!(label, Label::LockFor { .. }))
            }
            Saying::LockPoor { .. } if self.wants_a_lock => {
                button(&|label| matches!(label, Label::Credits { .. }))
            }
            Saying::PaidCredits { .. } if self.wants_a_lock => Some(Act::Lock),
            // To block is always possible: half of those who are kept do.
            Saying::Held { .. } if !self.there && rng.bool() => Some(Act::Block),
            Saying::Met { .. } | Saying::Searching | Saying::SearchingAlready if !self.there => Some(Act::Go),
            Saying::NobodyFound | Saying::Full if self.there => return thinks(rng, 4.0, 8.0, Act::Find),
            Saying::SearchSlow if self.there => return thinks(rng, 20.0, 40.0, Act::Find),
            _ if self.there && self.place == Place::Apart => match seen.saying {
                Saying::Ready if who.vip => Some(Act::Vip),
                Saying::Ready
                | Saying::PaidDays { .. }
                | Saying::Menu
                | Saying::NotChatting
                | Saying::Cancelled => Some(Act::Find),
                ended if ended.ends_a_chat() => Some(Act::Find),
                _ => None,
            },
            _ => None,
        };
        thinks(rng, 0.4, 2.5, act?)
    }

    /// What he has just said has this number.
    pub fn said(&mut self, message: i64) {
        self.said = Some(message).filter(|_| self.place == Place::Chatting);
    }

    /// Where he is now.
    fn moves(&mut self, seen: &Seen<'_>) {
        match seen.saying {
            // None of the bot's own words.
            Saying::Other if self.place == Place::Chatting => self.heard = Some(seen.message),
            Saying::Met { .. } => {
                self.leaves(Place::Chatting);
                let buttons = seen.buttons.iter();
                let buttons = buttons.map(|(label, data)| (Label::of(label), data.as_str().into())).collect();
                self.chat = Some((seen.message, buttons));
            }
            Saying::Searching | Saying::SearchingAlready | Saying::LeftNext => self.leaves(Place::Searching),
            Saying::LockedSelf { .. } => self.wants_a_lock = false,
            Saying::PaidDays { .. } => self.is_vip = true,
            Saying::Ready | Saying::Cancelled | Saying::NobodyFound | Saying::Full | Saying::ShutOut => {
                self.leaves(Place::Apart);
            }
            Saying::Menu | Saying::NotChatting => self.leaves(Place::Apart),
            ended if ended.ends_a_chat() => self.leaves(Place::Apart),
            _ => {}
        }
    }

    fn leaves(&mut self, to: Place) {
        self.place = to;
        self.chat = None;
        (self.heard, self.said) = (None, None);
        self.wants_a_lock = false;
    }

    /// What he does of it now, in order; nothing if it makes no sense to him.
    pub fn does(&mut self, act: Act, who: &Person, rng: &mut fastrand::Rng) -> Vec<What> {
        let text = |text: &str| vec![What::Text(text.to_owned())];
        let talks = self.place == Place::Chatting && self.there;
        match act {
            Act::Come => self.comes(who),
            Act::Go => {
                self.there = false;
                match self.place {
                    Place::Chatting => self.presses_or(Label::Stop, "/stop", rng),
                    Place::Searching => text("/stop"),
                    _ => Vec::new(),
                }
            }
            Act::Find if self.there && self.place == Place::Apart => text("/find"),
            Act::Say(nth) if talks => text(&words(who.language, nth)),
            Act::Betray(nth) if talks => {
                let words = words(Language::English, nth);
                text(&format!("{words}, I am @some_{}", words.len()))
            }
            Act::Reply(nth) if talks => {
                let words = words(who.language, nth);
                match self.heard {
                    Some(message) => vec![What::Other(format!("reply:{message}:{words}"))],
                    None => text(&words),
                }
            }
            Act::Change(nth) if talks && self.said.is_some() => {
                let message = self.said.unwrap_or_default();
                vec![What::Other(format!("edit:{message}:{}", words(who.language, nth)))]
            }
            Act::Sign if talks && self.heard.is_some() => {
                vec![What::Other(format!("react:{}:👍", self.heard.unwrap_or_default()))]
            }
            Act::Send(media) if talks => sends(media, rng),
            Act::Next if talks => self.presses_or(Label::Next, "/next", rng),
            Act::Block if self.place == Place::Chatting => self.presses_or(Label::Block, "/block", rng),
            Act::Report if talks => self.presses_or(Label::Report, "/report", rng),
            Act::Lock if talks => {
                self.wants_a_lock = true;
                self.presses_or(Label::Lock, "/lock", rng)
            }
            Act::Vip if self.place == Place::Apart && self.there => text("/vip"),
            Act::BlockBot if self.there && self.place != Place::Outside => {
                self.there = false;
                self.has_blocked = true;
                self.leaves(Place::Apart);
                vec![What::Other("my_chat_member".to_owned())]
            }
            // Asked once more, over a kill, he has answered already.
            Act::Age if self.place == Place::Outside => text(&who.age.to_string()),
            Act::Press { message, data } => press(message, data.into()),
            Act::Pay(message) => vec![What::Other(format!("pay:{message}"))],
            _ => Vec::new(),
        }
    }

    fn comes(&mut self, who: &Person) -> Vec<What> {
        self.there = true;
        let text = |text: &str| What::Text(text.to_owned());
        if std::mem::take(&mut self.has_blocked) {
            return vec![What::Other("my_chat_member:member".to_owned()), text("/find")];
        }
        match self.place {
            Place::Outside => vec![text("/start")],
            Place::Apart if who.vip && !self.is_vip => vec![text("/vip")],
            Place::Apart => vec![text("/find")],
            Place::Searching | Place::Chatting => Vec::new(),
        }
    }

    /// The button of his chat, three times of ten; else the command.
    fn presses_or(&self, wanted: Label, command: &str, rng: &mut fastrand::Rng) -> Vec<What> {
        let button = self.chat.as_ref().filter(|_| rng.u8(..10) < 3).and_then(|(message, buttons)| {
            let (_, data) = buttons.iter().find(|(label, _)| *label == wanted)?;
            Some(press(*message, data.to_string()))
        });
        button.unwrap_or_else(|| vec![What::Text(command.to_owned())])
    }
}

fn press(message_id: i64, data: String) -> Vec<What> {
    vec![What::Press { data, message_id, callback_id: String::new() }]
}

fn sends(media: Media, rng: &mut fastrand::Rng) -> Vec<What> {
    match media {
        Media::One(kind) => vec![What::Other(format!("media:{kind}"))],
        Media::Album(count) => {
            let album = rng.u64(..) >> 1;
            (0..count).map(|_| What::Other(format!("media:photo+{album}"))).collect()
        }
    }
}

fn thinks(rng: &mut fastrand::Rng, least: f64, most: f64, act: Act) -> Option<(Duration, Act)> {
    Some((Duration::from_secs_f64(least + rng.f64() * (most - least)), act))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::student::evening::Gender;

    fn somebody() -> Person {
        let (language, gender) = (Language::English, Gender::Female);
        Person { user: 5, bot: 0, language, gender, age: 20, member: false, vip: false }
    }

    fn told(mind: &mut Mind, text: &str, buttons: &[(String, String)]) -> Option<Act> {
        let seen = Seen { saying: Saying::of(text), invoice: false, message: 9, buttons };
        mind.sees(&seen, &somebody(), &mut fastrand::Rng::with_seed(1)).map(|(_, act)| act)
    }

    #[test]
    fn a_newcomer_registers_step_by_step_and_then_looks_for_somebody() {
        let mut mind = Mind::default();
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(mind.does(Act::Come, &somebody(), &mut rng), [What::Text("/start".into())]);
        let buttons = [("العربية".to_owned(), "l:ar".to_owned()), ("English".to_owned(), "l:en".to_owned())];
        let pressed = told(&mut mind, "Choose your language", &buttons);
        assert_eq!(pressed, Some(Act::Press { message: 9, data: "l:en".into() }));
        assert_eq!(told(&mut mind, "How old are you? Send a number", &[]), Some(Act::Age));
        assert_eq!(told(&mut mind, "Your profile is complete 🎉", &[]), Some(Act::Find));
        assert_eq!(mind.place(), Place::Apart);
    }

    #[test]
    fn nobody_talks_without_a_partner() {
        let mut mind = Mind::member();
        let mut rng = fastrand::Rng::with_seed(1);
        mind.does(Act::Come, &somebody(), &mut rng);
        assert_eq!(mind.does(Act::Say(1), &somebody(), &mut rng), []);
        told(&mut mind, "🎉 You have a partner:\n👤 Man\n🎂 30\n💬 chats: 0", &[]);
        assert_eq!(mind.does(Act::Say(1), &somebody(), &mut rng).len(), 1);
        assert_eq!(told(&mut mind, "Your partner has left the chat.", &[]), Some(Act::Find));
        assert_eq!(mind.does(Act::Say(2), &somebody(), &mut rng), []);
    }
}
