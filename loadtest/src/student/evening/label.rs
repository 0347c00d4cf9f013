//! What stands on a button, as a person reads it in one of the bot's three languages.

use super::reading::numbers;
use super::{Gender, Language};

/// A button's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// The bot speaks this from now on.
    Language(Language),
    /// "I am ..."
    Gender(Gender),
    /// Look for a partner.
    Find,
    /// Stop looking.
    Cancel,
    /// Another partner.
    Next,
    /// Leave the chat.
    Stop,
    /// Report the partner.
    Report,
    /// Never meet him again.
    Block,
    /// Keep the partner in the chat.
    Lock,
    /// Keep him for so long, for so many credits.
    LockFor {
        /// How long.
        minutes: u32,
        /// What it costs.
        credits: u32,
    },
    /// Buy credits.
    Credits {
        /// How many.
        credits: u32,
        /// For how many Stars.
        stars: u32,
    },
    /// Buy days as a VIP.
    Days {
        /// How many.
        days: u32,
        /// For how many Stars.
        stars: u32,
    },
    /// What VIPs have.
    Vip,
    /// Anything else.
    Other,
}

/// Each plain label in Arabic, English and Persian.
const PLAIN: [(Label, [&str; 3]); 13] = [
    (Label::Gender(Gender::Male), ["رجل", "Man", "آقا"]),
    (Label::Gender(Gender::Female), ["امرأة", "Woman", "خانم"]),
    (Label::Gender(Gender::Other), ["آخر", "Other", "دیگر"]),
    (Label::Find, ["🔎 ابحث عن شريك", "🔎 Find a partner", "🔎 پیدا کردن هم‌صحبت"]),
    (Label::Cancel, ["✖️ أوقف البحث", "✖️ Stop searching", "✖️ توقف جستجو"]),
    (Label::Next, ["⏭ التالي", "⏭ Next", "⏭ بعدی"]),
    (Label::Stop, ["⏹ غادر", "⏹ Leave", "⏹ ترک گفتگو"]),
    (Label::Report, ["🚩 أبلغ", "🚩 Report", "🚩 گزارش"]),
    (Label::Block, ["🚫 احظر", "🚫 Block", "🚫 مسدود کردن"]),
    (Label::Lock, ["🔒 أقفل", "🔒 Lock", "🔒 قفل"]),
    (Label::Vip, ["⭐ VIP", "⭐ VIP", "⭐ ویژه"]),
    (Label::Language(Language::Arabic), ["العربية", "العربية", "العربية"]),
    (Label::Language(Language::Persian), ["فارسی", "فارسی", "فارسی"]),
];

impl Label {
    /// Reads a button.
    pub fn of(text: &str) -> Label {
        let text = super::reading::plain(text);
        let text = text.trim();
        if text == "English" {
            return Label::Language(Language::English);
        }
        if let Some((label, _)) = PLAIN.iter().find(|(_, words)| words.contains(&text)) {
            return *label;
        }
        match (text.contains('·'), numbers(text).as_slice()) {
            (true, &[amount, price]) if text.ends_with('⭐') => {
                let days = ["days", "يوما", "روز"].iter().any(|word| text.contains(word));
                match days {
                    true => Label::Days { days: amount, stars: price },
                    false => Label::Credits { credits: amount, stars: price },
                }
            }
            (true, &[minutes, credits]) => Label::LockFor { minutes, credits },
            _ => Label::Other,
        }
    }

    /// The gender that stands in a line, if it is one.
    pub(crate) fn gender(text: &str) -> Option<Gender> {
        match Label::of(text) {
            Label::Gender(gender) => Some(gender),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_in_each_language() {
        assert_eq!(Label::of("English"), Label::Language(Language::English));
        assert_eq!(Label::of("🔎 پیدا کردن هم‌صحبت"), Label::Find);
        assert_eq!(Label::of("⏭ التالي"), Label::Next);
        assert_eq!(
            Label::of("\u{2068}5\u{2069} min · \u{2068}1\u{2069} credits"),
            Label::LockFor { minutes: 5, credits: 1 }
        );
        assert_eq!(Label::of("رصيد 5 · 50 ⭐"), Label::Credits { credits: 5, stars: 50 });
        assert_eq!(Label::of("7 روز · 100 ⭐"), Label::Days { days: 7, stars: 100 });
        assert_eq!(Label::of("❓ Help"), Label::Other);
    }
}
