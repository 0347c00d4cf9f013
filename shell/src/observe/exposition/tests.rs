use super::super::names;
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

type Sample = (String, BTreeMap<String, String>, f64);

/// A strict reader of the format, written from its specification: name, labels, value.
fn read(text: &str) -> Result<Vec<Sample>, String> {
    let name_ok = |name: &str| {
        name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut samples = Vec::new();
    let mut typed = BTreeMap::new();
    assert!(text.ends_with('\n'), "the last line must end");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or(line)?;
            if typed.insert(name.to_owned(), kind.to_owned()).is_some() {
                return Err(format!("typed twice: {line}"));
            }
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').ok_or(line)?;
        let (name, labels) = match series.split_once('{') {
            None => (series, BTreeMap::new()),
            Some((name, rest)) => {
                let inner = rest.strip_suffix('}').ok_or(line)?;
                let pair = |text: &str| {
                    let (key, value) = text.split_once('=')?;
                    let value = value.strip_prefix('"')?.strip_suffix('"')?;
                    let plain = value.chars().all(|c| c.is_ascii_graphic() && !"\"\\,".contains(c));
                    (name_ok(key) && plain).then(|| (key.to_owned(), value.to_owned()))
                };
                (name, inner.split(',').map(pair).collect::<Option<_>>().ok_or(line)?)
            }
        };
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
            let family = name.strip_suffix(suffix)?;
            (typed.get(family).map(String::as_str) == Some("histogram")).then_some(family)
        });
        if !name_ok(name) || !typed.contains_key(family.unwrap_or(name)) {
            return Err(format!("not typed before: {line}"));
        }
        samples.push((name.to_owned(), labels, value.parse().map_err(|_| line)?));
    }
    Ok(samples)
}

#[test]
fn the_text_follows_the_format_and_says_what_was_counted() {
    let registry = Registry::new(2);
    registry.inc_at(names::SENDS, 1);
    registry.add(names::REPEATS, 7);
    for ms in [1, 2, 4, 90_000_000] {
        registry.observe(names::UPDATE_TO_200, Duration::from_millis(ms));
    }
    let samples = read(&render(&registry)).expect("valid exposition");
    let value = |name: &str, label: Option<(&str, &str)>| {
        let labels: BTreeMap<_, _> = label.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        samples.iter().find(|s| s.0 == name && s.1 == labels).map(|s| s.2)
    };
    assert_eq!(value("nobat_sends_total", Some(("lane", "1"))), Some(1.0));
    assert_eq!(value("nobat_sends_total", Some(("lane", "0"))), Some(0.0));
    assert_eq!(value("nobat_sends_total", Some(("lane", "2"))), None);
    assert_eq!(value("nobat_sends_repeated_total", None), Some(7.0));
    assert_eq!(value("nobat_update_to_200_seconds_count", None), Some(4.0));
    assert_eq!(value("nobat_update_to_200_seconds_bucket", Some(("le", "+Inf"))), Some(4.0));
    assert_eq!(value("nobat_update_to_200_seconds_bucket", Some(("le", "0.002097152"))), Some(2.0));
}

#[test]
fn no_series_is_written_twice_and_buckets_rise() {
    let samples = read(&render(&Registry::new(17))).expect("valid exposition");
    let series: BTreeSet<_> = samples.iter().map(|(name, labels, _)| (name, labels)).collect();
    assert_eq!(series.len(), samples.len());
    let les: Vec<f64> = samples
        .iter()
        .filter(|s| s.0 == "nobat_platform_answer_seconds_bucket")
        .filter_map(|s| s.1.get("le")?.parse().ok())
        .collect();
    assert!(les.len() > 20 && les.windows(2).all(|pair| pair[0] < pair[1]), "{les:?}");
}

#[test]
fn names_say_their_unit_and_counters_end_in_total() {
    for def in METRICS {
        assert!(def.name.starts_with("nobat_"), "{}", def.name);
        assert_eq!(def.kind == Type::Counter, def.name.ends_with("_total"), "{}", def.name);
        // A gauge may be of seconds too; a counter says `_total` behind its unit.
        assert!(def.kind != Type::Histogram || def.name.ends_with("_seconds"), "{}", def.name);
        assert!(
            def.help.ends_with('.') && !def.help.contains('\n') && !def.help.contains('\\'),
            "{}",
            def.name
        );
    }
}
