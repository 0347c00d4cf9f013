use super::*;

fn csv_of(truth: &Truth) -> String {
    let mut bytes = Vec::new();
    truth.write_csv(&mut bytes).expect("writing to memory");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn the_same_seed_gives_the_same_file_and_another_seed_another() {
    assert_eq!(csv_of(&Truth::generate(500, 7)), csv_of(&Truth::generate(500, 7)));
    assert_ne!(csv_of(&Truth::generate(500, 7)), csv_of(&Truth::generate(500, 8)));
}

#[test]
fn numbers_are_unique_ascending_and_found_again() {
    let truth = Truth::generate(20_000, 1);
    assert_eq!(truth.pupils().len(), 20_000);
    assert!(truth.pupils().windows(2).all(|pair| pair[0].number < pair[1].number));
    for pupil in truth.pupils() {
        assert_eq!(truth.find(u64::from(pupil.number)), Some(pupil));
    }
    assert_eq!(truth.find(99_999_999), None);
    assert_eq!(truth.find(u64::MAX), None);
}

#[test]
fn the_file_says_what_the_truth_says() {
    let truth = Truth::generate(3_000, 3);
    let text = csv_of(&truth);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().expect("a header").iter().collect::<Vec<_>>().join(","), HEADER);
    let mut rows = 0;
    for (row, pupil) in reader.records().zip(truth.pupils()) {
        let row = row.expect("a well-formed row");
        assert_eq!(row[0], pupil.number.to_string());
        assert_eq!(row[1], pupil.name());
        for (column, mark) in pupil.marks.iter().enumerate() {
            assert_eq!(row[5 + column], mark.to_string());
        }
        assert_eq!(row[12], pupil.total().to_string());
        let mean = f64::from(pupil.total()) / 7.0;
        assert!((row[13].parse::<f64>().expect("a number") - mean).abs() <= 0.005 + 1e-9);
        rows += 1;
    }
    assert_eq!(rows, 3_000);
}

#[test]
fn a_small_and_an_empty_set_are_served_as_well() {
    assert_eq!(Truth::generate(0, 1).pupils().len(), 0);
    assert_eq!(Truth::generate(1, 1).pupils().len(), 1);
}
