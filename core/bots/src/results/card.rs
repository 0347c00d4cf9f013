//! The result card. Its form is a promise to programs that read it: `docs/results.md`.

use super::dataset::{FieldRole, Label, Mark, MarkRole, Schema};
use super::door::Entitled;
use super::texts::{Key, Language, Texts};
use crate::text::bidi::push_isolated;

/// Behind a mark below the pass mark.
const BELOW_PASS: &str = " ✗";

/// The card of who is entitled to it.
pub(super) fn card(texts: &Texts, language: Language, schema: &Schema, entitled: &Entitled<'_>) -> String {
    let student = entitled.student();
    let mut card = Card { out: String::with_capacity(512), schema, language };
    let title = label(&schema.title, language);
    if !title.is_empty() {
        card.out.push_str(title);
        card.out.push('\n');
    }
    card.line(texts.get(language, Key::LabelNumber), &entitled.number().to_string());
    card.line(texts.get(language, Key::LabelName), &student.name());
    for (i, field) in schema.fields.iter().enumerate() {
        if field.role != FieldRole::Status {
            card.value(label(&field.label, language), student.field(i));
        }
    }
    card.gap();
    for (i, column) in schema.marks.iter().enumerate() {
        if column.role == MarkRole::Subject {
            card.mark(label(&column.label, language), student.mark(i), column.pass);
        }
    }
    card.gap();
    for role in [MarkRole::Total, MarkRole::Average] {
        for (i, column) in schema.marks.iter().enumerate().filter(|(_, c)| c.role == role) {
            card.mark(label(&column.label, language), student.mark(i), column.pass);
        }
    }
    for (i, field) in schema.fields.iter().enumerate() {
        if field.role == FieldRole::Status {
            card.value(label(&field.label, language), student.field(i));
        }
    }
    card.out.truncate(card.out.trim_end().len());
    card.out
}

struct Card<'a> {
    out: String,
    schema: &'a Schema,
    language: Language,
}

impl Card<'_> {
    /// Parts one group from the next; an empty group leaves no gap of its own.
    fn gap(&mut self) {
        if !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn line(&mut self, label: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        self.out.push_str(label);
        self.out.push_str(": ");
        push_isolated(&mut self.out, value);
        self.out.push('\n');
    }

    /// A value of the data, in the reader's language if the configuration has it.
    fn value(&mut self, label: &str, value: &str) {
        self.line(label, translated(self.schema, self.language, value));
    }

    fn mark(&mut self, label: &str, mark: Mark<'_>, pass: Option<u32>) {
        match mark {
            Mark::Blank => {}
            Mark::Word(word) => self.value(label, word),
            Mark::Points(points) => {
                self.line(label, &super::dataset::show_points(points));
                if pass.is_some_and(|pass| points < pass) {
                    self.out.truncate(self.out.len() - 1);
                    self.out.push_str(BELOW_PASS);
                    self.out.push('\n');
                }
            }
        }
    }
}

/// A label in the reader's language; in Arabic where there is no other.
pub(super) fn label(label: &Label, language: Language) -> &str {
    match language {
        Language::English if !label.en.is_empty() => &label.en,
        _ => &label.ar,
    }
}

/// A value in the reader's language; as it stands where there is no other.
pub(super) fn translated<'a>(schema: &'a Schema, language: Language, value: &'a str) -> &'a str {
    match language {
        Language::English => schema.english(value).unwrap_or(value),
        Language::Arabic => value,
    }
}
