//! Any bytes as a sealed record, any text as a file of them and as a backup's manifest: no panic, nothing opens that was
//! not sealed, and what was sealed opens whatever stands around it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nobat::backup::manifest::Manifest;
use nobat::vault::decode;
use nobat::vault::seal::{Key, Sealed, open, seal};

fuzz_target!(|input: (Vec<u8>, String, [u8; 24], Option<(u16, u8)>)| {
    let (bytes, text, nonce, flip) = input;
    let key = Key::new([7; 32].into());
    let _ = Sealed::decode(&bytes);
    assert!(open(std::slice::from_ref(&key), &text, &bytes).is_err(), "a record that nobody sealed");
    let mut sealed = seal(&key, &text, &bytes, nonce);
    match flip {
        None => assert_eq!(*open(&[key], &text, &sealed).expect("what was sealed opens"), bytes),
        Some((at, bit)) => {
            let at = usize::from(at) % sealed.len();
            sealed[at] ^= 1 << (bit % 8);
            assert!(open(&[key], &text, &sealed).is_err(), "a changed record");
        }
    }
    for text in [text.clone(), format!("nobat secrets 1\n{text}"), format!("nobat backup 1\n{text}")] {
        if let Ok(records) = decode(&text) {
            assert!(records.keys().all(|name| !name.contains(char::is_whitespace)));
        }
        if let Ok(manifest) = Manifest::read(&text) {
            assert_eq!(Manifest::read(&manifest.to_text()), Ok(manifest));
        }
    }
});
