//! The data set beside a naive twin, and under damage.

use super::*;
use crate::text::tokens;
use nobat_core::record::Record;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What went in, kept the simplest way.
#[derive(Clone, Debug)]
struct Pupil {
    number: u64,
    name: String,
    school: String,
    marks: [String; 2],
}

fn schema() -> Schema {
    Schema {
        fields: vec![Field { label: Label::new("المدرسة", "School"), role: FieldRole::School }],
        marks: ["العربية", "المعدل"]
            .map(|label| MarkColumn { label: Label::new(label, ""), ..Default::default() })
            .to_vec(),
        ..Default::default()
    }
}

fn file_of(pupils: &[Pupil]) -> Vec<u8> {
    let mut builder = Builder::new(schema()).unwrap();
    for (line, pupil) in pupils.iter().enumerate() {
        let row = Row {
            line: line as u64 + 2,
            number: &pupil.number.to_string(),
            code: "",
            name: &pupil.name,
            fields: &[&pupil.school],
            marks: &[&pupil.marks[0], &pupil.marks[1]],
        };
        builder.push(&row).unwrap();
    }
    builder.finish().unwrap()
}

fn pupils() -> impl Strategy<Value = Vec<Pupil>> {
    let word =
        prop::sample::select(vec!["علي", "محمد", "حسين", "زينب", "عبد الله", "الجبوري", "كاظم", "أحمد"]);
    let name = prop::collection::vec(word, 1..5).prop_map(|words| words.join(" "));
    let mark = prop::sample::select(vec!["", "غائب", "0", "50", "100", "87.5", "33.25"]);
    let one = (1u64..5_000, name, 0..6, mark.clone(), mark).prop_map(|(number, name, school, a, b)| Pupil {
        number,
        name,
        school: format!("مدرسة {school}"),
        marks: [a.to_owned(), b.to_owned()],
    });
    prop::collection::vec(one, 0..200).prop_map(|list| {
        let unique: BTreeMap<u64, Pupil> = list.into_iter().map(|p| (p.number, p)).collect();
        // Against the order of numbers, so that the builder has to sort.
        unique.into_values().rev().collect()
    })
}

fn shown(mark: Mark<'_>) -> String {
    match mark {
        Mark::Blank => String::new(),
        Mark::Word(word) => word.to_owned(),
        Mark::Points(points) => show_points(points),
    }
}

/// The rule of `search`, said in the slowest way.
fn who_fits(pupils: &[Pupil], question: &str) -> Vec<u64> {
    let keys = |text: &str| tokens(text).into_iter().map(|t| t.key).collect::<Vec<_>>();
    let question = keys(question);
    let begins = |name: &[String]| name.starts_with(&question);
    let scattered = |name: &[String]| {
        let mut rest = name.iter();
        name.first() == question.first() && question.iter().all(|q| rest.any(|n| n == q))
    };
    let all = |fits: &dyn Fn(&[String]) -> bool| {
        pupils.iter().filter(|p| fits(&keys(&p.name))).map(|p| p.number).collect::<Vec<_>>()
    };
    let beginning = all(&begins);
    if question.len() >= 3 && !beginning.is_empty() { beginning } else { all(&scattered) }
}

