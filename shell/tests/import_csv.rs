//! Lists in text files: what is understood by itself, what is refused and how it is told.

use nobat::import::{DatasetConfig, ImportError, ImportSource, Quiet, Report, run};
use nobat_bots::results::dataset::{Dataset, ExamNumber, FieldRole, Identifiers, Mark, MarkRole};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("data").join("results.nobat")
    }

    fn import(&self, list: impl AsRef<[u8]>, config: &str) -> Result<Report, ImportError> {
        let path = self.folder.path().join("list.csv");
        fs::write(&path, list).expect("a writable folder");
        let config = DatasetConfig::from_toml(config).expect("a readable configuration");
        run(ImportSource::Csv(path), &config, &self.out(), &mut Quiet)
    }

    fn refusal(&self, list: impl AsRef<[u8]>, config: &str) -> String {
        let said = self.import(list, config).expect_err("the list must be refused").to_string();
        assert!(!self.out().exists(), "something was imported");
        assert!(!said.contains(char::from(0)));
        said
    }

    fn set(&self) -> Dataset {
        Dataset::load(fs::read(self.out()).expect("it was written")).expect("it loads")
    }
}

const HEAD: &str = "number,name,school,governorate,branch,arabic,english,mathematics,physics,chemistry,biology,islamic,total,average,status\n";

#[test]
fn a_list_with_common_columns_needs_no_configuration() {
    let desk = Desk::new();
    let list = format!(
        "{HEAD}0012345,زينب عبد الأمير كاظم,ثانوية الرافدين,بغداد,علمي,85,90,42,77.5,80,91,100,565.5,80.79,ناجح\n\
         12346,علي حسين,\"إعدادية \"\"النور\"\", للبنين\",البصرة,أدبي,50,غائب,,,,,61,111,55.5,مكمل\n"
    );
    let report = desk.import(list, "").expect("a good list");
    assert_eq!((report.pupils, report.version), (2, desk.set().version()));
    let set = desk.set();
    let schema = set.schema();
    assert_eq!(schema.identifiers, Identifiers::Number);
    assert_eq!(schema.field(FieldRole::School), Some(0));
    assert_eq!(schema.field(FieldRole::Status), Some(3));
    assert_eq!(schema.marks.len(), 9);
    assert_eq!(schema.marks[8].role, MarkRole::Average);
    assert_eq!(
        (schema.marks[2].label.ar.as_str(), schema.marks[2].label.en.as_str()),
        ("الرياضيات", "Mathematics")
    );
    let student = set.by_number(ExamNumber::parse("12345").unwrap()).unwrap();
    assert_eq!(student.number().unwrap().to_string(), "0012345");
    assert_eq!((student.name().as_str(), student.field(2)), ("زينب عبد الأمير كاظم", "علمي"));
    assert_eq!((student.mark(2), student.mark(3)), (Mark::Points(4_200), Mark::Points(7_750)));
    let student = set.by_number(ExamNumber::parse("12346").unwrap()).unwrap();
    assert_eq!(student.field(0), "إعدادية \"النور\", للبنين");
    assert_eq!((student.mark(1), student.mark(2)), (Mark::Word("غائب"), Mark::Blank));
}

#[test]
fn delimiters_marks_of_order_and_arabic_headings_are_understood() {
    for (list, name) in [
        ("\u{feff}الرقم الإمتحاني;اسم الطالب;الرياضيّات;لون\r\n١٢;علي;٨٧٫٥;أحمر\r\n", "semicolons"),
        ("number\tname\tmath\tcolour\n12\tعلي\t87.5\tأحمر\n", "tabs"),
        ("name,\"a,b\",number,math\nعلي,أحمر,12,\"87,5\"", "commas in quotes, no last line feed"),
    ] {
        let desk = Desk::new();
        desk.import(list, "").expect(name);
        let set = desk.set();
        let student = set.by_number(ExamNumber::parse("12").unwrap()).expect(name);
        assert_eq!((student.name().as_str(), student.mark(0)), ("علي", Mark::Points(8_750)), "{name}");
        assert_eq!(student.field(0), "أحمر", "{name}");
    }
}

