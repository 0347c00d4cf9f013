//! What the bot says: a resource file a language, and the operator's own words over them.
//!
//! What lives here: [`Language`], [`Key`] (which texts there are) and [`Texts`]. The format of the files is
//! [`crate::text::phrases`]. The shell reads the operator's files and passes their contents in.

use crate::text::catalogue::{self, Tongue};
use crate::text::phrases::{TextKey, text_keys};

/// Characters of one text, at most: room for the values within Telegram's 4,096.
const TEXT: usize = 3_000;
/// Characters of a notice, at most; Telegram's limit is 200.
const NOTICE: usize = 180;
/// Characters of a text on a button or in a line, at most.
const SHORT: usize = 60;

/// A language of the bot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Language {
    /// Arabic.
    Arabic = 0,
    /// English.
    English = 1,
    /// Persian.
    Persian = 2,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Arabic, Self::English, Self::Persian];

    /// The language with this number.
    #[must_use]
    pub fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }

    /// As in a file's name: `ar`, `en`, `fa`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::English => "en",
            Self::Persian => "fa",
        }
    }

    /// The language with this tag.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.tag() == tag)
    }

    /// What the platform says he reads (an IETF tag); English if we do not speak it.
    #[must_use]
    pub fn guess(tag: &str) -> Self {
        Self::from_tag(tag.split(['-', '_']).next().unwrap_or("")).unwrap_or(Self::English)
    }

    /// Its name in itself: on the button.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::Arabic => "العربية",
            Self::English => "English",
            Self::Persian => "فارسی",
        }
    }
}

impl Tongue for Language {
    const ALL: &'static [Self] = &Self::ALL;

    fn index(self) -> usize {
        self as usize
    }

    fn file(self) -> &'static str {
        match self {
            Self::Arabic => include_str!("ar.txt"),
            Self::English => include_str!("en.txt"),
            Self::Persian => include_str!("fa.txt"),
        }
    }
}

