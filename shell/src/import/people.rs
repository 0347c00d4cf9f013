//! Users of another chat bot, from CSV, SQLite or PostgreSQL: what each column means, and what a row may hold.
//!
//! What lives here: [`read`], all rows or none, with line-numbered errors. What becomes of them is `serve`'s
//! (`people`): this room reads and judges. A column is known by its name, in the words that such bots use; one
//! that is not known is told and left.

use super::error::{ERRORS_SHOWN, ImportError, LineError};
use super::rows::Rows;
use super::{ImportSource, delimited, sqlite};
use crate::observe::rfc3339;
use nobat_bots::chat::{AGE_MAX, Ban, Gender, Language, Person};
use nobat_core::id::UserId;
use nobat_core::time::UnixMillis;
use std::collections::HashMap;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    User,
    Gender,
    Age,
    Language,
    Vip,
    Credits,
    Chats,
    InvitedBy,
    Referrals,
    Earned,
    Banned,
    BanUntil,
    BanReason,
}

/// Names of columns, as such bots have them, in lower case.
const NAMES: &[(Column, &[&str])] = &[
    (Column::User, &["user_id", "telegram_id", "tg_id", "chat_id", "id"]),
    (Column::Gender, &["gender", "sex"]),
    (Column::Age, &["age"]),
    (Column::Language, &["language", "lang", "language_code", "locale"]),
    (Column::Vip, &["vip_until", "vip_expires_at", "vip_expires", "vip_expiry", "premium_until", "vip_end"]),
    (Column::Credits, &["credits", "coins", "balance", "credit"]),
    (Column::Chats, &["chats", "chat_count", "total_chats", "chats_count"]),
    (Column::InvitedBy, &["referred_by", "referrer_id", "invited_by", "inviter_id", "referrer"]),
    (Column::Referrals, &["referrals", "referral_count", "referrals_count", "invites"]),
    (Column::Earned, &["earned", "affiliate_earned", "commission", "earned_stars"]),
    (Column::Banned, &["banned", "is_banned", "blocked", "is_blocked"]),
    (Column::BanUntil, &["banned_until", "ban_until", "ban_expires_at"]),
    (Column::BanReason, &["ban_reason", "banned_reason", "block_reason"]),
];

const MALE: &[&str] = &["male", "m", "man", "boy", "1", "مرد", "پسر", "آقا", "ذكر", "رجل"];
const FEMALE: &[&str] = &["female", "f", "woman", "girl", "2", "زن", "دختر", "خانم", "أنثى", "امرأة"];
const YES: &[&str] = &["1", "true", "t", "yes", "y"];
const NO: &[&str] = &["", "0", "false", "f", "no", "n"];

/// A list of people.
#[derive(Default, Debug)]
pub struct People {
    /// Each once, in the order of the list.
    pub people: Vec<(UserId, Person)>,
    /// What each column was taken for; `not taken` for what is not known.
    pub columns: Vec<(String, String)>,
    /// Rows that were left out, and why.
    pub skipped: Vec<LineError>,
}

impl People {
    /// What there is, in a few lines for the operator.
    #[must_use]
    pub fn summary(&self, now: UnixMillis) -> String {
        let count =
            |is: &dyn Fn(&Person) -> bool| self.people.iter().filter(|(_, person)| is(person)).count();
        let whole = |person: &Person| person.gender.is_some() && person.age != 0 && person.language.is_some();
        let credits: u64 = self.people.iter().map(|(_, person)| u64::from(person.credits)).sum();
        let (all, whole, skipped) = (self.people.len(), count(&whole), self.skipped.len());
        format!(
            "{all} people; {skipped} rows left out\n\
             {whole} have language, gender and age; {} will be asked for what is missing\n\
             VIP time: {} have some left, of {} it has ended\n\
             {credits} credits, of {} people\n\
             {} came by somebody's link\n\
             {} are banned",
            all - whole,
            count(&|person| person.vip_until > now),
            count(&|person| person.vip_until.0 != 0 && person.vip_until <= now),
            count(&|person| person.credits != 0),
            count(&|person| person.invited_by.0 != 0),
            count(&|person| person.ban.as_ref().is_some_and(|ban| ban.until > now)),
        )
    }
}

/// Reads all rows.
///
/// # Errors
/// [`ImportError`]; a row that is wrong makes all of them be refused, unless such rows are to be left out.
pub fn read(source: ImportSource<'_>, skip_bad: bool) -> Result<People, ImportError> {
    let mut taker = Taker { skip_bad, ..Taker::default() };
    match source {
        ImportSource::Csv(path) => delimited::read(&path, None, &mut taker)?,
        ImportSource::Sqlite { path, select } => sqlite::read(&path, &select, &mut taker)?,
        #[cfg(feature = "postgres")]
        ImportSource::Postgres { uri, select } => super::postgres::read(&uri, &select, &mut taker)?,
        ImportSource::Supabase(_) => {
            let what = "people are not imported from there: export the table as CSV".to_owned();
            return Err(ImportError::Source { source_name: "Supabase", what });
        }
    }
    taker.finish()
}

