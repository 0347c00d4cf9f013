//! Columns and words that need no configuration: what lists of results commonly use.

use nobat_bots::results::dataset::{FieldRole, MarkRole};
use nobat_bots::text::fold_word;

/// What a column is, told from its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    Number,
    Name,
    Code,
    Field(FieldRole),
    Mark(MarkRole),
}

/// A column: what it is, its labels, and the names under which lists have it (any spelling of each: blanks,
/// case, underscores and the forms of Arabic letters do not matter).
pub(super) struct Column {
    pub(super) known: Known,
    pub(super) ar: &'static str,
    pub(super) en: &'static str,
    names: &'static [&'static str],
}

const fn column(known: Known, ar: &'static str, en: &'static str, names: &'static [&'static str]) -> Column {
    Column { known, ar, en, names }
}

const SUBJECT: Known = Known::Mark(MarkRole::Subject);

#[rustfmt::skip]
const COLUMNS: &[Column] = &[
    column(Known::Number, "الرقم الامتحاني", "Exam number", &["number", "exam number", "exam no", "exam id", "examinee number",
        "seat number", "student number", "roll number", "الرقم", "رقم امتحاني", "رقم الطالب", "رقم الجلوس"]),
    column(Known::Name, "الاسم", "Name", &["full name", "student name", "student", "pupil", "اسم الطالب", "الاسم الكامل",
        "الاسم الثلاثي", "الاسم الرباعي", "اسم"]),
    column(Known::Code, "الرمز السري", "Secret code", &["code", "secret", "pin", "password", "الكود السري", "الرمز", "الكود",
        "الرقم السري"]),
    column(Known::Field(FieldRole::School), "المدرسة", "School", &["school name", "اسم المدرسة", "مدرسة", "المدرسه"]),
    column(Known::Field(FieldRole::Governorate), "المحافظة", "Governorate", &["province", "directorate", "المديرية", "محافظة"]),
    column(Known::Field(FieldRole::Other), "الفرع", "Branch", &["stream", "track", "فرع"]),
    column(Known::Field(FieldRole::Status), "النتيجة", "Result", &["status", "outcome", "الحالة", "نتيجة", "النتيجة النهائية"]),
    column(SUBJECT, "اللغة العربية", "Arabic", &["arabic language", "العربية", "عربي"]),
    column(SUBJECT, "اللغة الإنكليزية", "English", &["english language", "اللغة الانجليزية", "الإنكليزية", "الانجليزية", "انكليزي",
        "انجليزي"]),
    column(SUBJECT, "الرياضيات", "Mathematics", &["math", "maths", "رياضيات"]),
    column(SUBJECT, "الفيزياء", "Physics", &["فيزياء"]),
    column(SUBJECT, "الكيمياء", "Chemistry", &["كيمياء"]),
    column(SUBJECT, "الأحياء", "Biology", &["احياء", "علم الأحياء"]),
    column(SUBJECT, "التربية الإسلامية", "Islamic education", &["islamic", "islam", "الإسلامية", "اسلامية"]),
    column(SUBJECT, "اللغة الفرنسية", "French", &["الفرنسية", "فرنسي"]),
    column(SUBJECT, "اللغة الكردية", "Kurdish", &["الكردية", "كردي"]),
    column(SUBJECT, "التاريخ", "History", &["تاريخ"]),
    column(SUBJECT, "الجغرافية", "Geography", &["الجغرافيا", "جغرافية"]),
    column(SUBJECT, "الاقتصاد", "Economics", &["economy", "اقتصاد"]),
    column(SUBJECT, "الاجتماعيات", "Social studies", &["social", "اجتماعيات"]),
    column(SUBJECT, "العلوم", "Science", &["sciences", "علوم"]),
    column(Known::Mark(MarkRole::Total), "المجموع", "Total", &["sum", "مجموع", "المجموع الكلي"]),
    column(Known::Mark(MarkRole::Average), "المعدل", "Average", &["avg", "mean", "gpa", "معدل"]),
];

/// English for values that lists commonly hold.
#[rustfmt::skip]
pub(super) const WORDS: &[(&str, &str)] = &[
    ("ناجح", "Passed"), ("ناجحة", "Passed"), ("راسب", "Failed"), ("راسبة", "Failed"),
    ("مكمل", "Second round"), ("مكملة", "Second round"), ("غائب", "Absent"), ("غائبة", "Absent"),
    ("معفو", "Exempt"), ("معفى", "Exempt"), ("محجوب", "Withheld"), ("مؤجل", "Postponed"),
    ("علمي", "Scientific"), ("العلمي", "Scientific"), ("أدبي", "Literary"), ("ادبي", "Literary"), ("الأدبي", "Literary"),
    ("مهني", "Vocational"), ("إسلامي", "Islamic"), ("أحيائي", "Biological"), ("تطبيقي", "Applied"),
    ("بغداد", "Baghdad"), ("البصرة", "Basra"), ("نينوى", "Nineveh"), ("أربيل", "Erbil"), ("السليمانية", "Sulaymaniyah"),
    ("دهوك", "Duhok"), ("حلبجة", "Halabja"), ("كركوك", "Kirkuk"), ("ديالى", "Diyala"), ("الأنبار", "Al Anbar"),
    ("صلاح الدين", "Saladin"), ("بابل", "Babylon"), ("كربلاء", "Karbala"), ("النجف", "Najaf"),
    ("القادسية", "Al-Qadisiyyah"), ("المثنى", "Al Muthanna"), ("ذي قار", "Dhi Qar"), ("ميسان", "Maysan"), ("واسط", "Wasit"),
];

/// The known column of this name.
pub(super) fn column_named(name: &str) -> Option<&'static Column> {
    let key = fold_word(name);
    COLUMNS.iter().find(|c| [c.ar, c.en].iter().chain(c.names).any(|known| fold_word(known) == key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_columns() {
        let mut seen = std::collections::HashMap::new();
        for column in COLUMNS {
            for name in [column.ar, column.en].iter().chain(column.names) {
                if let Some(other) = seen.insert(fold_word(name), column.en) {
                    assert_eq!(other, column.en, "{name}");
                }
            }
        }
    }

    #[test]
    fn columns_are_known_in_many_spellings() {
        for (name, known) in [
            ("number", Known::Number),
            ("Exam_Number", Known::Number),
            ("الرقم الإمتحاني", Known::Number),
            (" NAME ", Known::Name),
            ("اسم الطالب", Known::Name),
            ("المحافظه", Known::Field(FieldRole::Governorate)),
            ("الرياضيّات", SUBJECT),
            ("average", Known::Mark(MarkRole::Average)),
        ] {
            assert_eq!(column_named(name).map(|c| c.known), Some(known), "{name}");
        }
        assert!(column_named("favourite colour").is_none());
    }
}