text_keys! {
    /// Above the keyboard of languages.
    LanguageAsk = "language_ask" [] TEXT;
    /// Above the keyboard of genders.
    GenderAsk = "gender_ask" [] TEXT;
    /// Asks for the age.
    AgeAsk = "age_ask" ["min" "max"] TEXT;
    /// That was no age.
    AgeWrong = "age_wrong" ["min" "max"] TEXT;
    /// Too young.
    AgeYoung = "age_young" ["min"] TEXT;
    /// The profile is complete.
    Ready = "ready" [] TEXT;
    /// The main menu.
    Menu = "menu" [] TEXT;
    /// The help.
    Help = "help" [] TEXT;
    /// What is kept and who sees it.
    Privacy = "privacy" [] TEXT;
    /// His own profile.
    Profile = "profile" ["gender" "age" "chats"] TEXT;
    /// He stands in line.
    Searching = "searching" [] TEXT;
    /// He asked for a partner and stands in line already.
    SearchingAlready = "searching_already" [] TEXT;
    /// He asked for a partner and has one.
    ChattingAlready = "chatting_already" [] TEXT;
    /// He left the line.
    Cancelled = "cancelled" [] TEXT;
    /// He wanted something that needs a partner.
    NotChatting = "not_chatting" [] TEXT;
    /// Not while he waits or chats.
    NotNow = "not_now" [] TEXT;
    /// His search ended without anyone.
    NobodyFound = "nobody_found" [] TEXT;
    /// More people wait than there is room for.
    Full = "full" [] TEXT;
    /// A partner was found: his profile.
    Met = "met" ["gender" "age" "chats"] TEXT;
    /// He left the chat.
    LeftSelf = "left_self" [] TEXT;
    /// He left the chat and looks for another partner.
    LeftNext = "left_next" [] TEXT;
    /// He reported his partner.
    ReportedSelf = "reported_self" [] TEXT;
    /// He blocked his partner.
    BlockedSelf = "blocked_self" [] TEXT;
    /// His partner left.
    PartnerLeft = "partner_left" [] TEXT;
    /// His partner has blocked the bot.
    PartnerGone = "partner_gone" [] TEXT;
    /// Nobody said anything for long.
    IdleEnd = "idle_end" ["minutes"] TEXT;
    /// His message names somebody.
    NotSentPrivate = "not_sent_private" [] TEXT;
    /// His message is of a kind that is not passed on.
    NotSentKind = "not_sent_kind" [] TEXT;
    /// He wrote a command that there is not.
    NotSentCommand = "not_sent_command" [] TEXT;
    /// Too many messages.
    SlowDown = "slow_down" ["seconds"] TEXT;
    /// Too many reports.
    ShutOut = "shut_out" ["hours"] TEXT;
    /// Above the keyboard of wishes.
    WantedAsk = "wanted_ask" [] TEXT;
    /// His wish is noted.
    WantedSet = "wanted_set" ["wanted"] TEXT;
    /// A button of a chat that is over.
    ChatOver = "chat_over" [] NOTICE;
    /// A button that means nothing any more.
    Changed = "changed" [] NOTICE;
    /// Male.
    GenderMale = "gender_male" [] SHORT;
    /// Female.
    GenderFemale = "gender_female" [] SHORT;
    /// Neither.
    GenderOther = "gender_other" [] SHORT;
    /// Wants anyone.
    WantedAnyone = "wanted_anyone" [] SHORT;
    /// Wants men.
    WantedMen = "wanted_men" [] SHORT;
    /// Wants women.
    WantedWomen = "wanted_women" [] SHORT;
    /// On the button that finds a partner.
    ButtonFind = "button_find" [] SHORT;
    /// On the button that ends the search.
    ButtonCancel = "button_cancel" [] SHORT;
    /// On the button to the next partner.
    ButtonNext = "button_next" [] SHORT;
    /// On the button that ends the chat.
    ButtonStop = "button_stop" [] SHORT;
    /// On the button that reports the partner.
    ButtonReport = "button_report" [] SHORT;
    /// On the button that blocks the partner.
    ButtonBlock = "button_block" [] SHORT;
    /// On the button to the profile.
    ButtonProfile = "button_profile" [] SHORT;
    /// On the button to the languages.
    ButtonLanguage = "button_language" [] SHORT;
    /// On the button to the help.
    ButtonHelp = "button_help" [] SHORT;
    /// On the button that changes the gender.
    ButtonGender = "button_gender" [] SHORT;
    /// On the button that changes the age.
    ButtonAge = "button_age" [] SHORT;
    /// On the button that changes whom he wants to meet.
    ButtonWanted = "button_wanted" [] SHORT;
    /// On the button to the main menu.
    ButtonMenu = "button_menu" [] SHORT;
    /// His message holds a telephone number.
    NotSentContact = "not_sent_contact" [] TEXT;
    /// His partner uses another bot, so it cannot be copied.
    NotSentBots = "not_sent_bots" [] TEXT;
    /// Above the prices of VIP days.
    VipOffer = "vip_offer" [] TEXT;
    /// The same for a VIP.
    VipOwn = "vip_own" ["days"] TEXT;
    /// VIP days are not sold in a chat.
    VipNotNow = "vip_not_now" [] TEXT;
    /// His time as a VIP ends soon.
    VipEnds = "vip_ends" ["hours"] TEXT;
    /// Above the prices of a lock.
    LockAsk = "lock_ask" ["credits"] TEXT;
    /// Above the prices of credits.
    LockPoor = "lock_poor" ["credits"] TEXT;
    /// He keeps his partner in the chat.
    LockedSelf = "locked_self" ["minutes" "credits"] TEXT;
    /// His partner keeps him in the chat.
    LockedPartner = "locked_partner" ["minutes"] TEXT;
    /// He cannot leave yet.
    Held = "held" ["minutes"] TEXT;
    /// VIP days were paid.
    PaidDays = "paid_days" ["days"] TEXT;
    /// Credits were paid.
    PaidCredits = "paid_credits" ["credits"] TEXT;
    /// Something was paid that is not understood.
    PaidNothing = "paid_nothing" [] TEXT;
    /// A payment was given back.
    Refunded = "refunded" [] TEXT;
    /// On the platform's own window: this is not sold any more.
    CheckoutGone = "checkout_gone" [] NOTICE;
    /// The title of an invoice for VIP days; at most 32 characters with its number.
    InvoiceDays = "invoice_days" ["days"] 24;
    /// The title of an invoice for credits; the same.
    InvoiceCredits = "invoice_credits" ["credits"] 24;
    /// What VIP days are good for.
    InvoiceAboutDays = "invoice_about_days" [] 240;
    /// What credits are good for.
    InvoiceAboutCredits = "invoice_about_credits" [] 240;
    /// The terms of sale.
    Terms = "terms" [] TEXT;
    /// Where to turn about a payment.
    PaySupport = "pay_support" [] TEXT;
    /// An administrator asked for a refund.
    RefundAsked = "refund_asked" [] TEXT;
    /// How an administrator asks for a refund.
    RefundHow = "refund_how" [] TEXT;
    /// On the button that buys VIP days.
    OptionDays = "option_days" ["days" "stars"] SHORT;
    /// On the button that buys credits.
    OptionCredits = "option_credits" ["credits" "stars"] SHORT;
    /// On the button that locks.
    OptionLock = "option_lock" ["minutes" "credits"] SHORT;
    /// On the button to the VIP days.
    ButtonVip = "button_vip" [] SHORT;
    /// On the button that locks the chat.
    ButtonLock = "button_lock" [] SHORT;
    /// Follows the help where something is sold.
    HelpPaid = "help_paid" [] 600;
    /// His message was not taken by the platform.
    NotDelivered = "not_delivered" [] TEXT;
    /// Above the links to the required channels.
    JoinFirst = "join_first" [] TEXT;
    /// What the message that says that he waits turns to, a line each.
    SearchingTurns = "searching_turns" [] TEXT;
    /// On the button that opens a channel.
    ButtonJoin = "button_join" ["channel"] 24;
    /// On the button for who has joined.
    ButtonJoined = "button_joined" [] SHORT;
    /// His link, and what it brought.
    Referral = "referral" ["days" "percent" "count" "earned"] TEXT;
    /// Somebody came by his link.
    ReferralCounted = "referral_counted" ["count" "days"] TEXT;
    /// Somebody who came by his link has paid.
    ReferralEarned = "referral_earned" ["stars"] TEXT;
    /// On the button to the link.
    ButtonReferral = "button_referral" [] SHORT;
    /// Follows the help where links bring something.
    HelpReferral = "help_referral" [] 600;
    /// Follows the words on privacy where reports go to administrators.
    PrivacyReports = "privacy_reports" [] 600;
    /// Follows the words on privacy where pictures are copied to administrators.
    PrivacyMedia = "privacy_media" [] 600;
    /// He is kept out for a time.
    Banned = "banned" ["hours" "reason"] TEXT;
    /// He is kept out.
    BannedForEver = "banned_for_ever" ["reason"] TEXT;
    /// To administrators: their commands.
    AdminHelp = "admin_help" [] TEXT;
    /// To administrators: it is done.
    AdminDone = "admin_done" ["what"] TEXT;
    /// To administrators: a setting has a new value.
    SettingSet = "setting_set" ["key" "old" "new"] TEXT;
    /// To administrators: a value cannot be used.
    SettingWrong = "setting_wrong" ["key" "why"] TEXT;
    /// To administrators: how many people stand where.
    Stats = "stats" ["users" "waiting" "chatting" "pending"] TEXT;
    /// To administrators: somebody reported his partner.
    ReportNote = "report_note" ["reporter" "reported" "pair"] TEXT;
    /// To administrators: the platform cannot say who is in a channel.
    ChannelUnknown = "channel_unknown" ["channel"] TEXT;
    /// He wrote it before he knew of this chat.
    NotSentBefore = "not_sent_before" [] TEXT;
    /// His chat goes on with another of the operator's bots.
    OtherBot = "other_bot" [] TEXT;
    /// He searches too often.
    SearchSlow = "search_slow" ["seconds"] TEXT;
    /// Follows what is sold where a bank card is named as well.
    PayByCard = "pay_by_card" ["card" "payee"] 600;
    /// An administrator gave him VIP days: he is a VIP for so many now.
    GivenDays = "given_days" ["days"] TEXT;
    /// An administrator gave him credits: he has so many now.
    GivenCredits = "given_credits" ["credits"] TEXT;
    /// To administrators: somebody was shut out.
    AlertShutOut = "alert_shut_out" ["user" "reports" "hours"] TEXT;
    /// To administrators: a payment that gave nothing.
    AlertPayment = "alert_payment" ["user" "charge" "stars"] TEXT;
    /// To administrators: newcomers of somebody are not counted.
    AlertReferral = "alert_referral" ["user" "whom" "why" "refused"] TEXT;
}

