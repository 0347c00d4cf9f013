//! Any bytes as a data set, with their checksum made right: refused or served, never a panic.
#![no_main]

use nobat_bots::results::dataset::{Dataset, ExamNumber};
use nobat_bots::text::tokens;

const HEAD: usize = 24;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut file = data.to_vec();
    if file.len() >= HEAD {
        let length = (file.len() - HEAD) as u64;
        file[16..24].copy_from_slice(&length.to_le_bytes());
        let checksum = crc32c::crc32c(&file[HEAD..]);
        file[12..16].copy_from_slice(&checksum.to_le_bytes());
    }
    let Ok(set) = Dataset::load(file) else { return };
    for student in set.students().take(64) {
        let number = student.number().expect("checked at load");
        assert!(set.by_number(number).is_some_and(|s| s.number() == Some(number)));
        let name = student.name();
        let _ = (student.code_hash(), student.field(0), student.mark(0), set.by_name(&tokens(&name)));
    }
    let _ = ExamNumber::parse("1").map(|n| set.by_number(n).is_some());
});
