//! What kinds with registrations and quotas say of them: durable, and each the row of a table.
//!
//! What lives here: [`Registration`] and [`Quota`]. A kind has them in its events (a new event each time something
//! of it changes, whole) and in its state, writes them with [`Record`], and gives [`Registration::row`] or
//! [`Quota::row`] to `Bot::noted` and `Bot::remembered`. Tables, migrations, indexes, export and retention are
//! there already.

use super::{QUOTAS, REGISTRATIONS, Row};
use crate::record::{Malformed, Reader, Record, Write};
use crate::time::UnixMillis;

/// Of both encodings. A later version appends fields and still reads this one.
const VERSION: u8 = 1;

/// How a registration stands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum Standing {
    /// He is still asked.
    #[default]
    Open = 0,
    /// He has confirmed it.
    Confirmed = 1,
    /// He has taken it back.
    Withdrawn = 2,
}

impl Standing {
    const ALL: [Self; 3] = [Self::Open, Self::Confirmed, Self::Withdrawn];

    const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One user's registration for one thing, as it stands.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Registration {
    /// What for.
    pub subject: Box<str>,
    /// How far he is in the conversation.
    pub stage: Box<str>,
    /// How it stands.
    pub standing: Standing,
    /// Empty before he said it; as the next two.
    pub first_name: Box<str>,
    /// See there.
    pub last_name: Box<str>,
    /// Digits alone.
    pub mobile: Box<str>,
    /// What else was asked, as a JSON object, or empty.
    pub answers: Box<str>,
    /// When he began.
    pub started_at: UnixMillis,
    /// When this was so.
    pub changed_at: UnixMillis,
}

impl Registration {
    /// Its row.
    #[must_use]
    pub fn row(&self) -> Row {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let confirmed = (self.standing == Standing::Confirmed).then_some(self.changed_at);
        Row::of(&REGISTRATIONS)
            .with("subject", &*self.subject)
            .with("stage", &*self.stage)
            .with("status", self.standing.name())
            .with("first_name", said(&self.first_name))
            .with("last_name", said(&self.last_name))
            .with("mobile", said(&self.mobile))
            .with("answers", said(&self.answers))
            .with("started_at", (self.started_at.0 != 0).then_some(self.started_at))
            .with("changed_at", self.changed_at)
            .with("confirmed_at", confirmed)
    }
}

impl Record for Registration {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(VERSION);
        out.put_u8(self.standing as u8);
        for text in
            [&self.subject, &self.stage, &self.first_name, &self.last_name, &self.mobile, &self.answers]
        {
            out.put_str(text);
        }
        out.put_varint(self.started_at.0);
        out.put_varint(self.changed_at.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        version(from)?;
        let standing = Standing::ALL.get(usize::from(from.u8()?)).copied();
        let standing = standing.ok_or(Malformed("a registration that stands in an unknown way"))?;
        let mut text = || from.str().map(Box::from);
        let (subject, stage, first_name) = (text()?, text()?, text()?);
        let (last_name, mobile, answers) = (text()?, text()?, text()?);
        let (started_at, changed_at) = (UnixMillis(from.varint()?), UnixMillis(from.varint()?));
        Ok(Self { subject, stage, standing, first_name, last_name, mobile, answers, started_at, changed_at })
    }
}

/// What one user has used up of one quota.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Quota {
    /// Which.
    pub quota: Box<str>,
    /// By which tier he is counted.
    pub tier: Box<str>,
    /// How much he has used up.
    pub used: u32,
    /// How much there is.
    pub allowed: u32,
    /// When it begins anew.
    pub resets_at: UnixMillis,
    /// When this was so.
    pub changed_at: UnixMillis,
}

impl Quota {
    /// Its row.
    #[must_use]
    pub fn row(&self) -> Row {
        Row::of(&QUOTAS)
            .with("quota", &*self.quota)
            .with("tier", &*self.tier)
            .with("used", self.used)
            .with("allowed", self.allowed)
            .with("resets_at", self.resets_at)
            .with("changed_at", self.changed_at)
    }
}

impl Record for Quota {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(VERSION);
        out.put_str(&self.quota);
        out.put_str(&self.tier);
        for number in [self.used.into(), self.allowed.into(), self.resets_at.0, self.changed_at.0] {
            out.put_varint(number);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        version(from)?;
        let (quota, tier) = (from.str()?.into(), from.str()?.into());
        let mut small = || u32::try_from(from.varint()?).map_err(|_| Malformed("a quota beyond 32 bits"));
        let (used, allowed) = (small()?, small()?);
        let (resets_at, changed_at) = (UnixMillis(from.varint()?), UnixMillis(from.varint()?));
        Ok(Self { quota, tier, used, allowed, resets_at, changed_at })
    }
}

fn version(from: &mut Reader<'_>) -> Result<(), Malformed> {
    match from.u8()? {
        VERSION => Ok(()),
        _ => Err(Malformed("of another version")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;
    use proptest::prelude::*;

    fn registration() -> impl Strategy<Value = Registration> {
        let texts = proptest::array::uniform6("\\PC{0,12}");
        (texts, 0usize..3, any::<u64>(), any::<u64>()).prop_map(|(texts, standing, started, changed)| {
            let [subject, stage, first_name, last_name, mobile, answers] = texts.map(Box::from);
            let (started_at, changed_at) = (UnixMillis(started), UnixMillis(changed));
            let standing = Standing::ALL[standing];
            Registration {
                subject,
                stage,
                standing,
                first_name,
                last_name,
                mobile,
                answers,
                started_at,
                changed_at,
            }
        })
    }

    proptest! {
        #[test]
        fn a_registration_is_read_as_it_was_written(it in registration()) {
            let mut bytes = Vec::new();
            it.encode(&mut bytes);
            prop_assert_eq!(Registration::from_bytes(&bytes), Ok(it));
        }

        #[test]
        fn a_quota_is_read_as_it_was_written(
            quota in "\\PC{0,12}", tier in "\\PC{0,12}", used: u32, allowed: u32, resets: u64, changed: u64,
        ) {
            let (resets_at, changed_at) = (UnixMillis(resets), UnixMillis(changed));
            let it = Quota { quota: quota.into(), tier: tier.into(), used, allowed, resets_at, changed_at };
            let mut bytes = Vec::new();
            it.encode(&mut bytes);
            prop_assert_eq!(Quota::from_bytes(&bytes), Ok(it));
        }

        #[test]
        fn any_bytes_are_one_or_malformed(bytes: Vec<u8>) {
            let _ = Registration::from_bytes(&bytes);
            let _ = Quota::from_bytes(&bytes);
        }
    }

    #[test]
    fn what_was_not_said_is_empty_and_only_a_confirmation_is_dated_as_one() {
        let open = Registration { changed_at: UnixMillis(5), ..Registration::default() };
        let row = open.row();
        assert_eq!([row.get("mobile"), row.get("confirmed_at"), row.get("started_at")], [&Cell::Null; 3]);
        let confirmed = Registration { standing: Standing::Confirmed, ..open };
        assert_eq!(confirmed.row().get("confirmed_at"), &Cell::Time(UnixMillis(5)));
    }
}