#[test]
fn a_code_column_is_required_unless_the_configuration_says_no() {
    let list = "number,name,code\n12,علي,AB7\n";
    let desk = Desk::new();
    desk.import(list, "").unwrap();
    assert_eq!(desk.set().schema().identifiers, Identifiers::NumberAndCode);
    assert!(desk.set().schema().fields.is_empty(), "the code is not shown");
    desk.import(list, "identifiers = \"number\"").unwrap();
    assert_eq!(desk.set().schema().identifiers, Identifiers::Number);
    let desk = Desk::new();
    assert!(desk.refusal("number,name\n12,علي\n", "identifiers = \"number+code\"").contains("columns.code"));
    assert!(desk.refusal("number,name,code\n12,علي,\n", "").contains("line 2: the secret code is empty"));
}

#[test]
fn a_configuration_names_columns_labels_and_bounds() {
    let config = "title = \"نتائج\"\n[columns]\nnumber = \"id\"\nname = \"who\"\n\
                  [[subjects]]\ncolumn = \"m1\"\nar = \"النحو\"\nen = \"Grammar\"\nmax = 100\npass = 50\n";
    let desk = Desk::new();
    let report = desk.import("who,id,m1,secret stuff\nعلي,7,100,x\n", config).unwrap();
    assert_eq!(report.columns[3], ("secret stuff".to_owned(), "not taken".to_owned()));
    let set = desk.set();
    assert_eq!(set.schema().title.ar, "نتائج");
    assert_eq!(
        (set.schema().marks[0].label.en.as_str(), set.schema().marks[0].pass),
        ("Grammar", Some(5_000))
    );
    let desk = Desk::new();
    assert!(desk.refusal("who,id,m1\nعلي,7,101\n", config).contains("line 2: the column `النحو` holds 101"));
    assert!(
        desk.refusal("who,id\nعلي,7\n", config)
            .contains("a column `m1` and there is none. The list has the columns: who, id")
    );
}

#[test]
fn every_bad_line_is_told_up_to_twenty_and_nothing_is_imported() {
    let desk = Desk::new();
    let mut list = String::from("number,name,math\n");
    for i in 0..30 {
        list += &format!("12x{i},علي,5\n");
    }
    list += "77,علي,5\n78,\"two\nlines\",6\n79,علي\n";
    let said = desk.refusal(list, "");
    assert!(said.starts_with("line 2: the exam number `12x0` is not 1 to 18 digits\nline 3: "), "{said}");
    assert!(said.contains("... and 11 more"), "{said}");
    assert!(said.ends_with("correct these lines and run the import again"), "{said}");
    let said = desk.refusal("number,name,math\n78,\"two\nlines\",6\n79,علي\n80,علي,٧x\n", "");
    assert!(said.contains("line 4: 2 values where the first line has 3"), "{said}");
    assert!(
        said.contains("line 5: the column `الرياضيات` holds `7x`") || said.contains("holds `٧x`"),
        "{said}"
    );
}

#[test]
fn a_number_that_stands_twice_is_told_with_both_lines() {
    let said = Desk::new().refusal("number,name\n012,علي\n13,زينب\n12,كاظم\n", "");
    assert!(said.starts_with("the exam number 12 stands on line 2 and again on line 4"), "{said}");
}

#[test]
fn files_that_are_no_lists_are_told_what_they_are() {
    let desk = Desk::new();
    for (list, part) in [
        (&b""[..], "the file is empty"),
        (b"number,name\n", "no rows"),
        (b"\xff\xfen\0u\0", "UTF-16"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"number,name\n1,\xc7\xe1\n", "line 2: not UTF-8"),
        (b"number\xff,name\n1,a\n", "line 1 is not UTF-8"),
        (b"a,b\n1,2\n", "set `columns.number`"),
        (b"number,name,Number\n1,a,2\n", "two columns are called `Number`"),
    ] {
        let said = desk.refusal(list, "");
        assert!(said.contains(part), "{part}: {said}");
    }
    let missing = ImportSource::Csv(desk.folder.path().join("nowhere.csv"));
    let error = run(missing, &DatasetConfig::default(), &desk.out(), &mut Quiet).unwrap_err();
    assert!(error.to_string().contains("nowhere.csv"));
}

#[test]
fn a_failed_import_leaves_what_was_there() {
    let desk = Desk::new();
    desk.import("number,name\n1,علي\n", "").unwrap();
    let before = fs::read(desk.out()).unwrap();
    desk.import("number,name\n1,علي\n1,زينب\n", "").unwrap_err();
    assert_eq!(fs::read(desk.out()).unwrap(), before);
    desk.import("number,name\n2,زينب\n", "").unwrap();
    assert_ne!(fs::read(desk.out()).unwrap(), before);
    let left: Vec<_> = fs::read_dir(desk.out().parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays: {left:?}");
}
