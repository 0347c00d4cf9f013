//! A payload into words, at the moment of sending, of the data set of that moment.

use super::Settings;
use super::button::{Button as Data, tag};
use super::card::{card, translated};
use super::dataset::{Dataset, FieldRole, Identifiers, NameSearch, Schema, Student};
use super::door;
use super::question::Question;
use super::say::Say;
use super::texts::{Key, Language, Texts};
use crate::text::{bidi::push_isolated, isolate, tokens};
use nobat_core::bot::{Action, Button, Call, RenderView};
use nobat_core::id::MessageId;

/// Candidates on one page of a list.
const PAGE: usize = 8;
/// Characters of a candidate's button, about: more are cut off by the platform's own programs.
const BUTTON_CHARS: usize = 90;

/// What is needed to find words.
pub(super) struct Voice<'a> {
    pub(super) settings: &'a Settings,
    pub(super) view: &'a RenderView,
    pub(super) set: Option<&'a Dataset>,
    pub(super) language: Language,
}

impl Voice<'_> {
    pub(super) fn call(&self, say: Say) -> Call {
        match say {
            Say::Text { key: Key::LanguageAsk, .. } => self.languages(),
            Say::Text { key, .. } => text(self.plain(key)),
            Say::Start { home, .. } => {
                Call::Text { text: self.plain(Key::Start), keyboard: self.handoff(home) }
            }
            Say::OfNumber { key, number, .. } => text(self.say(key, &[("number", &number.to_string())])),
            Say::OfName { key, name, .. } => text(self.say(key, &[("name", &name)])),
            Say::Timed { key, amount, place, .. } => {
                let (amount, place) = (amount.to_string(), place.to_string());
                text(self.say(key, &[("seconds", &amount), ("minutes", &amount), ("place", &place)]))
            }
            Say::Card { number, code, .. } => text(self.card(number, code)),
            Say::Chosen { number, tag, .. } => text(self.chosen(number, tag)),
            Say::Candidate { name, nth, .. } => text(self.candidate(&name, usize::from(nth))),
            Say::Names { name, page, edit, .. } => self.names(&name, usize::from(page), edit),
            Say::Pressed { id, notice, .. } => Call::AnswerCallback {
                id,
                text: notice.map_or_else(String::new, |key| self.plain(key)),
                alert: notice.is_some(),
            },
        }
    }

    const fn texts(&self) -> &Texts {
        &self.settings.texts
    }

    fn say(&self, key: Key, values: &[(&str, &str)]) -> String {
        self.texts().say(self.language, key, values)
    }

    /// A text whose values follow from the data set. The format is shown as the data set wants it.
    fn plain(&self, key: Key) -> String {
        let schema = self.set.map(Dataset::schema);
        let with_code = schema.is_some_and(|s| s.identifiers == Identifiers::NumberAndCode);
        let example = if with_code { "1234567 4321" } else { "1234567" };
        let key = if key == Key::WrongFormat && with_code { Key::WrongFormatCode } else { key };
        let mut said = self.say(key, &[("example", example)]);
        let names = schema.is_some_and(|s| s.names != NameSearch::Off);
        if names && matches!(key, Key::Start | Key::Help | Key::WrongFormat | Key::WrongFormatCode) {
            said.push_str("\n\n");
            said.push_str(self.texts().get(self.language, Key::ByName));
        }
        said
    }

    fn languages(&self) -> Call {
        let button = |(label, language): (&str, Language)| Button {
            text: label.to_owned(),
            action: Action::Callback(Data::Language(language).data()),
        };
        let row = [("العربية", Language::Arabic), ("English", Language::English)].map(button);
        Call::Text { text: self.plain(Key::LanguageAsk), keyboard: vec![row.to_vec()] }
    }

    /// The way to the user's own lane.
    fn handoff(&self, home: Option<u16>) -> Vec<Vec<Button>> {
        let Some(name) = home.and_then(|lane| self.settings.handoff.get(usize::from(lane))) else {
            return Vec::new();
        };
        let text = self.texts().get(self.language, Key::Handoff).to_owned();
        vec![vec![Button { text, action: Action::Url(format!("https://t.me/{name}?start=h")) }]]
    }

    fn card(&self, number: super::dataset::ExamNumber, code: Option<u64>) -> String {
        let Some(set) = self.set else { return self.plain(Key::NotThere) };
        if let Some(entitled) = door::by_number(set, number, code) {
            return card(self.texts(), self.language, set.schema(), &entitled);
        }
        match (set.schema().identifiers, code) {
            // Asked before anyone knew that a code is required.
            (Identifiers::NumberAndCode, None) => self.plain(Key::WrongFormatCode),
            (Identifiers::NumberAndCode, Some(_)) => {
                self.say(Key::NotFoundCode, &[("number", &number.to_string())])
            }
            (Identifiers::Number, _) => self.say(Key::NotFound, &[("number", &number.to_string())]),
        }
    }

    fn chosen(&self, number: super::dataset::ExamNumber, choice: u64) -> String {
        let Some(set) = self.set else { return self.plain(Key::NotThere) };
        let user = self.view.user;
        match door::by_choice(set, user, number, choice) {
            Some(entitled) => card(self.texts(), self.language, set.schema(), &entitled),
            None => self.plain(Key::Changed),
        }
    }

    /// What the list shows of one of its entries: nothing of the record that the list did not show.
    fn candidate(&self, name: &str, nth: usize) -> String {
        let Some(set) = self.set else { return self.plain(Key::NotThere) };
        let students = match set.schema().names {
            NameSearch::Off => Vec::new(),
            NameSearch::Candidates | NameSearch::Full => set.by_name(&tokens(name)).students,
        };
        let Some(student) = students.get(nth) else { return self.plain(Key::Changed) };
        let mut said = String::new();
        for part in self.who(set.schema(), student) {
            push_isolated(&mut said, &part);
            said.push('\n');
        }
        said.push('\n');
        said.push_str(&self.plain(Key::Candidate));
        said
    }

    /// What tells a pupil from others of his name: name, school, governorate.
    fn who(&self, schema: &Schema, student: &Student<'_>) -> Vec<String> {
        let field = |role| {
            let value = schema.field(role).map_or("", |i| student.field(i));
            translated(schema, self.language, value).to_owned()
        };
        let parts = [student.name(), field(FieldRole::School), field(FieldRole::Governorate)];
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }

    fn names(&self, name: &str, page: usize, edit: Option<MessageId>) -> Call {
        let (said, keyboard) = self.candidates(name, page);
        match edit {
            Some(message) => Call::EditText { message, text: said, keyboard },
            None => Call::Text { text: said, keyboard },
        }
    }

    fn candidates(&self, name: &str, page: usize) -> (String, Vec<Vec<Button>>) {
        let Some(set) = self.set else { return (self.plain(Key::NotThere), Vec::new()) };
        if set.schema().names == NameSearch::Off {
            return (self.plain(Key::WrongFormat), Vec::new());
        }
        let matches = set.by_name(&tokens(name));
        let count = matches.students.len();
        if count == 0 {
            return (self.say(Key::NotFoundName, &[("name", name)]), Vec::new());
        }
        let page = page.min((count - 1) / PAGE);
        let user = self.view.user;
        let mut keyboard = Vec::with_capacity(PAGE + 1);
        let search = Question::Name(name.to_owned()).hash();
        let opens = door::opens_by_name(set);
        for (nth, student) in matches.students.iter().enumerate().skip(page * PAGE).take(PAGE) {
            let Some(number) = student.number() else { continue };
            let data = match opens {
                true => Data::Choose { user, number, tag: tag(user, student) },
                false => Data::Nth { user, nth: nth as u8, search },
            };
            let label = self.who(set.schema(), student).join("، ");
            let label: String = label.chars().take(BUTTON_CHARS).collect();
            keyboard.push(vec![Button { text: isolate(&label), action: Action::Callback(data.data()) }]);
        }
        let turn = |key, to: usize| Button {
            text: self.texts().get(self.language, key).to_owned(),
            action: Action::Callback(Data::Page { user, page: to as u8, search }.data()),
        };
        let mut turns = Vec::new();
        if page > 0 {
            turns.push(turn(Key::Previous, page - 1));
        }
        if (page + 1) * PAGE < count {
            turns.push(turn(Key::Next, page + 1));
        }
        if !turns.is_empty() {
            keyboard.push(turns);
        }
        let key = if matches.more { Key::SeveralMore } else { Key::Several };
        (self.say(key, &[("name", name), ("count", &count.to_string())]), keyboard)
    }
}

const fn text(text: String) -> Call {
    Call::Text { text, keyboard: Vec::new() }
}
