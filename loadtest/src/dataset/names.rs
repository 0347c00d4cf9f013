//! The name lists that pupils are made of.
//!
//! What lives here: the committed lists, read once. Where they come from: `testdata/NOTICE`.

use std::sync::OnceLock;

const NAMES: &str = include_str!("../../testdata/names_ar.csv");
const GOVERNORATES: &str = include_str!("../../testdata/governorates.csv");

/// Names by their place in a full name. A common name stands several times, so that a uniform draw
/// gives namesakes as often as a real year does.
pub(super) struct Names {
    pub(super) boys: Vec<&'static str>,
    pub(super) girls: Vec<&'static str>,
    pub(super) families: Vec<&'static str>,
    /// Governorate and its capital, in the order of the file.
    pub(super) governorates: Vec<(&'static str, &'static str)>,
}

/// The lists of this build.
pub(super) fn lists() -> &'static Names {
    static LISTS: OnceLock<Names> = OnceLock::new();
    LISTS.get_or_init(|| {
        let mut names =
            Names { boys: Vec::new(), girls: Vec::new(), families: Vec::new(), governorates: Vec::new() };
        for line in NAMES.lines().skip(1) {
            let mut fields = line.splitn(3, ',');
            let (Some(kind), Some(frequency), Some(name)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let list = match kind {
                "given_male" => &mut names.boys,
                "given_female" => &mut names.girls,
                _ => &mut names.families,
            };
            let weight = match frequency {
                "top" => 60,
                "common" => 12,
                _ => 1,
            };
            list.extend(std::iter::repeat_n(name, weight));
        }
        names.governorates = GOVERNORATES.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
        names
    })
}
