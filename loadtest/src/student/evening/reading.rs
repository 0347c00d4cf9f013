//! What a message of the bot says, as a person reads it in one of its three languages.
//!
//! By a few words of each text, never by its whole: an operator's commas are his own.

use super::Gender;
use super::label::Label;

/// The meaning of a message that is not a partner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Saying {
    /// Which language?
    AskLanguage,
    /// Who are you?
    AskGender,
    /// How old?
    AskAge,
    /// That is no age, or too young.
    AgeWrong,
    /// The profile is complete.
    Ready,
    /// What would you like to do?
    Menu,
    /// His own profile.
    Profile,
    /// The help, the terms and the like.
    Help,
    /// He stands in line.
    Searching,
    /// He does already.
    SearchingAlready,
    /// He has a partner already.
    ChattingAlready,
    /// The search has ended.
    Cancelled,
    /// Nobody was there.
    NobodyFound,
    /// Too many search.
    Full,
    /// Reported too often.
    ShutOut,
    /// Only with a partner.
    NotChatting,
    /// Not while he searches or chats.
    NotNow,
    /// A partner, and who he is.
    Met {
        /// The partner's gender, as far as it could be read.
        gender: Option<Gender>,
        /// The partner's age.
        age: u32,
    },
    /// He has left.
    LeftSelf,
    /// He has left and looks for another one.
    LeftNext,
    /// He has reported.
    ReportedSelf,
    /// He has blocked.
    BlockedSelf,
    /// The partner has left.
    PartnerLeft,
    /// The partner has blocked the bot.
    PartnerGone,
    /// Nobody said anything.
    IdleEnd,
    /// What he sent was not passed on.
    NotSent,
    /// Too much at once.
    SlowDown,
    /// Too many searches.
    SearchSlow,
    /// A command or a button that was meant for a chat before this one.
    ChatOver,
    /// What VIP days cost.
    VipOffer,
    /// He is a VIP.
    VipOwn {
        /// Days left.
        days: u32,
    },
    /// Not during a chat.
    VipNotNow,
    /// What a lock costs.
    LockAsk {
        /// What he has.
        credits: u32,
    },
    /// He cannot pay for a lock.
    LockPoor {
        /// What he has.
        credits: u32,
    },
    /// He keeps his partner.
    LockedSelf {
        /// So long.
        minutes: u32,
        /// What he has left.
        credits: u32,
    },
    /// His partner keeps him.
    LockedPartner {
        /// So long.
        minutes: u32,
    },
    /// He cannot leave yet.
    Held {
        /// So long.
        minutes: u32,
    },
    /// He has paid for days.
    PaidDays {
        /// What he has now.
        days: u32,
    },
    /// He has paid for credits.
    PaidCredits {
        /// What he has now.
        credits: u32,
    },
    /// He has paid for nothing.
    PaidNothing,
    /// A payment was given back.
    Refunded,
    /// To the operator: it was asked for.
    RefundAsked,
    /// Anything else.
    Other,
}

