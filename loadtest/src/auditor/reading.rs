//! How the auditor reads texts: what a student asks, and what a message says.
//!
//! Written from the conversation's description (`docs/results.md`) alone. Bidirectional marks are
//! taken away and the digits of three scripts made one first, so that only words and numbers are compared.

/// What a student asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// A command such as /start; with its argument, if any.
    Command(Box<str>),
    /// An exam number.
    Number(u64),
    /// Words, folded: a name, or something that is no question at all.
    Words(Box<str>),
    /// A button.
    Press(Box<str>),
    /// Something that is no text; nothing is owed for it.
    Other(Box<str>),
}

impl Question {
    /// Reads a text as the student meant it.
    pub fn of(text: &str) -> Question {
        let plain = digits_to_ascii(&visible(text));
        let plain = plain.trim();
        let packed: String = plain.chars().filter(|c| !c.is_whitespace()).collect();
        if plain.starts_with('/') {
            Question::Command(plain.to_lowercase().into())
        } else if !packed.is_empty() && packed.len() <= 18 && packed.bytes().all(|b| b.is_ascii_digit()) {
            Question::Number(packed.parse().unwrap_or(u64::MAX))
        } else {
            Question::Words(fold(plain).into())
        }
    }

    /// Its kind, without what a student wrote.
    pub fn label(&self) -> String {
        match self {
            Question::Command(command) => command.to_string(),
            Question::Number(number) => format!("number {number}"),
            Question::Words(_) => "a text".to_owned(),
            Question::Press(_) => "a button".to_owned(),
            Question::Other(kind) => format!("an update of kind {kind}"),
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// A pupil's results.
    Card(Card),
    /// The number is nobody's; with the number if the text repeats it.
    NotFound(Option<u64>),
    /// Several pupils of that name, to choose from by button.
    Several,
    /// The welcome.
    Start,
    /// How it works.
    Help,
    /// How to ask: what was asked was not understood.
    WrongFormat,
    /// Which language is spoken, or may be.
    Language,
    /// There is no data set.
    NotThere,
    /// A button is out of date.
    Changed,
    /// A notice: please wait. No answer.
    Wait,
    /// A notice: slow down. No answer.
    SlowDown,
    /// A notice before the hour: the question is kept. No answer.
    Noted,
    /// None of the texts of the conversation.
    Words,
}

/// The results on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Card {
    /// The exam number on the number line.
    pub number: u64,
    /// The name on the name line.
    pub name: String,
    /// The marks, in the order of the lines.
    pub marks: Vec<u32>,
    /// The total, if it is shown.
    pub total: Option<u32>,
    /// What else is shown of the pupil, in the order of [`ABOUT`].
    pub about: [Option<Box<str>>; ABOUT.len()],
    /// Numbers of further pupils in the same message: there may be none.
    pub others: Vec<u64>,
}

/// Lines that a card may have besides, by their labels in both languages.
pub const ABOUT: [[&str; 2]; 4] = [
    ["المدرسة: ", "School: "],
    ["المحافظة: ", "Governorate: "],
    ["المعدل: ", "Average: "],
    ["النتيجة: ", "Result: "],
];

/// A card is known by a line that begins with one of these; no other text has such a line.
const NUMBER_LINE: [&str; 2] = ["الرقم الامتحاني: ", "Exam number: "];
/// The total's line, in the card's last block.
const TOTAL_LINE: [&str; 2] = ["المجموع: ", "Total: "];

/// Phrases of the built-in texts that tell notices and misses from other texts.
mod phrase {
    pub(super) const WAIT: [&str; 2] = ["طلبك محفوظ", "your request is safe"];
    pub(super) const SLOW_DOWN: [&str; 4] = [
        "أرسلت رسائل كثيرة",
        "that was a lot of messages",
        "أرسلت أرقاما غير صحيحة",
        "you sent several wrong numbers",
    ];
    pub(super) const NOTED: [&str; 6] = [
        "لم تعلن النتائج بعد",
        "the results are not out yet",
        "طلبك مسجل",
        "your request is noted",
        "سجلت العدد المسموح من الطلبات",
        "you have made as many requests",
    ];
    pub(super) const START: [&str; 2] = ["من هنا تحصل على نتيجتك", "this is where you get your exam results"];
    pub(super) const HELP: [&str; 2] =
        ["أرسل رقمك الامتحاني في رسالة واحدة", "send your exam number in one message"];
    pub(super) const WRONG_FORMAT: [&str; 2] = ["لم أفهم رسالتك", "i did not understand that"];
    pub(super) const LANGUAGE: [&str; 3] =
        ["اختر اللغة", "تم اختيار اللغة العربية", "the language is english now"];
    pub(super) const NOT_THERE: [&str; 2] = ["النتائج غير متوفرة حاليا", "the results are not there"];
    pub(super) const CHANGED: [&str; 2] = ["تغيرت القائمة", "the list has changed"];
    pub(super) const NOT_FOUND: [&str; 4] =
        ["لا توجد نتيجة للرقم", "there is no result for", "لم نجد اسما مطابقا", "no name fits"];
    pub(super) const SEVERAL: [&str; 3] = ["المطابقة لبحثك", "names that fit", "very many names fit"];
    /// What the buttons to other pages say, arrows left out.
    pub(super) const TURN: [&str; 4] = ["التالي", "السابق", "next", "previous"];
    pub(super) const LANGUAGES: [&str; 2] = ["العربية", "english"];
}

impl Reading {
    /// Reads a message's text.
    pub fn of(text: &str) -> Reading {
        let plain = digits_to_ascii(&visible(text));
        if let Some(card) = card(&plain) {
            return Reading::Card(card);
        }
        let folded = fold(&plain);
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| folded.contains(&fold(phrase)));
        let known = [
            (&phrase::SLOW_DOWN[..], Reading::SlowDown),
            (&phrase::WAIT, Reading::Wait),
            (&phrase::NOTED, Reading::Noted),
            (&phrase::NOT_FOUND, Reading::NotFound(long_number(&plain))),
            (&phrase::SEVERAL, Reading::Several),
            (&phrase::START, Reading::Start),
            (&phrase::HELP, Reading::Help),
            (&phrase::WRONG_FORMAT, Reading::WrongFormat),
            (&phrase::LANGUAGE, Reading::Language),
            (&phrase::NOT_THERE, Reading::NotThere),
            (&phrase::CHANGED, Reading::Changed),
        ];
        known.into_iter().find(|(phrases, _)| says(phrases)).map_or(Reading::Words, |(_, reading)| reading)
    }

