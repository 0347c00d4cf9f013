//! The pupils that are looked up: the same in every run, with names as unevenly spread as real ones.

use nobat_bots::results::dataset::{
    Builder, Dataset, Field, FieldRole, Label, MarkColumn, NameSearch, Row, Schema,
};

pub(super) const PUPILS: u64 = 700_000;
pub(super) const FIRST: u64 = 1_000_000;
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
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
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

/// As a data set that can be served.
pub(super) fn data_set() -> Dataset {
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
