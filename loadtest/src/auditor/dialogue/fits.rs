//! Which question a message may be the answer to.

use super::{Dialogue, Open};
use crate::auditor::log::Sent;
use crate::auditor::reading::{Card, Means, Question, Reading, fold};
use crate::dataset::Pupil;

impl Dialogue<'_, '_> {
    /// Whether `sent` answers this question.
    pub(super) fn fits(&self, sent: &Sent, open: &Open<'_>) -> bool {
        let asked = &open.asked.question;
        match (&sent.reading, asked) {
            (Reading::Card(card), _) => self.card_fits(card, open),
            (Reading::NotFound(Some(said)), Question::Number(number)) => said == number,
            (Reading::NotFound(None), Question::Number(number)) => self.truth.find(*number).is_none(),
            (Reading::NotFound(_), Question::Words(words)) => !self.is_a_name(words),
            // A page in place of another answers the press below it; a new list the words.
            (Reading::Several, Question::Press(_)) => {
                open.means == Some(Means::Turn)
                    && sent.edits.is_some()
                    && sent.edits == open.asked.press.as_ref().map(|(message, _)| *message)
            }
            (Reading::Several, Question::Words(_)) => self.rules.names && sent.edits.is_none(),
            (Reading::Start, Question::Command(command)) => command.starts_with("/start"),
            (Reading::Help, Question::Command(command)) => command.starts_with("/help"),
            (Reading::Language, Question::Command(command)) => command.starts_with("/language"),
            (Reading::Language, Question::Press(_)) => open.means == Some(Means::Language),
            (Reading::WrongFormat, Question::Command(command)) => {
                !["/start", "/help", "/language"].iter().any(|known| command.starts_with(known))
            }
            (Reading::WrongFormat, Question::Words(words)) => !self.is_a_name(words),
            (Reading::NotThere, Question::Number(_) | Question::Words(_)) => self.truth.pupils().is_empty(),
            _ => false,
        }
    }

    fn card_fits(&self, card: &Card, open: &Open<'_>) -> bool {
        let pupil = || self.truth.find(card.number);
        match &open.asked.question {
            Question::Number(number) => *number == card.number,
            // Of the only one of that name: where there are several, he must be asked which.
            Question::Words(words) => {
                let is_his = |pupil: &Pupil| fold(&pupil.name()).starts_with(&**words);
                self.rules.names && pupil().is_some_and(is_his) && self.truth.named(words, fold) == 1
            }
            // The button said whose card it is. Long labels are cut.
            Question::Press(_) => match &open.means {
                Some(Means::Choice(label)) => {
                    pupil().is_some_and(|pupil| fold(&pupil.label()).starts_with(label.as_str()))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Names are understood, and with these words a name in the data set begins.
    fn is_a_name(&self, words: &str) -> bool {
        self.rules.names && self.truth.named(words, fold) > 0
    }
}