    /// Says something of what is asked, and answers nothing.
    pub fn is_notice(&self) -> bool {
        matches!(self, Reading::Wait | Reading::SlowDown | Reading::Noted)
    }

    /// Its kind, without anyone's marks.
    pub fn label(&self) -> String {
        match self {
            Reading::Card(card) => format!("the card of number {}", card.number),
            Reading::NotFound(_) => "not found".to_owned(),
            Reading::Words => "a text that is none of the conversation's".to_owned(),
            told => format!("the text {told:?}"),
        }
    }
}

/// What a button means to the student who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// Another page of the list.
    Turn,
    /// This language.
    Language,
    /// This pupil: name, school, governorate, folded.
    Choice(String),
}

impl Means {
    /// Reads a button's label.
    pub fn of(label: &str) -> Means {
        let folded = fold(label);
        let word = folded.trim_matches(|c: char| !c.is_alphabetic());
        let is = |words: &[&str]| words.iter().any(|known| word == fold(known));
        if is(&phrase::TURN) {
            Means::Turn
        } else if is(&phrase::LANGUAGES) {
            Means::Language
        } else {
            Means::Choice(folded)
        }
    }
}

/// Reads a card: the number line, the name line after it, then blocks parted by empty lines; the first
/// block after the pupil's own is the marks, the next one totals.
fn card(plain: &str) -> Option<Card> {
    let after =
        |line: &str, labels: &[&str]| labels.iter().find_map(|l| line.strip_prefix(l).map(str::to_owned));
    let mut lines = plain.lines().skip_while(|line| after(line, &NUMBER_LINE).is_none());
    let number = after(lines.next()?, &NUMBER_LINE)?.trim().parse().ok()?;
    let name = lines.next().and_then(|line| line.split_once(':')).map_or("", |(_, name)| name.trim());
    let mut card = Card { number, name: name.to_owned(), ..Card::default() };
    let mut block = 0;
    for line in lines {
        for (labels, value) in ABOUT.iter().zip(&mut card.about).filter(|(_, value)| value.is_none()) {
            *value = after(line, labels).map(|text| text.trim().into());
        }
        if let Some(other) = after(line, &NUMBER_LINE) {
            card.others.push(other.trim().parse().unwrap_or(u64::MAX));
        }
        match (line.split_once(':'), block) {
            _ if line.trim().is_empty() => block += 1,
            (Some((_, mark)), 1) => card.marks.push(leading_number(mark.trim()).unwrap_or(u32::MAX)),
            (Some(_), 2) if card.total.is_none() => {
                card.total = after(line, &TOTAL_LINE).and_then(|total| leading_number(total.trim()));
            }
            _ => {}
        }
    }
    Some(card)
}

/// The number a value begins with: `87`, `87 / 100`.
fn leading_number(value: &str) -> Option<u32> {
    let digits = value.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The first run of at least five digits.
fn long_number(plain: &str) -> Option<u64> {
    let mut runs = plain.split(|c: char| !c.is_ascii_digit());
    runs.find(|run| run.len() >= 5).and_then(|run| run.parse().ok())
}

/// The text without what is not seen: bidirectional marks and joiners.
fn visible(text: &str) -> String {
    text.chars().filter(|&c| !is_mark(c)).collect()
}

/// Direction marks, isolates, embeddings, joiners, the byte-order mark.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{61C}' | '\u{FEFF}')
}

