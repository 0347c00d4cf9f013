//! Any message: understood or not, never a panic; equal questions have equal hashes; keys are stable.
#![no_main]

use nobat_bots::results::dataset::Identifiers;
use nobat_bots::results::question::{Question, Rules};
use nobat_bots::text::{fold_word, tokens};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for identifiers in [None, Some(Identifiers::Number), Some(Identifiers::NumberAndCode)] {
        for names in [false, true] {
            let question = Question::of(&text, Rules { identifiers, names });
            assert_ne!(question.hash(), 0);
            if let Question::Number(number, None) = question {
                let again = Question::of(&number.to_string(), Rules { identifiers, names });
                assert!(again.hash() == question.hash() || identifiers == Some(Identifiers::NumberAndCode));
            }
        }
    }
    for token in tokens(&text) {
        assert_eq!(fold_word(&token.key), token.key);
    }
});