#[derive(Default)]
struct Taker {
    names: Vec<String>,
    columns: Vec<Option<Column>>,
    /// On which line each stands.
    seen: HashMap<UserId, u64>,
    people: Vec<(UserId, Person)>,
    skip_bad: bool,
    shown: Vec<LineError>,
    errors: u64,
}

impl Rows for Taker {
    fn headers(&mut self, headers: Vec<String>) {
        let of = |name: &String| {
            let name = name.trim().to_lowercase();
            NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(column, _)| *column)
        };
        self.columns = headers.iter().map(of).collect();
        self.names = headers;
    }

    fn width(&self) -> usize {
        self.names.len()
    }

    fn row(&mut self, line: u64, cells: Vec<String>, _: Option<(u64, u64)>) -> Result<(), ImportError> {
        if !self.columns.contains(&Some(Column::User)) {
            let known: Vec<_> = NAMES.iter().map(|(_, names)| names[0]).collect();
            let what = format!("no column holds the users' numbers; known are {}", known.join(", "));
            return Err(ImportError::Columns(what));
        }
        match self.person(&cells) {
            Ok((user, person)) => match self.seen.insert(user, line) {
                Some(before) => self.bad_row(line, format!("user {user} stands on line {before} already")),
                None => self.people.push((user, person)),
            },
            Err(what) => self.bad_row(line, what),
        }
        Ok(())
    }

    fn bad_row(&mut self, line: u64, what: String) {
        self.errors += 1;
        if self.shown.len() < ERRORS_SHOWN || self.skip_bad {
            self.shown.push(LineError { line, what });
        }
    }
}

impl Taker {
    fn person(&self, cells: &[String]) -> Result<(UserId, Person), String> {
        let (mut user, mut person, mut banned) = (None, Person::default(), None);
        let (mut until, mut why) = (None, String::new());
        for ((column, name), cell) in self.columns.iter().zip(&self.names).zip(cells) {
            let cell = cell.trim();
            // What is empty is not known; `NULL` is how some tools write it.
            if cell.is_empty() || cell.eq_ignore_ascii_case("null") {
                continue;
            }
            let wrong = || format!("`{name}` is `{}`", cell.chars().take(40).collect::<String>());
            let Some(column) = column else { continue };
            match column {
                Column::User => user = Some(person_number(cell).ok_or_else(wrong)?),
                Column::Gender => person.gender = Some(gender(cell)),
                Column::Age => person.age = age(cell).ok_or_else(wrong)?,
                Column::Language => person.language = Some(Language::guess(&cell.to_lowercase())),
                Column::Vip => person.vip_until = instant(cell).ok_or_else(wrong)?,
                Column::Credits => person.credits = whole(cell).ok_or_else(wrong)?,
                Column::Chats => person.chats = whole(cell).ok_or_else(wrong)?,
                Column::InvitedBy if cell == "0" => {}
                Column::InvitedBy => person.invited_by = person_number(cell).ok_or_else(wrong)?,
                Column::Referrals => person.referrals = whole(cell).ok_or_else(wrong)?,
                Column::Earned => person.earned = hundredths(cell).ok_or_else(wrong)?,
                Column::Banned => banned = Some(truth(cell).ok_or_else(wrong)?),
                Column::BanUntil => until = Some(instant(cell).ok_or_else(wrong)?),
                Column::BanReason => why = cell.chars().take(500).collect(),
            }
        }
        let user = user.ok_or("the user's number is missing")?;
        if banned.unwrap_or(until.is_some()) {
            let until = until.unwrap_or(UnixMillis(u64::MAX));
            person.ban = Some(Ban { until, why: why.into() });
        }
        if person.invited_by == user {
            return Err(format!("user {user} has invited himself"));
        }
        Ok((user, person))
    }

    fn finish(mut self) -> Result<People, ImportError> {
        self.shown.sort_by_key(|error| error.line);
        if self.errors > 0 && !self.skip_bad {
            return Err(ImportError::Rows { shown: self.shown, total: self.errors });
        }
        if self.people.is_empty() {
            return Err(ImportError::Empty);
        }
        let told = self.columns.iter().map(|column| match column {
            Some(column) => format!("{column:?}"),
            None => "not taken".to_owned(),
        });
        let columns = self.names.into_iter().zip(told).collect();
        Ok(People { people: self.people, columns, skipped: self.shown })
    }
}

fn person_number(text: &str) -> Option<UserId> {
    text.parse().ok().map(UserId).filter(|user| user.is_person())
}

/// A word that is not known is `Other`: it says something, and nobody else may be made of it.
fn gender(text: &str) -> Gender {
    let text = text.to_lowercase();
    match () {
        () if MALE.contains(&text.as_str()) => Gender::Male,
        () if FEMALE.contains(&text.as_str()) => Gender::Female,
        () => Gender::Other,
    }
}

/// 0 is how some say that they do not know.
fn age(text: &str) -> Option<u8> {
    whole(text).and_then(|age| u8::try_from(age).ok()).filter(|age| *age == 0 || (13..=AGE_MAX).contains(age))
}

