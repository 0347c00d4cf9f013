//! The tables of the records, each a constant.
//!
//! What lives here: what stands in the database, by version (`since`). What is written here once, databases have: a
//! change is a new column or table with the next number.

use super::Holds::{Flag, Text, Time, Whole};
use super::{Column, Lapse, Table};

const KIND: Column = Column::new("kind", Text, "Which bot kind: `chat`, `results`, ...");
const USER: Column = Column::new("user_id", Whole, "The user's id on the platform.");
const BOT: Column = Column::new("bot_id", Whole, "The bot he last wrote to.").lasting();

/// Everybody who ever wrote.
pub const USERS: Table = Table {
    name: "users",
    since: 1,
    about: "Everybody who ever wrote to a bot.",
    columns: &[
        KIND,
        USER,
        BOT,
        Column::new("stage", Text, "How far he is in the conversation, as the kind names it."),
        Column::new("language", Text, "The language he chose (`ar`, `en`, `fa`); empty before he did."),
        Column::new("gender", Text, "What he says he is: `male`, `female`, `other`."),
        Column::new("age", Whole, "In years, as he says."),
        Column::new("chats", Whole, "How many people he has met."),
        Column::new("credits", Whole, "Credits he has left."),
        Column::new("shut_out_until", Time, "Until then he meets nobody, because too many reported him."),
        Column::new("blocked", Flag, "He has blocked the bot he last wrote to.").lasting(),
        Column::new("first_seen", Time, "His first update; empty if that was before records were kept.")
            .lasting(),
        Column::new("last_seen", Time, "His last update that changed or said anything.").lasting(),
    ],
    key: 2,
    indexes: &[&["user_id"], &["bot_id"], &["kind", "stage"], &["last_seen"]],
    mirrors: true,
    dated: Some("last_seen"),
    lapse: None,
};

/// Every payment.
pub const PAYMENTS: Table = Table {
    name: "payments",
    since: 1,
    about: "Every payment, by the platform's number of it: once, however often it was told.",
    columns: &[
        KIND,
        Column::new("charge", Text, "The platform's number of the payment; what a refund asks for."),
        USER,
        BOT,
        Column::new("stars", Whole, "What it cost, in Telegram Stars."),
        Column::new("gave", Text, "What for: `vip_days`, `credits`, or `nothing` if its invoice is unknown."),
        Column::new("amount", Whole, "How many of them."),
        Column::new("paid_at", Time, "When; empty if it was before records were kept.").lasting(),
        Column::new("refunded", Flag, "It was given back."),
        Column::new("refunded_at", Time, "When.").lasting(),
    ],
    key: 2,
    indexes: &[&["user_id"], &["bot_id"], &["paid_at"]],
    mirrors: false,
    dated: Some("paid_at"),
    lapse: None,
};

/// What someone has for a time.
pub const SUBSCRIPTIONS: Table = Table {
    name: "subscriptions",
    since: 1,
    about: "What a user has for a time, one row each.",
    columns: &[
        KIND,
        USER,
        Column::new("plan", Text, "Which: `vip`."),
        BOT,
        Column::new("status", Text, "`active` or `ended`; looked at once a minute."),
        Column::new("until", Time, "When it ends, or ended."),
        Column::new("changed_at", Time, "When he last paid or was refunded.").lasting(),
    ],
    key: 3,
    indexes: &[&["user_id"], &["bot_id"], &["status", "until"]],
    mirrors: true,
    dated: Some("changed_at"),
    lapse: Some(Lapse { until: "until", status: "status", from: "active", to: "ended" }),
};

/// What an operator may have to answer for.
pub const AUDIT: Table = Table {
    name: "audit",
    since: 1,
    about: "Reports, bans, refunds and what else an operator may be asked about. Rows are added, never changed.",
    columns: &[
        Column::new("at", Time, "When."),
        Column::new("frame", Whole, "The journal frame that says so."),
        Column::new("nth", Whole, "Which one of that frame."),
        KIND,
        USER,
        BOT,
        Column::new(
            "action",
            Text,
            "`reported`, `shut_out`, `refunded`, `payment_unknown`, `locked`, `banned`, `unbanned`, `not_referred`, `administered`, `reprojected`.",
        ),
        Column::new("by_user", Whole, "Who did it, if it was a person whom the journal names."),
        Column::new("detail", Text, "What else is to be said, in words."),
    ],
    key: 3,
    indexes: &[&["user_id"], &["bot_id"], &["action", "at"]],
    mirrors: false,
    dated: Some("at"),
    lapse: None,
};