/// Arabic-Indic and Persian digits as ASCII.
fn digits_to_ascii(text: &str) -> String {
    let digit = |c: char, zero: u32| char::from(b'0' + (c as u32 - zero) as u8);
    text.chars()
        .map(|c| match c {
            '\u{660}'..='\u{669}' => digit(c, 0x660),
            '\u{6F0}'..='\u{6F9}' => digit(c, 0x6F0),
            _ => c,
        })
        .collect()
}

/// One spelling of many: alef forms, ta marbuta, ya, hamza seats; no vowels, no tatweel, lower case, words
/// one space apart.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in visible(text).split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for c in word.chars() {
            match c {
                // Vowels, shadda, superscript alef, tatweel.
                '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{640}' => {}
                'أ' | 'إ' | 'آ' | 'ٱ' => out.push('ا'),
                'ة' => out.push('ه'),
                'ى' | 'ئ' | 'ی' => out.push('ي'),
                'ؤ' => out.push('و'),
                'ک' => out.push('ك'),
                _ => out.extend(c.to_lowercase()),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_three_scripts_and_with_blanks() {
        for text in ["11000005", " ١١٠٠٠٠٠٥ ", "۱۱۰۰۰۰۰۵", "11 000 005", "\u{200F}11000005"] {
            assert_eq!(Question::of(text), Question::Number(11_000_005), "{text}");
        }
        assert_eq!(Question::of("/START x"), Question::Command("/start x".into()));
        assert!(matches!(Question::of("رقمي 11000005"), Question::Words(_)));
    }

    #[test]
    fn a_card_is_read_line_by_line_whatever_stands_around_it() {
        let text = "نتائج السادس 2026\nالرقم الامتحاني: \u{2068}0012345\u{2069}\nالاسم: \u{2068}زينب كاظم\u{2069}\n\
                    المدرسة: \u{2068}7: الرافدين\u{2069}\n\nاللغة العربية: \u{2068}85\u{2069}\n\
                    الرياضيات: \u{2068}42\u{2069} ✗\n\nالمجموع: \u{2068}127\u{2069}\nالمعدل: \u{2068}63.50\u{2069}";
        let wanted = Card {
            number: 12_345,
            name: "زينب كاظم".to_owned(),
            marks: vec![85, 42],
            total: Some(127),
            about: [Some("7: الرافدين".into()), None, Some("63.50".into()), None],
            others: Vec::new(),
        };
        assert_eq!(Reading::of(text), Reading::Card(wanted));
    }

    #[test]
    fn notices_and_misses_are_told_from_other_texts() {
        assert_eq!(Reading::of("طلبك محفوظ، ودورك 12 في الانتظار"), Reading::Wait);
        assert_eq!(Reading::of("That was a lot of messages. Wait 5 seconds."), Reading::SlowDown);
        let miss = "لا توجد نتيجة للرقم \u{2068}29000001\u{2069}.";
        assert_eq!(Reading::of(miss), Reading::NotFound(Some(29_000_001)));
        assert_eq!(Reading::of("عند الازدحام تصلك النتيجة حسب دورك"), Reading::Words);
        assert_eq!(Reading::of("أرسل رقمك.\nمثال:\n11000001"), Reading::Words);
        let noted = "لم تُعلن النتائج بعد. سجّلنا طلبك للرقم \u{2068}29000001\u{2069} وستصلك النتيجة";
        assert_eq!(Reading::of(noted), Reading::Noted);
        assert_eq!(Reading::of("أهلاً بك 👋\nمن هنا تحصل على نتيجتك الامتحانية."), Reading::Start);
    }

    #[test]
    fn a_second_number_in_a_message_is_seen() {
        let one = "Exam number: 11000001\nName: a\n\nArabic: 85\n\nTotal: 85";
        let Reading::Card(card) = Reading::of(&format!("{one}\n\n{}", one.replace("0001", "0002"))) else {
            panic!("a card");
        };
        assert_eq!((card.number, card.others), (11_000_001, vec![11_000_002]));
    }

    #[test]
    fn buttons_are_read_by_their_labels() {
        assert_eq!(Means::of("التالي ◀"), Means::Turn);
        assert_eq!(Means::of("◀ Previous"), Means::Turn);
        assert_eq!(Means::of("English"), Means::Language);
        let label = "\u{2068}علي كاظم، إعدادية النصر، بغداد\u{2069}";
        assert_eq!(Means::of(label), Means::Choice(fold("علي كاظم، اعداديه النصر، بغداد")));
    }

    #[test]
    fn names_fold_to_one_spelling() {
        assert_eq!(fold("أحـمَد  عليّ فاطمة هدى"), fold("احمد علي فاطمه هدي"));
    }
}