fn truth(text: &str) -> Option<bool> {
    let text = text.to_lowercase();
    let is = |words: &[&str]| words.contains(&text.as_str());
    if is(YES) { Some(true) } else { is(NO).then_some(false) }
}

/// Databases write whole numbers as `5.0` here and there.
fn whole(text: &str) -> Option<u32> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

/// `12`, `12.5`, `12.50` as hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = match part.len() {
        0 => 0,
        1 => part.parse::<u64>().ok()? * 10,
        _ => part.get(..2)?.parse().ok()?,
    };
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(part)
}

/// Seconds or milliseconds since 1970, a date, or a date and a time; without a zone in UTC. 0 is never.
fn instant(text: &str) -> Option<UnixMillis> {
    /// Seconds that would be in the year 5138; milliseconds since 1973 are more.
    const SECONDS_MAX: u64 = 100_000_000_000;
    if let Ok(n) = text.strip_suffix(".0").unwrap_or(text).parse::<u64>() {
        return Some(UnixMillis(if n < SECONDS_MAX { n * 1000 } else { n }));
    }
    let text = text.replacen(' ', "T", 1);
    let text = if text.len() == 10 { text + "T00:00:00" } else { text };
    // As Python writes it, without a zone.
    let zoned = text.ends_with('Z') || text.get(10..).is_some_and(|time| time.contains(['+', '-']));
    let text = if zoned { text } else { text + "Z" };
    rfc3339::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn of(csv: &str) -> Result<People, ImportError> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("users.csv");
        fs::write(&path, csv).expect("written");
        read(ImportSource::Csv(path), false)
    }

    #[test]
    fn a_list_of_another_bot_is_read_by_its_own_names() {
        let people = of("Telegram_ID,sex,age,vip_expires,coins,invited_by,is_banned,ban_reason,shoe_size\n\
             5,دختر,25,2027-01-02 03:04:05,7,,0,,40\n6,man,0,1800000000,,5,1,rude,\n7,,30,2027-01-02,3.0,0,,,\n")
        .expect("a list");
        assert_eq!(people.columns[8], ("shoe_size".into(), "not taken".into()));
        let [(five, a), (_, b), (_, c)] = &people.people[..] else { panic!("three") };
        assert_eq!((*five, a.gender, a.age, a.credits), (UserId(5), Some(Gender::Female), 25, 7));
        assert_eq!(a.vip_until, rfc3339::parse("2027-01-02T03:04:05Z").unwrap());
        assert_eq!(
            (b.gender, b.vip_until, b.invited_by),
            (Some(Gender::Male), UnixMillis(1_800_000_000_000), UserId(5))
        );
        assert_eq!(b.ban, Some(Ban { until: UnixMillis(u64::MAX), why: "rude".into() }));
        assert_eq!((a.ban.is_none(), c.invited_by, c.credits), (true, UserId(0), 3));
    }

    #[test]
    fn one_wrong_row_refuses_all_and_each_is_told_with_its_line() {
        let error =
            of("id,age,vip_until\n5,25,soon\n5,12,\n6,30,\n6,30,\nx,30,\n").expect_err("refused").to_string();
        for part in [
            "line 2: `vip_until` is `soon`",
            "line 3: `age` is `12`",
            "line 5: user 6 stands on line 4",
            "line 6: `id` is `x`",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(of("name,age\na,5\n").expect_err("no ids").to_string().contains("user_id"));
        assert!(matches!(of("id\n"), Err(ImportError::Empty)));
    }

    #[test]
    fn wrong_rows_can_be_left_out_and_each_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("users.csv");
        let list = "id,age,lang,gender,credits,vip_until\n5,25,fa,man,3,2027-01-02\n5,12,,,,\n6,300,,,,\n7,,,,4,2020-01-01\n";
        fs::write(&path, list).expect("written");
        let people = read(ImportSource::Csv(path), true).expect("the good ones");
        let told: Vec<_> = people.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["line 3: `age` is `12`", "line 4: `age` is `300`"]);
        let now = rfc3339::parse("2026-11-21T00:00:00Z").expect("an instant");
        let summary = people.summary(now);
        for line in [
            "2 people; 2 rows left out",
            "1 have language",
            "1 have some left, of 1 it has ended",
            "7 credits, of 2",
        ] {
            assert!(summary.contains(line), "{line}: {summary}");
        }
    }

    #[test]
    fn numbers_are_read_as_databases_write_them() {
        assert_eq!(
            (hundredths("12"), hundredths("12.5"), hundredths("12.507")),
            (Some(1200), Some(1250), Some(1250))
        );
        assert_eq!((hundredths("x"), hundredths("1.x")), (None, None));
        assert_eq!(instant("1800000000000"), instant("1800000000"));
        assert_eq!(instant("2027-01-02T03:04:05+03:00"), rfc3339::parse("2027-01-02T00:04:05Z"));
        assert_eq!((instant("yesterday"), instant("0")), (None, Some(UnixMillis(0))));
    }
}