/// Who came by whose link.
pub const REFERRALS: Table = Table {
    name: "referrals",
    since: 2,
    about: "Who came by whose link, and what came of it. Whoever followed his own link is his own inviter here.",
    columns: &[
        KIND,
        Column::new("user_id", Whole, "Who came."),
        Column::new("by_user", Whole, "By whose link."),
        BOT,
        Column::new(
            "status",
            Text,
            "`invited`: he has no whole profile yet; `counted`; `refused`. Empty where it was decided before this \
             table was kept.",
        )
        .lasting(),
        Column::new("why", Text, "Why it was refused: `burst`, `day's cap`, `ring`, `himself`, ...").lasting(),
        Column::new("reward_days", Whole, "VIP days that the inviter got for it.").lasting(),
        Column::new(
            "reward_stars",
            Whole,
            "Hundredths of a Star that the inviter got of his payments, without those that were given back.",
        )
        .lasting(),
        Column::new("invited_at", Time, "When he came; empty if that was before this table was kept.").lasting(),
        Column::new("decided_at", Time, "When it was counted or refused.").lasting(),
    ],
    key: 3,
    indexes: &[&["user_id"], &["bot_id"], &["by_user"], &["status", "decided_at"]],
    mirrors: true,
    dated: Some("invited_at"),
    lapse: None,
};

/// Who registered for what.
pub const REGISTRATIONS: Table = Table {
    name: "registrations",
    since: 2,
    about: "Registrations, one row for each user and what he registers for. No kind of this version writes them.",
    columns: &[
        KIND,
        USER,
        Column::new("subject", Text, "What for: the class or course."),
        BOT,
        Column::new("stage", Text, "How far he is in the conversation, as the kind names it."),
        Column::new("status", Text, "`open`, `confirmed` or `withdrawn`."),
        Column::new("first_name", Text, "As he wrote it, after validation."),
        Column::new("last_name", Text, "As he wrote it, after validation."),
        Column::new(
            "mobile",
            Text,
            "His mobile number, digits alone, in the one form of the kind: `09123456789`.",
        ),
        Column::new("answers", Text, "What else the kind asked, as a JSON object."),
        Column::new("started_at", Time, "When he began; empty if that was before this table was kept.")
            .lasting(),
        Column::new("changed_at", Time, "When he last answered a question."),
        Column::new("confirmed_at", Time, "When he confirmed it, last.").lasting(),
    ],
    key: 3,
    indexes: &[&["user_id"], &["bot_id"], &["mobile"], &["kind", "stage"], &["status", "changed_at"]],
    mirrors: true,
    dated: Some("changed_at"),
    lapse: None,
};

/// Who may still ask how much.
pub const QUOTAS: Table = Table {
    name: "quotas",
    since: 2,
    about: "What a user may do how often until when, one row for each quota. No kind of this version writes them.",
    columns: &[
        KIND,
        USER,
        Column::new("quota", Text, "Which: such as `questions_a_day`."),
        BOT,
        Column::new("tier", Text, "By which tier he is counted: such as `free`."),
        Column::new("used", Whole, "How much of it he has used up, as of `changed_at`."),
        Column::new("allowed", Whole, "How much there is."),
        Column::new("resets_at", Time, "From then on nothing of it is used up, whatever `used` says."),
        Column::new("changed_at", Time, "When he last used some of it, or got another tier."),
    ],
    key: 3,
    indexes: &[&["user_id"], &["bot_id"], &["resets_at"], &["kind", "quota", "resets_at"]],
    mirrors: true,
    dated: Some("changed_at"),
    lapse: None,
};

/// All tables, in the order of the documentation.
pub const TABLES: &[&Table] =
    &[&USERS, &PAYMENTS, &SUBSCRIPTIONS, &REFERRALS, &REGISTRATIONS, &QUOTAS, &AUDIT];
