//! Keys of real spellings, and what holds for any text.

use super::*;
use proptest::prelude::*;

fn keys(name: &str) -> Vec<String> {
    tokens(name).into_iter().map(|t| t.key).collect()
}

fn key(name: &str) -> String {
    keys(name).join(" ")
}

/// Spellings from public name lists; the file says from where.
const VARIANTS: &str = include_str!("../../testdata/name_variants.csv");

#[test]
fn every_listed_variant_has_the_key_of_its_name() {
    let mut rows = 0;
    for line in VARIANTS.lines().filter(|l| !l.starts_with('#')).skip(1) {
        let mut fields = line.split(',');
        let (Some(variant), Some(name), Some(rule)) = (fields.next(), fields.next(), fields.next()) else {
            panic!("three columns wanted: {line}");
        };
        if rule.starts_with("compound") || rule.starts_with("ZWNJ") {
            // Which two words make one name only the data knows: a look-up splits what it does not know.
            assert_eq!(fold_word(variant), fold_word(name), "{variant} for {name}: {rule}");
        } else {
            assert_eq!(key(variant), key(name), "{variant} for {name}: {rule}");
        }
        rows += 1;
    }
    assert!(rows > 150, "the table holds only {rows} rows");
}

#[test]
fn compounds_have_one_key_joined_or_spaced() {
    for (a, b) in [
        ("عبد الله", "عبدالله"),
        ("عبد الله", "عبدﷲ"),
        ("عبد  اللّٰه", "عبد الله"),
        ("صلاح الدين", "صلاحالدين"),
        ("أبو الحسن", "ابوالحسن"),
        ("أبو عبد الله", "أبو عبدالله"),
        ("آل ياسين", "الياسين"),
        ("نور الهدى", "نورالهدي"),
    ] {
        assert_eq!(key(a), key(b), "{a} / {b}");
        assert_eq!(keys(a).len(), 1, "{a}");
    }
}

#[test]
fn marks_of_other_scripts_do_not_part_a_key_from_itself() {
    // Two Hebrew points that change places when the words between them are joined.
    let joined = keys("ال\u{5b1} \u{5bb}ب");
    assert_eq!(joined, ["الب"]);
    assert_eq!(key("José"), key("JOSE\u{301}"));
}

#[test]
fn different_names_keep_different_keys() {
    for (a, b) in [("علي", "عليه"), ("حسن", "حسين"), ("محمد", "محمود"), ("كريم", "كرم"), ("زيد", "زياد")]
    {
        assert_ne!(key(a), key(b), "{a} / {b}");
    }
}

#[test]
fn a_full_name_is_cut_into_its_words() {
    let name = "زَيْنَب  عبد الأمير كاظم الجبـوري";
    let got = tokens(name);
    let written: Vec<_> = got.iter().map(|t| t.written).collect();
    assert_eq!(written, ["زَيْنَب", "عبد الأمير", "كاظم", "الجبـوري"]);
    assert_eq!(keys(name), ["زينب", "عبدالامير", "كاظم", "جبوري"]);
}

#[test]
fn a_word_without_letters_stays_with_its_neighbour() {
    let got = tokens("(أحمد) . علي");
    assert_eq!(got.iter().map(|t| t.written).collect::<Vec<_>>(), ["(أحمد) .", "علي"]);
    let got = tokens("* أحمد");
    assert_eq!(got.iter().map(|t| (t.written, t.key.as_str())).collect::<Vec<_>>(), [("* أحمد", "احمد")]);
    assert_eq!(tokens(" - ؛ ").len(), 0);
}

proptest! {
    #[test]
    fn joined_keys_are_the_key_of_the_joined_word(a in "\\PC{0,8}", b in "\\PC{0,8}") {
        let joined = fold_word(&a) + &fold_word(&b);
        prop_assert_eq!(fold_word(&joined), joined);
    }

    #[test]
    fn keys_are_stable_and_clean(name in "[\u{600}-\u{6ff}\u{200b}-\u{200f}\u{fb50}-\u{fdff} a-zA-Z\\-]{0,40}") {
        for token in tokens(&name) {
            prop_assert!(!token.key.is_empty() && !token.written.is_empty());
            prop_assert!(token.key.chars().all(char::is_alphanumeric));
            prop_assert!(name.contains(token.written));
            prop_assert_eq!(fold_word(&token.key), token.key);
        }
    }

    #[test]
    fn marks_tatweel_and_controls_never_change_a_key(
        name in "[ابتثجحخدذرزسشصضطظعغفقكلمنهوي]{1,8}( [ابتثجحخدذرزسشصضطظعغفقكلمنهوي]{1,8}){0,3}",
        marks in proptest::collection::vec((0usize..40, "[\u{640}\u{64c}-\u{652}\u{670}\u{200c}-\u{200f}\u{2068}\u{2069}]"), 0..6),
    ) {
        let mut marked: Vec<char> = name.chars().collect();
        for (at, mark) in marks {
            let at = at % marked.len() + 1;
            marked.splice(at..at, mark.chars());
        }
        let marked: String = marked.into_iter().collect();
        prop_assert_eq!(key(&marked), key(&name));
    }

    #[test]
    fn the_short_cut_around_unicodes_tables_changes_no_key(
        word in "[\u{621}-\u{63a}\u{640}-\u{64a}\u{660}-\u{669}a-zA-Z0-9'.]{0,12}",
    ) {
        prop_assert!(word.chars().all(is_settled));
        prop_assert_eq!(fold(word.chars(), 0), fold(word.nfkc(), 0));
    }

    #[test]
    fn any_text_has_tokens_without_a_panic(text: String) {
        let _ = tokens(&text);
    }
}
