//! Any texts are a configuration or problems, and neither shows a token. `.env` begins behind a NUL.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (toml, dotenv) = text.split_once('\0').unwrap_or((text, ""));
    let shown = match nobat::config::load_texts(toml, dotenv) {
        Ok(config) => {
            assert!(!config.lanes.is_empty());
            format!("{config:?}")
        }
        Err(problems) => {
            assert!(!problems.0.is_empty());
            problems.to_string()
        }
    };
    assert!(!shown.contains("HIDDENHIDDEN"), "{shown}");
});
