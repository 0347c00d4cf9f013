//! For any data sets, any questions, any forged buttons and any moment of replacement: marks that are
//! shown belong to the number that was asked for.

use super::world::*;
use crate::results::dataset::{ExamNumber, Identifiers, NameSearch};
use crate::results::{Settings, button::Button, say::Say};
use nobat_core::bot::{Call, Outgoing};
use nobat_core::id::UserId;
use proptest::prelude::*;
use std::collections::HashSet;

const NAMES: [&str; 5] = ["علي حسين كاظم", "علي حسين جاسم", "زينب كاظم", "محمد علي", "علي حسين كاظم"];
const NUMBERS: u64 = 12;

/// Which of the numbers 100..112 are in a data set; name and mark follow from number and edition.
#[derive(Clone, Debug)]
struct Edition {
    present: Vec<bool>,
    salt: u64,
}

impl Edition {
    fn name(&self, number: u64) -> &'static str {
        NAMES[((number * 7 + self.salt) % 5) as usize]
    }

    fn mark(&self, number: u64) -> String {
        ((number * 31 + self.salt * 17) % 101).to_string()
    }

    fn has(&self, number: u64) -> bool {
        (100..100 + NUMBERS).contains(&number) && self.present[(number - 100) as usize]
    }

    fn put_on(&self, world: &World, names: NameSearch, identifiers: Identifiers) {
        let rows: Vec<(String, &str, String)> = (100..100 + NUMBERS)
            .filter(|n| self.has(*n))
            .map(|n| (n.to_string(), self.name(n), self.mark(n)))
            .collect();
        let rows: Vec<(&str, &str, &str)> =
            rows.iter().map(|(n, a, m)| (n.as_str(), *a, m.as_str())).collect();
        let mut schema = schema(names);
        schema.identifiers = identifiers;
        world.shelf.put(Some(data_set(&rows, schema)));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Ask(u64),
    AskWithCode(u64, bool),
    AskName(usize),
    /// A button of a list that was really shown.
    Press(prop::sample::Index),
    /// A button that nobody was shown.
    Forge(u64, u64),
    /// Somebody else's button.
    Steal(prop::sample::Index),
    Replace(Edition),
    Release(bool),
    Deliver(prop::sample::Index),
}

fn edition() -> impl Strategy<Value = Edition> {
    (prop::collection::vec(any::<bool>(), NUMBERS as usize), 0u64..20)
        .prop_map(|(present, salt)| Edition { present, salt })
}

fn step() -> impl Strategy<Value = Step> {
    let number = 98u64..114;
    prop_oneof![
        4 => number.clone().prop_map(Step::Ask),
        2 => (number.clone(), any::<bool>()).prop_map(|(n, right)| Step::AskWithCode(n, right)),
        3 => (0usize..5).prop_map(Step::AskName),
        3 => any::<prop::sample::Index>().prop_map(Step::Press),
        2 => (number, any::<u64>()).prop_map(|(n, tag)| Step::Forge(n, tag)),
        1 => any::<prop::sample::Index>().prop_map(Step::Steal),
        1 => edition().prop_map(Step::Replace),
        1 => any::<bool>().prop_map(Step::Release),
        4 => any::<prop::sample::Index>().prop_map(Step::Deliver),
    ]
}

struct Game {
    world: World,
    edition: Edition,
    names: NameSearch,
    identifiers: Identifiers,
    /// Numbers that this user typed, with whether the code beside it was right.
    typed: HashSet<(u64, bool)>,
    /// Buttons that this user was shown, and of whom.
    shown: Vec<String>,
}