proptest! {
    #[test]
    fn every_pupil_is_found_by_his_number_with_his_own_data_and_nobody_else_is(pupils in pupils()) {
        let set = Dataset::load(file_of(&pupils)).unwrap();
        prop_assert_eq!(set.len(), pupils.len());
        let by_number: BTreeMap<u64, &Pupil> = pupils.iter().map(|p| (p.number, p)).collect();
        for number in 0..5_001u64 {
            let found = set.by_number(ExamNumber::parse(&number.to_string()).unwrap());
            prop_assert_eq!(found.is_some(), by_number.contains_key(&number));
            if let (Some(found), Some(pupil)) = (found, by_number.get(&number)) {
                prop_assert_eq!(found.number().unwrap().value(), number);
                prop_assert_eq!(found.name(), pupil.name.as_str());
                prop_assert_eq!(found.field(0), pupil.school.as_str());
                prop_assert_eq!(shown(found.mark(0)), pupil.marks[0].as_str());
                prop_assert_eq!(shown(found.mark(1)), pupil.marks[1].as_str());
            }
        }
    }

    #[test]
    fn a_search_by_name_gives_what_the_slowest_search_gives(
        pupils in pupils(),
        words in prop::collection::vec(0usize..8, 1..4),
    ) {
        let all = ["علی", "مُحمد", "حسين", "زينب", "عبدالله", "جبوري", "كاظم", "احمد"];
        let question = words.iter().map(|w| all[*w]).collect::<Vec<_>>().join(" ");
        let set = Dataset::load(file_of(&pupils)).unwrap();
        let matches = set.by_name(&tokens(&question));
        let mut found: Vec<u64> = matches.students.iter().map(|s| s.number().unwrap().value()).collect();
        let mut wanted = who_fits(&pupils, &question);
        found.sort_unstable();
        wanted.sort_unstable();
        if matches.more {
            prop_assert_eq!(found.len(), MATCHES_MAX);
            prop_assert!(wanted.len() > MATCHES_MAX);
            prop_assert!(found.iter().all(|n| wanted.contains(n)));
        } else {
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_damaged_file_is_refused(pupils in pupils(), at: prop::sample::Index, bit in 0u8..8) {
        let mut file = file_of(&pupils);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        prop_assert!(Dataset::load(file).is_err());
    }

    #[test]
    fn a_file_cut_short_is_refused(pupils in pupils(), at: prop::sample::Index) {
        let mut file = file_of(&pupils);
        file.truncate(at.index(file.len()));
        prop_assert!(Dataset::load(file).is_err());
    }

    #[test]
    fn a_forged_file_with_a_good_checksum_never_panics(
        pupils in pupils(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = file_of(&pupils);
        for (at, byte) in hits {
            let at = load::HEAD + at.index(file.len() - load::HEAD);
            file[at] = byte;
        }
        reseal(&mut file);
        if let Ok(set) = Dataset::load(file) {
            exercise(&set);
        }
    }
}

/// Makes head and checksum fit whatever the body is.
fn reseal(file: &mut [u8]) {
    let checksum = crc32c::crc32c(&file[load::HEAD..]);
    file[12..16].copy_from_slice(&checksum.to_le_bytes());
}

fn exercise(set: &Dataset) {
    for student in set.students() {
        let _ = (student.number(), student.name(), student.code_hash(), student.field(0), student.mark(1));
    }
    for number in ["1", "77", "999999999999999999"] {
        let _ = set.by_number(ExamNumber::parse(number).unwrap());
    }
    for name in ["علي", "علي محمد", "محمدعلي حسين", "عبد الله الجبوري"] {
        assert!(set.by_name(&tokens(name)).students.len() <= MATCHES_MAX);
    }
}

fn pupil(number: u64, name: &str) -> Pupil {
    Pupil { number, name: name.into(), school: "أ".into(), marks: ["1".into(), "2".into()] }
}

fn found(set: &Dataset, name: &str) -> Vec<u64> {
    set.by_name(&tokens(name)).students.iter().map(|s| s.number().unwrap().value()).collect()
}

#[test]
fn names_that_begin_like_the_question_come_before_those_that_hold_it_scattered() {
    let list = [
        pupil(1, "علي كاظم حسين الجبوري"),
        pupil(2, "علي الجبوري"),
        pupil(3, "علي حسين"),
        pupil(4, "كاظم علي الجبوري"),
    ];
    let set = Dataset::load(file_of(&list)).unwrap();
    assert_eq!(found(&set, "علي الجبوري"), [2, 1]);
    assert_eq!(found(&set, "على جبوري"), [2, 1]);
    assert_eq!(found(&set, "علي"), [2, 3, 1]);
    assert_eq!(found(&set, "علي زينب"), [0u64; 0]);
}

#[test]
fn a_word_that_nobody_has_is_tried_as_two_names_written_as_one() {
    let set = Dataset::load(file_of(&[pupil(1, "محمد علي فاطمة الزهراء")])).unwrap();
    assert_eq!(found(&set, "محمدعلي فاطمةالزهراء"), [1]);
    assert_eq!(found(&set, "محمدحسن"), [0u64; 0]);
}

#[test]
fn a_question_that_fits_very_many_is_bounded_and_says_so() {
    let list: Vec<_> =
        (1..=9_000).map(|n| pupil(n, if n == 1 { "علي زينب كاظم" } else { "علي حسين كاظم" })).collect();
    let set = Dataset::load(file_of(&list)).unwrap();
    let matches = set.by_name(&tokens("علي كاظم"));
    assert!(matches.more && matches.students.len() == MATCHES_MAX);
    // Among 9,000 called Ali the one with the rare word is found at once.
    let matches = set.by_name(&tokens("علي زينب"));
    assert!(!matches.more && matches.students.len() == 1);
}

#[test]
fn duplicates_are_named_with_both_lines_whatever_their_zeros() {
    let mut builder = Builder::new(Schema::default()).unwrap();
    for (line, number) in [(2, "0012"), (3, "13"), (4, "12"), (5, "13")] {
        let row = Row { line, number, code: "", name: "علي", fields: &[], marks: &[] };
        builder.push(&row).unwrap();
    }
    let duplicates = builder.finish().unwrap_err();
    let said: Vec<_> = duplicates.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "the exam number 12 stands on line 2 and again on line 4",
            "the exam number 13 stands on line 3 and again on line 5"
        ]
    );
}

#[test]
fn rows_that_cannot_be_shown_are_refused_with_the_reason() {
    let mut schema = schema();
    schema.marks[0].max = Some(10_000);
    schema.identifiers = Identifiers::NumberAndCode;
    let mut builder = Builder::new(schema).unwrap();
    let long = "س".repeat(121);
    let good =
        Row { line: 1, number: "1", code: "9", name: "علي", fields: &["أ"], marks: &["١٠٠", "87,5"] };
    let cases = [
        (Row { number: " ", ..good.clone() }, RowError::NoNumber),
        (Row { number: "12x", ..good.clone() }, RowError::BadNumber("12x".into())),
        (Row { name: " . ", ..good.clone() }, RowError::NoName),
        (Row { name: &long, ..good.clone() }, RowError::LongName),
        (Row { code: "\u{200f}", ..good.clone() }, RowError::NoCode),
        (Row { fields: &[&long], ..good.clone() }, RowError::LongValue("المدرسة".into())),
        (Row { marks: &["8S"], ..good.clone() }, RowError::BadMark("العربية".into(), "8S".into())),
        (
            Row { marks: &["100.01"], ..good.clone() },
            RowError::MarkOverMax("العربية".into(), "100.01".into(), "100".into()),
        ),
    ];
    for (row, error) in cases {
        assert_eq!(builder.push(&row), Err(error));
    }
    assert_eq!(builder.push(&good), Ok(()));
    let set = Dataset::load(builder.finish().unwrap()).unwrap();
    let student = set.students().next().unwrap();
    assert_eq!([shown(student.mark(0)), shown(student.mark(1))], ["100", "87.5"]);
    assert!(student.code_hash().is_some());
}

#[test]
fn a_schema_survives_and_one_that_cannot_be_served_is_refused() {
    let mut schema = schema();
    schema.title = Label::new("النتائج", "Results");
    schema.names = NameSearch::Full;
    schema.marks[1] =
        MarkColumn { role: MarkRole::Average, max: Some(0), pass: Some(5_000), ..schema.marks[1].clone() };
    schema.words = vec![("ناجح".into(), "Passed".into())];
    let mut bytes = Vec::new();
    schema.encode(&mut bytes);
    assert_eq!(Schema::from_bytes(&bytes), Ok(schema.clone()));
    schema.identifiers = Identifiers::NumberAndCode;
    assert_eq!(schema.check(), Err(SchemaError::FullNamesWithCode));
    schema.names = NameSearch::Off;
    schema.marks = vec![schema.marks[0].clone(); 64];
    schema.fields = vec![schema.fields[0].clone(); 16];
    assert!(matches!(schema.check(), Err(SchemaError::LongCard(_))));
}

#[test]
fn the_errors_say_what_to_do() {
    assert_eq!(Dataset::load(b"number,name".to_vec()).unwrap_err(), LoadError::NotADataset);
    let mut file = file_of(&[]);
    assert!(Dataset::load(file.clone()).unwrap().is_empty());
    file[8] = 9;
    let error = Dataset::load(file).unwrap_err();
    assert_eq!(
        error.to_string(),
        "data set format 9, this program reads 2: import the list again with this program"
    );
}

#[test]
fn the_format_is_the_same_for_ever() {
    let file = file_of(&[pupil(12, "علي كاظم"), pupil(7, "زينب")]);
    let hex: String = file.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, include_str!("../../../testdata/dataset_v2.hex").trim());
}
