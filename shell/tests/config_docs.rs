//! The documents say what the code says.

use nobat::config::{Inputs, Kind, doc, load};
use nobat::observe::names::{Labels, METRICS, Type};
use std::path::{Path, PathBuf};

fn repo(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join(path)
}

/// Compares what stands between the marks with `wanted`, or writes it there with `NOBAT_BLESS=1`.
fn compare(path: &str, wanted: &str) {
    let path = repo(path);
    let text = std::fs::read_to_string(&path).expect("the document");
    let (before, rest) = text.split_once("<!-- begin: generated -->\n").expect("the first mark");
    let (found, after) = rest.split_once("<!-- end: generated -->").expect("the last mark");
    if std::env::var_os("NOBAT_BLESS").is_some() {
        let text = format!("{before}<!-- begin: generated -->\n{wanted}<!-- end: generated -->{after}");
        std::fs::write(&path, text).expect("written");
    } else {
        assert_eq!(found, wanted, "run: NOBAT_BLESS=1 cargo test -p nobat --test config_docs");
    }
}

#[test]
fn the_document_lists_the_keys_of_the_code() {
    compare("docs/configuration.md", &doc::markdown());
}

#[test]
fn the_tables_of_records_are_those_of_the_code() {
    compare("docs/records.md", &nobat::records::doc::markdown());
}

#[test]
fn the_handbook_lists_the_metrics_of_the_code() {
    let mut table = "| metric | type | labels | |\n|---|---|---|---|\n".to_owned();
    for def in METRICS {
        let kind = match def.kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        let labels = match def.labels {
            Labels::None => String::new(),
            Labels::Fixed(label, _) => format!("`{label}`"),
            Labels::Lane => "`lane`".to_owned(),
        };
        table += &format!("| `{}` | {kind} | {labels} | {} |\n", def.name, def.help);
    }
    compare("docs/operators.md", &table);
}

#[test]
fn the_example_is_a_good_configuration() {
    let inputs =
        Inputs { config: Some(repo("nobat.example.toml")), dir: "/nowhere".into(), ..Inputs::default() };
    let config = load(&inputs).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.kind, config.lanes.len()), (Kind::Results, 1));
}

#[test]
fn every_name_that_operators_already_use_is_known() {
    let names = "NOBAT_LISTEN NOBAT_DATA_DIR NOBAT_KIND TELEGRAM_API_ROOT WEBHOOK_SECRET_TOKEN PORT BOT_MODE BOT_TOKEN_MAIN \
        BOT_TOKEN_1 BOT_TOKEN_16 BOT_TOKENS BOT_TOKEN ADMIN_BOT_TOKEN ADMIN_TELEGRAM_IDS ADMIN_USER_IDS POSTGRES_URI \
        SQLITE_DB_PATH SUPABASE_URL SUPABASE_KEY USERS_DIR WEBHOOK_URL RAILWAY_PUBLIC_DOMAIN FORCE_POLLING ADMIN_PORT \
        LOG_LEVEL MAX_REQUESTS_PER_MINUTE REQUIRED_CHANNEL_1 REQUIRED_CHANNEL_2 ADMIN_CONTROL_CHAT_ID \
        ADMIN_MEDIA_CHANNEL_ID ENABLE_STARS_PAYMENTS ENABLE_VIP ENABLE_LOCK_CHAT ENABLE_REFERRALS ENABLE_ADMIN_ALERTS \
        ENABLE_CROSS_BOT_MATCHING PAYMENT_CARD_NUMBER PAYMENT_PAYEE_NAME NODE_ENV ENVIRONMENT REDIS_URL \
        CACHE_TTL_SECONDS CLEANUP_INTERVAL_SECONDS";
    let document = doc::markdown();
    for name in names.split_whitespace() {
        let numbered = name.starts_with("BOT_TOKEN_") && name.ends_with(|c: char| c.is_ascii_digit());
        assert!(numbered || document.contains(&format!("`{name}`")), "{name}");
    }
}

/// The sources of the shell but the tests and the two files that only show.
fn counting_sources(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let shows = path.ends_with("admin/bodies.rs") || path.ends_with("observe/registry.rs");
        if path.is_dir() {
            counting_sources(&path, out);
        } else if !shows && !path.ends_with("tests.rs") {
            out.push_str(&std::fs::read_to_string(&path).expect("a source file is UTF-8"));
        }
    }
}

#[test]
fn every_metric_is_counted_somewhere() {
    let table = std::fs::read_to_string(repo("shell/src/observe/names.rs")).expect("the table");
    let mut sources = String::new();
    counting_sources(&repo("shell/src"), &mut sources);
    let rows = table.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(": ")?;
        let kind = rest.split(' ').next()?;
        ["Counter", "Gauge", "Histogram"].contains(&kind).then_some(name)
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), METRICS.len(), "the table is read as it is written");
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let counted = |name: &str| sources.split(&format!("names::{name}")).skip(1).any(ends);
    let never: Vec<_> = rows.into_iter().filter(|name| !counted(name)).collect();
    assert!(never.is_empty(), "a metric that always shows 0 is a lie: {never:?}");
}
