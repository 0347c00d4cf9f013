//! A payload into words and buttons, at the moment of sending.

use super::Settings;
use super::button::{Act, Button as Data};
use super::gate::Channel;
use super::profile::{Gender, Profile, Wanted};
use super::purse::Gave;
use super::say::Say;
use super::shop::Offer;
use super::texts::{Key, Language};
use nobat_core::bot::{Action, Button, Call, Unrenderable};
use nobat_core::id::{MessageId, PairNo};

type Keyboard = Vec<Vec<Button>>;

/// What is needed to find words.
pub(super) struct Voice<'a> {
    pub(super) settings: &'a Settings,
    /// The message in his chat that it speaks of.
    pub(super) refers: Option<MessageId>,
}

impl Voice<'_> {
    pub(super) fn call(&self, say: Say) -> Result<Call, Unrenderable> {
        Ok(match say {
            Say::Text { language, key } => self.text(language, key, &[]),
            Say::Number { language, key, number } => {
                let number = number.to_string();
                let names = ["seconds", "minutes", "hours", "days", "credits"];
                self.text(language, key, &names.map(|name| (name, number.as_str())))
            }
            Say::Numbers { language, key, first, second } => {
                let (first, second) = (first.to_string(), second.to_string());
                self.text(language, key, &[("minutes", &first), ("credits", &second)])
            }
            Say::Own { language, profile, vip } => Call::Text {
                text: self.profile(language, Key::Profile, profile),
                keyboard: self.own_keyboard(language, vip),
            },
            Say::Met { language, pair, profile } => Call::Text {
                text: self.profile(language, Key::Met, profile),
                keyboard: self.in_chat(language, pair),
            },
            Say::WantedSet { language, wanted } => {
                let wanted = self.settings.texts.get(language, wanted.key());
                self.text(language, Key::WantedSet, &[("wanted", wanted)])
            }
            Say::Pressed { language, id, notice } => Call::AnswerCallback {
                id,
                text: notice.map_or_else(String::new, |key| self.settings.texts.say(language, key, &[])),
                alert: false,
            },
            Say::Relayed { text } => Call::Said { text, protect: self.settings.protect, reply_to: None },
            Say::Passed { origin, what } => what.call(&origin, self.refers, self.settings.protect)?,
            Say::Locking { language, pair, credits } => self.locking(language, pair, credits),
            Say::Invoice { language, offer } => self.invoice(language, offer),
            Say::Checkout { language, id, refused } => Call::AnswerPreCheckout {
                id,
                refusal: refused.map_or_else(String::new, |key| self.settings.texts.say(language, key, &[])),
            },
            Say::Words { text } => Call::Text { text, keyboard: Vec::new() },
            Say::AskMember { user, channel, .. } => Call::IsMember { channel, user },
            Say::Archive { from, messages } => Call::CopyAlbum { from, messages, protect: false },
            Say::Turned { language, step } => {
                let lines = self.settings.texts.get(language, Key::SearchingTurns);
                let lines: Vec<_> = lines.lines().filter(|line| !line.trim().is_empty()).collect();
                let line = lines.get(usize::from(step) % lines.len().max(1)).copied();
                let message = self.refers.ok_or(Unrenderable::FORGOTTEN)?;
                let text = line.ok_or(Unrenderable("no line to turn to"))?.to_owned();
                Call::EditText { message, text, keyboard: self.keyboard(language, Key::Searching) }
            }
            Say::JoinFirst { language } => self.join_first(language),
            Say::Early { language, pair } => Call::Text {
                text: self.settings.texts.get(language, Key::NotSentBefore).to_owned(),
                keyboard: self.in_chat(language, pair),
            },
            Say::Refund { user, charge } => Call::RefundStars { user, charge },
        })
    }

    fn text(&self, language: Language, key: Key, values: &[(&str, &str)]) -> Call {
        let (min, max) = (self.settings.age_min.to_string(), super::AGE_MAX.to_string());
        let mut all = vec![("min", min.as_str()), ("max", max.as_str())];
        all.extend_from_slice(values);
        let mut text = self.settings.texts.say(language, key, &all);
        let also = match key {
            Key::Help => {
                [(Key::HelpReferral, self.settings.referrals), (Key::HelpPaid, self.settings.sells())]
            }
            Key::Privacy => [
                (Key::PrivacyReports, self.settings.admin_chat.is_some()),
                (Key::PrivacyMedia, self.settings.media_channel.is_some()),
            ],
            _ => [(key, false); 2],
        };
        for (key, _) in also.into_iter().filter(|(_, is)| *is) {
            text.push_str("\n\n");
            text.push_str(self.settings.texts.get(language, key));
        }
        if matches!(key, Key::VipOffer | Key::VipOwn | Key::PaySupport) {
            self.also_by_card(language, &mut text);
        }
        Call::Text { text, keyboard: self.keyboard(language, key) }
    }

    fn profile(&self, language: Language, key: Key, profile: Profile) -> String {
        let gender = self.settings.texts.get(language, profile.gender.key());
        let (age, chats) = (profile.age.to_string(), profile.chats.to_string());
        self.settings.texts.say(language, key, &[("gender", gender), ("age", &age), ("chats", &chats)])
    }

    fn keyboard(&self, language: Language, key: Key) -> Keyboard {
        let button = |key, data| self.button(language, key, data);
        match key {
            Key::LanguageAsk => {
                let row = Language::ALL.map(|language| Button {
                    text: language.own_name().to_owned(),
                    action: Action::Callback(Data::Language(language).data()),
                });
                vec![row.to_vec()]
            }
            Key::GenderAsk => vec![Gender::ALL.map(|g| button(g.key(), Data::Gender(g))).to_vec()],
            Key::WantedAsk => vec![Wanted::ALL.map(|w| button(w.key(), Data::Wanted(w))).to_vec()],
            Key::Searching | Key::SearchingAlready | Key::LeftNext => {
                vec![vec![button(Key::ButtonCancel, Data::Cancel)]]
            }
            Key::Ready
            | Key::Menu
            | Key::Cancelled
            | Key::LeftSelf
            | Key::PartnerLeft
            | Key::PartnerGone
            | Key::IdleEnd
            | Key::NobodyFound
            | Key::NotChatting
            | Key::ReportedSelf
            | Key::BlockedSelf => self.menu(language),
            Key::VipOffer | Key::VipOwn => self.offers(language, &self.settings.shop.vip),
            Key::Help | Key::Privacy | Key::WantedSet | Key::Terms | Key::PaySupport => {
                vec![vec![button(Key::ButtonMenu, Data::Menu)]]
            }
            _ => Vec::new(),
        }
    }

    fn menu(&self, language: Language) -> Keyboard {
        let button = |key, data| self.button(language, key, data);
        let mut first = vec![button(Key::ButtonFind, Data::Find)];
        if !self.settings.shop.vip.is_empty() || self.settings.card.is_some() {
            first.push(button(Key::ButtonVip, Data::Vip));
        }
        if self.settings.referrals {
            first.push(button(Key::ButtonReferral, Data::Referral));
        }
        vec![
            first,
            vec![
                button(Key::ButtonProfile, Data::Profile),
                button(Key::ButtonLanguage, Data::Languages),
                button(Key::ButtonHelp, Data::Help),
            ],
        ]
    }

    /// Where to join, and the button for afterwards.
    fn join_first(&self, language: Language) -> Call {
        let join = |channel: &Channel| {
            let name = self.settings.texts.say(language, Key::ButtonJoin, &[("channel", &channel.name)]);
            let label = if channel.name.starts_with('@') { &name } else { channel.link.as_str() };
            vec![Button { text: label.to_owned(), action: Action::Url(channel.link.clone()) }]
        };
        let mut keyboard: Keyboard =
            self.settings.channels.iter().filter(|channel| !channel.link.is_empty()).map(join).collect();
        keyboard.push(vec![self.button(language, Key::ButtonJoined, Data::Joined)]);
        Call::Text { text: self.settings.texts.get(language, Key::JoinFirst).to_owned(), keyboard }
    }

    fn own_keyboard(&self, language: Language, vip: bool) -> Keyboard {
        let button = |key, data| self.button(language, key, data);
        let mut rows =
            vec![vec![button(Key::ButtonGender, Data::Genders), button(Key::ButtonAge, Data::Age)]];
        if vip {
            rows.push(vec![button(Key::ButtonWanted, Data::WantedList)]);
        }
        rows.push(vec![button(Key::ButtonMenu, Data::Menu)]);
        rows
    }

    fn in_chat(&self, language: Language, pair: PairNo) -> Keyboard {
        let sold = |act: &Act| *act != Act::Lock || !self.settings.shop.locks.is_empty();
        let acts = Act::ALL.into_iter().filter(sold);
        let acts: Vec<_> =
            acts.map(|act| self.button(language, act.label(), Data::InChat(act, pair))).collect();
        acts.chunks(2).map(<[Button]>::to_vec).collect()
    }

    fn locking(&self, language: Language, pair: PairNo, credits: u32) -> Call {
        let shop = &self.settings.shop;
        let mut rows = Vec::new();
        for lock in shop.locks.iter().filter(|lock| lock.credits <= credits) {
            let (minutes, cost) = (lock.minutes.to_string(), lock.credits.to_string());
            let values = [("minutes", minutes.as_str()), ("credits", cost.as_str())];
            let text = self.settings.texts.say(language, Key::OptionLock, &values);
            rows.push(vec![press(text, Data::LockFor(lock.minutes, pair))]);
        }
        let key = if rows.is_empty() { Key::LockPoor } else { Key::LockAsk };
        rows.extend(self.offers(language, &shop.credits));
        let mut text = self.settings.texts.say(language, key, &[("credits", &credits.to_string())]);
        self.also_by_card(language, &mut text);
        Call::Text { text, keyboard: rows }
    }

    fn also_by_card(&self, language: Language, text: &mut String) {
        if let Some((card, payee)) = &self.settings.card {
            text.push_str("\n\n");
            let values = [("card", card.as_str()), ("payee", payee)];
            text.push_str(&self.settings.texts.say(language, Key::PayByCard, &values));
        }
    }

    /// A button for each offer.
    fn offers(&self, language: Language, offers: &[Offer]) -> Keyboard {
        let row = |offer: &Offer| {
            let (key, amount) = match offer.gives {
                Gave::Days(days) => (Key::OptionDays, days.to_string()),
                Gave::Credits(credits) => (Key::OptionCredits, credits.to_string()),
                Gave::Nothing => return Vec::new(),
            };
            let stars = offer.stars.to_string();
            let values = [("days", amount.as_str()), ("credits", &amount), ("stars", &stars)];
            vec![press(self.settings.texts.say(language, key, &values), Data::Buy(*offer))]
        };
        offers.iter().map(row).collect()
    }

    fn invoice(&self, language: Language, offer: Offer) -> Call {
        let (title, about, amount) = match offer.gives {
            Gave::Credits(credits) => (Key::InvoiceCredits, Key::InvoiceAboutCredits, credits.to_string()),
            Gave::Days(days) => (Key::InvoiceDays, Key::InvoiceAboutDays, days.to_string()),
            Gave::Nothing => (Key::InvoiceDays, Key::InvoiceAboutDays, String::new()),
        };
        let texts = &self.settings.texts;
        let title = texts.say(language, title, &[("days", &amount), ("credits", &amount)]);
        let about = texts.get(language, about).to_owned();
        Call::Invoice { title, about, payload: offer.payload(), stars: offer.stars }
    }

    fn button(&self, language: Language, label: Key, data: Data) -> Button {
        press(self.settings.texts.get(language, label).to_owned(), data)
    }
}

fn press(text: String, data: Data) -> Button {
    Button { text, action: Action::Callback(data.data()) }
}