impl Game {
    fn play(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask(number) => {
                self.typed.insert((number, false));
                self.world.text(&number.to_string());
            }
            Step::AskWithCode(number, right) => {
                self.typed.insert((number, right));
                let code: String = number.to_string().chars().rev().collect();
                self.world.text(&format!("{number} {}", if right { &code } else { "00" }));
            }
            Step::AskName(i) => drop(self.world.text(NAMES[i])),
            Step::Press(i) if !self.shown.is_empty() => {
                let data = i.get(&self.shown).clone();
                self.world.press(&data);
            }
            Step::Forge(number, tag) => {
                let user = self.world.user;
                let number = ExamNumber::parse(&number.to_string()).expect("three digits");
                let before = self.world.queue.len();
                self.world.press(&Button::Choose { user, number, tag }.data());
                prop_assert_eq!(self.world.queue.len(), before + 1, "a forged button got more than a notice");
            }
            Step::Steal(i) if !self.shown.is_empty() => {
                let data = i.get(&self.shown).clone();
                let me = std::mem::replace(&mut self.world.user, UserId(7));
                let before = self.world.queue.len();
                self.world.press(&data);
                prop_assert_eq!(self.world.queue.len(), before + 1, "a stolen button got more than a notice");
                self.world.queue.truncate(before);
                self.world.user = me;
            }
            Step::Replace(edition) => {
                edition.put_on(&self.world, self.names, self.identifiers);
                self.edition = edition;
            }
            Step::Release(released) => self.world.released = released,
            Step::Deliver(i) if !self.world.queue.is_empty() => {
                let outgoing = self.world.queue.remove(i.index(self.world.queue.len()));
                self.delivered(&outgoing)?;
            }
            Step::Press(_) | Step::Steal(_) | Step::Deliver(_) => {}
        }
        Ok(())
    }

    /// The referee: reads the card as an outsider would.
    fn delivered(&mut self, outgoing: &Outgoing) -> Result<(), TestCaseError> {
        let call = self.world.render(outgoing);
        for button in buttons(&call) {
            let data = data(&button);
            if data.starts_with("c:") {
                self.shown.push(data.to_owned());
            }
        }
        let text = words(&call).to_owned();
        let line = |label: &str| {
            let prefix = format!("{label}: \u{2068}");
            let found = text.lines().find_map(|l| l.strip_prefix(&prefix))?;
            found.split('\u{2069}').next().map(str::to_owned)
        };
        let (number, name, mark) = (line("الرقم الامتحاني"), line("الاسم"), line("الرياضيات"));
        prop_assert_eq!(number.is_some(), mark.is_some());
        let (Some(number), Some(name), Some(mark)) = (number, name, mark) else { return Ok(()) };
        let is_message = matches!(call, Call::Text { .. });
        prop_assert!(is_message);
        let n: u64 = number.parse().expect("digits");
        prop_assert!(self.edition.has(n), "a card of nobody");
        prop_assert_eq!(&name, self.edition.name(n), "the name of another");
        prop_assert_eq!(&mark, &self.edition.mark(n), "the marks of another");
        match (Say::read(&outgoing.payload).expect("it was just rendered"), self.identifiers) {
            (Say::Card { number, .. }, Identifiers::Number) => {
                prop_assert_eq!(number.value(), n);
                prop_assert!(self.typed.iter().any(|(typed, _)| *typed == n), "nobody asked for it");
            }
            (Say::Card { number, .. }, Identifiers::NumberAndCode) => {
                prop_assert_eq!(number.value(), n);
                prop_assert!(self.typed.contains(&(n, true)), "the code was not his");
            }
            (Say::Chosen { number, .. }, Identifiers::Number) => {
                prop_assert_eq!(number.value(), n);
                prop_assert_eq!(self.names, NameSearch::Full);
            }
            (other, _) => prop_assert!(false, "marks in {other:?}"),
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn marks_that_are_shown_belong_to_the_number_that_was_asked_for(
        first in edition(),
        steps in prop::collection::vec(step(), 1..60),
        names in prop::sample::select(vec![NameSearch::Off, NameSearch::Candidates, NameSearch::Full]),
        with_code: bool,
    ) {
        let identifiers = if with_code { Identifiers::NumberAndCode } else { Identifiers::Number };
        let names = if with_code && names == NameSearch::Full { NameSearch::Candidates } else { names };
        let settings = Settings { misses_max: 255, ..Settings::default() };
        let mut game = Game {
            world: World::new(settings),
            edition: Edition { present: vec![false; NUMBERS as usize], salt: 0 },
            names,
            identifiers,
            typed: HashSet::new(),
            shown: Vec::new(),
        };
        game.play(Step::Replace(first))?;
        for step in steps {
            game.play(step)?;
        }
        for outgoing in std::mem::take(&mut game.world.queue) {
            game.delivered(&outgoing)?;
        }
    }
}