/// Every text in every language.
pub type Texts = catalogue::Texts<Language, Key>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::phrases::Phrases;

    #[test]
    fn every_text_is_there_in_every_language() {
        for language in Language::ALL {
            let phrases = Phrases::<Key>::new(language.file());
            assert_eq!(phrases.map(|p| p.missing()), Ok(None), "{}", language.tag());
        }
    }

    #[test]
    fn every_language_uses_the_values_of_its_texts() {
        let texts = Texts::default();
        for language in Language::ALL {
            for key in Key::ALL {
                for value in key.placeholders() {
                    let found = texts.get(language, *key).contains(&format!("{{{value}}}"));
                    assert!(found, "{} {} lacks {value}", language.tag(), key.name());
                }
            }
        }
    }

    #[test]
    fn a_command_in_a_sentence_from_right_to_left_keeps_its_slash_in_front() {
        // Without a mark before it the slash goes with the letters around it and stands behind the word.
        for language in [Language::Arabic, Language::Persian] {
            let file = language.file();
            let texts = file.lines().filter(|line| !line.starts_with(['[', '#']));
            for line in texts {
                for (at, _) in line.match_indices('/') {
                    let is_command = line[at + 1..].starts_with(|c: char| c.is_ascii_lowercase());
                    assert!(!is_command || line[..at].ends_with('\u{200e}'), "{}: {line}", language.tag());
                }
            }
        }
    }

    #[test]
    fn a_language_that_is_not_spoken_is_guessed_as_english() {
        assert_eq!(Language::guess("fa-IR"), Language::Persian);
        assert_eq!(Language::guess("de"), Language::English);
        assert_eq!(Language::guess(""), Language::English);
    }
}
