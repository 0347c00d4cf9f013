//! Presses of buttons: each is ended in time, once, and nothing is told by the way.

use super::{Dialogue, Open};
use crate::auditor::Check;
use crate::auditor::log::{Asked, Ended};
use crate::auditor::reading::{Question, Reading};
use crate::wire::At;

impl Dialogue<'_, '_> {
    /// The answers to this press.
    pub(super) fn endings(&self, asked: &Asked) -> &[Ended] {
        let id = asked.press.as_ref().map(|(_, id)| id);
        id.and_then(|id| self.log.ended.get(id)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn check_presses(&mut self) {
        let mut recent = Vec::new();
        let presses: Vec<(usize, At, bool)> = (0..self.questions.len())
            .filter_map(|nth| {
                let open = &self.questions[nth];
                let at = open.delivered_at?;
                recent.retain(|&earlier| at.saturating_sub(earlier) <= super::MINUTE);
                recent.push(at);
                let over = recent.len() > self.rules.requests_per_minute;
                matches!(open.asked.question, Question::Press(_)).then_some((nth, at, over))
            })
            .collect();
        for (nth, delivered_at, over) in presses {
            let found = self.press_findings(&self.questions[nth], delivered_at, over);
            for (check, at, what) in found {
                self.audit.find(check, at, self.questions[nth].asked.user, || what.to_owned());
            }
        }
    }

    fn press_findings(
        &self,
        open: &Open<'_>,
        delivered_at: At,
        over: bool,
    ) -> Vec<(Check, At, &'static str)> {
        let endings = self.endings(open.asked);
        let due = delivered_at + self.rules.press_within;
        let killed =
            |until: At| self.log.processes.iter().any(|(at, up)| !up && (delivered_at..=until).contains(at));
        let mut found = Vec::new();
        match endings.first() {
            None if over => {}
            None => found.push((Check::SilentButton, delivered_at, "a pressed button was never answered")),
            Some(first) if first.at > due && !killed(first.at) => {
                found.push((Check::SilentButton, first.at, "a pressed button was answered too late"));
            }
            Some(_) => {}
        }
        if let [first, second, ..] = endings
            && !first.unanswered
            && !killed(second.at)
        {
            found.push((Check::Repeated, second.at, "a pressed button was answered twice"));
        }
        for ended in endings {
            if ended.notice.as_ref().is_some_and(|notice| *notice != Reading::Changed) {
                found.push((
                    Check::WrongAnswer,
                    ended.at,
                    "a notice over a button that is none of the conversation's",
                ));
            }
        }
        found
    }
}