/// A kind of message, by words that it holds in Arabic, English or Persian. The first that fits is it.
type Words = (fn(&[u32]) -> Saying, [&'static str; 3]);

fn at(numbers: &[u32], nth: usize) -> u32 {
    numbers.get(nth).copied().unwrap_or(0)
}

const TABLE: [Words; 41] = [
    (|_| Saying::AskLanguage, ["اختر اللغة", "Choose your language", "زبان خود را"]),
    (|_| Saying::AskGender, ["من أنت؟", "Who are you?", "جنسیت شما"]),
    (|_| Saying::AskAge, ["كم عمرك", "How old are you", "چند سال دارید"]),
    (|_| Saying::AgeWrong, ["هذا ليس عمراً", "That is no age", "این سن درست"]),
    (|_| Saying::Ready, ["اكتمل ملفك", "profile is complete", "پروفایل شما کامل شد"]),
    (|_| Saying::Menu, ["ماذا تريد أن تفعل", "What would you like to do", "چه کاری انجام"]),
    (|_| Saying::SearchingAlready, ["في الانتظار فعلا", "in line already", "در صف هستید"]),
    (|_| Saying::LeftNext, ["البحث عن شريك آخر …", "Searching for another partner", "جستجوی هم‌صحبت بعدی"]),
    (|_| Saying::Searching, ["جارٍ البحث عن شريك", "Searching for a partner", "در حال جستجوی"]),
    (|_| Saying::ChattingAlready, ["أنت في محادثة", "You are in a chat", "شما در گفتگو هستید"]),
    (|_| Saying::Cancelled, ["توقف البحث", "The search has ended", "جستجو متوقف"]),
    (|_| Saying::NobodyFound, ["لم نجد لك أحدا", "Nobody was there for you", "کسی پیدا نشد"]),
    (|_| Saying::Full, ["كثيرون يبحثون", "Too many people are searching", "افراد زیادی در جستجو"]),
    (|_| Saying::ShutOut, ["أبلغ عنك عدة", "Several partners have reported", "چند هم‌صحبت شما را گزارش"]),
    (|_| Saying::NotChatting, ["لست في محادثة", "You are not in a chat", "شما در گفتگو نیستید"]),
    (|_| Saying::NotNow, ["أثناء البحث أو المحادثة", "Not while you search", "هنگام جستجو یا گفتگو"]),
    (|_| Saying::ReportedSelf, ["سُجّل بلاغك", "Your report is noted", "گزارش شما ثبت شد"]),
    (|_| Saying::BlockedSelf, ["ولن تلتقيا", "will not meet again", "دیگر با هم روبه‌رو"]),
    (|_| Saying::PartnerLeft, ["غادر شريكك", "Your partner has left", "هم‌صحبت شما گفتگو را ترک"]),
    (|_| Saying::PartnerGone, ["حظر شريكك", "Your partner has blocked this bot", "ربات را مسدود کرد"]),
    (|_| Saying::IdleEnd, ["لم يكتب أحد", "Nobody has written for", "کسی چیزی ننوشته"]),
    (|_| Saying::LeftSelf, ["غادرت المحادثة", "You have left the chat", "شما گفتگو را ترک کردید"]),
    (|_| Saying::NotSent, ["⚠️ لم تُرسل", "⚠️ Not sent", "⚠️ فرستاده نشد"]),
    (|_| Saying::SearchSlow, ["لقد بحثتَ كثيرًا", "You have searched very often", "بارها جستجو کردید"]),
    (|_| Saying::ChatOver, ["تلك المحادثة انتهت", "That chat is over", "آن گفتگو پایان"]),
    (|_| Saying::SlowDown, ["رسائل كثيرة", "Too many messages", "پیام‌ها زیاد"]),
    (|_| Saying::VipOffer, ["باشتراك VIP", "As a VIP you go first", "با اشتراک ویژه"]),
    (|n| Saying::PaidDays { days: at(n, 0) }, ["لديك الآن", "You are a VIP for", "اکنون"]),
    (|n| Saying::VipOwn { days: at(n, 0) }, ["بقي لك", "⭐ You are a VIP for", "روز دیگر اشتراک"]),
    (|_| Saying::VipNotNow, ["أثناء المحادثة. غادر", "Not during a chat", "هنگام گفتگو نمی‌شود"]),
    (
        |n| Saying::LockAsk { credits: at(n, 0) },
        ["ما دامت المحادثة مقفلة", "while the chat is locked", "تا وقتی گفتگو قفل"],
    ),
    (|n| Saying::LockPoor { credits: at(n, 0) }, ["القفل يكلّف", "A lock costs credits", "قفل کردن اعتبار"]),
    (|n| Saying::Held { minutes: at(n, 0) }, ["يمكنك المغادرة بعد", "you can leave in", "قفل کرده است"]),
    (
        |n| Saying::LockedPartner { minutes: at(n, 0) },
        ["أقفل شريكك", "Your partner has locked", "هم‌صحبت شما این گفتگو را"],
    ),
    (
        |n| Saying::LockedSelf { minutes: at(n, 0), credits: at(n, 1) },
        ["🔒 أُقفلت", "🔒 Locked for", "دقیقه قفل شد"],
    ),
    (
        |n| Saying::PaidCredits { credits: at(n, 0) },
        ["شكراً! رصيدك", "Thank you! Your credits", "سپاس! اعتبار"],
    ),
    (|_| Saying::PaidNothing, ["وصلت دفعتك", "Your payment has arrived", "پرداخت شما رسید"]),
    (|_| Saying::Refunded, ["أُعيدت دفعة", "A payment was given back", "یک پرداخت برگردانده"]),
    (|_| Saying::RefundAsked, ["طُلب من تيليجرام", "was asked to give it back", "خواسته شد که برگرداند"]),
    (|_| Saying::Help, ["/privacy", "/privacy", "/privacy"]),
    (|_| Saying::Help, ["/paysupport", "/paysupport", "/paysupport"]),
];

impl Saying {
    /// Reads a message.
    pub fn of(text: &str) -> Saying {
        let text = plain(text);
        if text.contains('👤') {
            return profile(&text);
        }
        // A VIP is greeted as one and thanked as one in nearly the same words.
        if text.starts_with("⭐ You are a VIP for") {
            return Saying::VipOwn { days: at(&numbers(&text), 0) };
        }
        let found = TABLE.iter().find(|(_, words)| words.iter().any(|words| text.contains(words)));
        found.map_or(Saying::Other, |(make, _)| make(&numbers(&text)))
    }

    /// After this he has no partner and does not look for one.
    pub fn ends_a_chat(self) -> bool {
        use Saying::{BlockedSelf, IdleEnd, LeftNext, LeftSelf, PartnerGone, PartnerLeft, ReportedSelf};
        matches!(self, BlockedSelf | IdleEnd | LeftNext | LeftSelf | PartnerGone | PartnerLeft | ReportedSelf)
    }
}

/// His own profile, or a new partner's: only that begins with words of its own.
fn profile(text: &str) -> Saying {
    let line = |sign: char| text.lines().find_map(|line| line.trim().strip_prefix(sign));
    let age = line('🎂').map_or(0, |age| at(&numbers(age), 0));
    let gender = line('👤').and_then(|gender| Label::gender(gender.trim()));
    if text.starts_with("🎉") { Saying::Met { gender, age } } else { Saying::Profile }
}

/// Without the marks that set inserted values apart.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')).collect()
}

/// The whole numbers in a text, in order, of whichever script.
pub(crate) fn numbers(text: &str) -> Vec<u32> {
    let digit = |c: char| match c {
        '0'..='9' => Some(c as u32 - 0x30),
        '\u{660}'..='\u{669}' => Some(c as u32 - 0x660),
        '\u{6F0}'..='\u{6F9}' => Some(c as u32 - 0x6F0),
        _ => None,
    };
    let mut found = Vec::new();
    let mut open: Option<u32> = None;
    for c in text.chars() {
        match digit(c) {
            Some(value) => open = Some(open.unwrap_or(0).saturating_mul(10).saturating_add(value)),
            None => found.extend(open.take()),
        }
    }
    found.extend(open);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_read_with_who_he_is() {
        let text = "🎉 هم‌صحبت شما پیدا شد:\n👤 خانم\n🎂 \u{2068}21\u{2069}\n💬 گفتگوها: \u{2068}3\u{2069}\n\nسلام کنید!";
        assert_eq!(Saying::of(text), Saying::Met { gender: Some(Gender::Female), age: 21 });
        assert_eq!(Saying::of("👤 Man\n🎂 30\n💬 chats: 0"), Saying::Profile);
    }

    #[test]
    fn what_sounds_alike_is_told_apart() {
        let reads = [
            ("You have left the chat.\n🔎 Searching for another partner …", Saying::LeftNext),
            ("You have left the chat.", Saying::LeftSelf),
            ("⭐ Thank you! You are a VIP for \u{2068}7\u{2069} days now.", Saying::PaidDays { days: 7 }),
            ("⭐ You are a VIP for 7 more days. New days are added to them.", Saying::VipOwn { days: 7 }),
            ("⭐ سپاس! اکنون 7 روز اشتراک ویژه دارید.", Saying::PaidDays { days: 7 }),
            ("⭐ 7 روز دیگر اشتراک ویژه دارید. روزهای تازه به آن افزوده می‌شود.", Saying::VipOwn { days: 7 }),
            ("🔒 برای 5 دقیقه قفل شد. اعتبار شما: 4", Saying::LockedSelf { minutes: 5, credits: 4 }),
            ("🔒 أقفل شريكك هذه المحادثة: يمكنك المغادرة بعد 5 دقيقة.", Saying::Held { minutes: 5 }),
            ("🔒 أقفل شريكك هذه المحادثة لمدة 5 دقيقة.", Saying::LockedPartner { minutes: 5 }),
            ("🔒 هم‌صحبت شما گفتگو را قفل کرده است: 5 دقیقه دیگر", Saying::Held { minutes: 5 }),
            ("🔒 هم‌صحبت شما این گفتگو را برای 5 دقیقه قفل کرد.", Saying::LockedPartner { minutes: 5 }),
            (
                "Your report is noted. The chat has ended, and you two will not meet again.",
                Saying::ReportedSelf,
            ),
        ];
        for (text, saying) in reads {
            assert_eq!(Saying::of(text), saying, "{text}");
        }
    }

    #[test]
    fn numbers_are_found_in_each_script() {
        assert_eq!(numbers("12 و ٣٤ و ۵۶."), [12, 34, 56]);
    }
}
