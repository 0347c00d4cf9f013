//! Look-ups over 700,000 pupils: by number beside a hash table of the same numbers, by name as pupils ask,
//! and what rendering a card costs. Prints the size of the data set first.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use nobat_bots::results::dataset::{
    Builder, Dataset, ExamNumber, Field, FieldRole, Label, MarkColumn, NameSearch, Row, Schema,
};
use nobat_bots::results::question::{Question, Rules};
use nobat_bots::text::tokens;
use std::collections::HashMap;
use std::hint::black_box;

const PUPILS: u64 = 700_000;
const FIRST: u64 = 1_000_000;
const SUBJECTS: [&str; 9] =
    ["العربية", "الإنكليزية", "الرياضيات", "الفيزياء", "الكيمياء", "الأحياء", "الإسلامية", "المجموع", "المعدل"];
const GIVEN: [&str; 40] = [
    "محمد",
    "علي",
    "حسين",
    "أحمد",
    "حسن",
    "زينب",
    "فاطمة",
    "عباس",
    "مصطفى",
    "كاظم",
    "مريم",
    "جعفر",
    "سجاد",
    "كرار",
    "نور",
    "زهراء",
    "عبد الله",
    "يوسف",
    "إبراهيم",
    "عمر",
    "رقية",
    "هدى",
    "سارة",
    "آية",
    "حيدر",
    "مهدي",
    "صادق",
    "باقر",
    "عبد الرحمن",
    "عبد الأمير",
    "قاسم",
    "جاسم",
    "خالد",
    "سعد",
    "ليث",
    "أمير",
    "رضا",
    "ضياء",
    "صلاح الدين",
    "نبأ",
];
const SYLLABLES: [&str; 20] = [
    "جبو", "عبي", "ساعد", "شمر", "تمي", "خفا", "دلي", "زبي", "عزا", "بيا", "حسنا", "موس", "كعب", "طائ",
    "راو", "نعي", "فتل", "غرا", "ياس", "هاش",
];

/// A generator of its own, so that every run looks up the same pupils.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// Common ones come far more often: the product of two rolls.
    fn skewed(&mut self, sides: u64) -> usize {
        (self.roll(sides) * self.roll(sides) / sides) as usize
    }

    fn name(&mut self) -> String {
        let [a, b, c] = [0; 3].map(|_| GIVEN[self.skewed(GIVEN.len() as u64)]);
        let family = [SYLLABLES[self.skewed(20)], SYLLABLES[self.skewed(20)]];
        format!("{a} {b} {c} ال{}{}ي", family[0], family[1])
    }
}

fn data_set() -> Dataset {
    let field = |ar: &str, role| Field { label: Label::new(ar, ""), role };
    let schema = Schema {
        names: NameSearch::Full,
        fields: vec![
            field("المدرسة", FieldRole::School),
            field("المحافظة", FieldRole::Governorate),
            field("الفرع", FieldRole::Other),
            field("النتيجة", FieldRole::Status),
        ],
        marks: SUBJECTS.map(|s| MarkColumn { label: Label::new(s, ""), ..MarkColumn::default() }).to_vec(),
        ..Schema::default()
    };
    let mut builder = Builder::new(schema).expect("a schema that can be served");
    let mut dice = Dice(7);
    for n in 0..PUPILS {
        let school = format!("ثانوية {} {}", GIVEN[dice.roll(40) as usize], dice.roll(130));
        let governorate = format!("محافظة {}", dice.skewed(19));
        let status = ["ناجح", "مكمل", "راسب"][dice.skewed(3)];
        let mut marks: Vec<String> = (0..7).map(|_| dice.roll(101).to_string()).collect();
        marks.push((300 + dice.roll(400)).to_string());
        marks.push(format!("{}.{:02}", 40 + dice.roll(60), dice.roll(100)));
        let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
        let row = Row {
            line: n,
            number: &(FIRST + n * 13).to_string(),
            code: "",
            name: &dice.name(),
            fields: &[&school, &governorate, "علمي", status],
            marks: &marks,
        };
        builder.push(&row).expect("a row that can be shown");
    }
    Dataset::load(builder.finish().expect("no duplicates")).expect("a data set that was just made")
}

fn by_number(c: &mut Criterion, set: &Dataset) {
    let table: HashMap<u64, u32> =
        set.students().enumerate().map(|(i, s)| (s.number().expect("valid").value(), i as u32)).collect();
    let mut group = c.benchmark_group("results_by_number_700k");
    let ask = |dice: &mut Dice| FIRST + dice.roll(PUPILS) * 13;
    let number = |v: u64| ExamNumber::parse(&v.to_string()).expect("digits");
    let asked: Vec<ExamNumber> = {
        let mut dice = Dice(11);
        (0..65_536).map(|_| number(ask(&mut dice))).collect()
    };
    let mut i = 0;
    let mut next = || {
        i = (i + 1) % asked.len();
        asked[i]
    };
    group.bench_function("data set", |b| b.iter(|| black_box(set.by_number(next())).is_some()));
    group.bench_function("a miss", |b| {
        let miss = number(FIRST + 1);
        b.iter(|| black_box(set.by_number(black_box(miss))).is_none());
    });
    group.bench_function("peer: std HashMap", |b| b.iter(|| black_box(table.get(&next().value())).is_some()));
    group.finish();
}

fn by_name(c: &mut Criterion, set: &Dataset) {
    let mut group = c.benchmark_group("results_by_name_700k");
    let pupils: Vec<String> = set.students().step_by(701).map(|s| s.name()).collect();
    let words = |name: &str, which: &[usize]| {
        let parts: Vec<_> = tokens(name).into_iter().map(|t| t.written.to_owned()).collect();
        which.iter().filter_map(|i| parts.get(*i).cloned()).collect::<Vec<_>>().join(" ")
    };
    for (label, which) in [
        ("three names", &[0, 1, 2][..]),
        ("full name", &[0, 1, 2, 3]),
        ("given and family", &[0, 3]),
        ("two names", &[0, 1]),
    ] {
        let asked: Vec<String> = pupils.iter().map(|name| words(name, which)).collect();
        let mut i = 0;
        group.bench_function(label, |b| {
            b.iter(|| {
                i = (i + 1) % asked.len();
                black_box(set.by_name(&tokens(&asked[i])).students.len())
            });
        });
    }
    group.finish();
}

fn questions(c: &mut Criterion, set: &Dataset) {
    let rules = Rules::of(Some(set.schema()));
    c.bench_function("results_question_of_a_number", |b| {
        b.iter(|| Question::of(black_box("رقمي ١٢٣٤٥٦٧"), rules).hash());
    });
    c.bench_function("results_load_700k", |b| {
        b.iter_batched(
            || set.file().to_vec(),
            |file| Dataset::load(file).expect("valid"),
            BatchSize::PerIteration,
        );
    });
}

fn all(c: &mut Criterion) {
    let set = data_set();
    println!("{} pupils in {:.1} MB, both indexes included", set.len(), set.bytes() as f64 / 1e6);
    by_number(c, &set);
    by_name(c, &set);
    questions(c, &set);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = all
}
criterion_main!(benches);
