//! Look-ups over 700,000 pupils: by number and by name as pupils ask, beside what one would take off the shelf,
//! in the same run. Prints the size of the data set first.

mod peers;
mod pupils;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use nobat_bots::results::dataset::{Dataset, ExamNumber};
use nobat_bots::results::question::{Question, Rules};
use nobat_bots::text::{Token, tokens};
use peers::{Sorted, Sqlite};
use pupils::{Dice, FIRST, PUPILS};
use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

/// A run of questions that begins anew when it ends.
fn endless<'a, T>(asked: &'a [T]) -> impl FnMut() -> &'a T {
    let mut i = 0;
    move || {
        i = (i + 1) % asked.len();
        &asked[i]
    }
}

fn by_number(c: &mut Criterion, set: &Dataset, sqlite: &Sqlite) {
    let rows = || set.students().enumerate().map(|(i, s)| (s.number().expect("valid").value(), i as u32));
    let std_map: HashMap<u64, u32> = rows().collect();
    let fast_map: hashbrown::HashMap<u64, u32, foldhash::fast::FixedState> = rows().collect();
    let tree: BTreeMap<u64, u32> = rows().collect();
    let mut group = c.benchmark_group("results_by_number_700k");
    let number = |v: u64| ExamNumber::parse(&v.to_string()).expect("digits");
    let asked: Vec<ExamNumber> = {
        let mut dice = Dice(11);
        (0..65_536).map(|_| number(FIRST + dice.roll(PUPILS) * 13)).collect()
    };
    let mut next = endless(&asked);
    group.bench_function("data set", |b| b.iter(|| black_box(set.by_number(*next())).is_some()));
    let misses: Vec<ExamNumber> = asked.iter().map(|hit| number(hit.value() + 1)).collect();
    let mut miss = endless(&misses);
    group.bench_function("data set, a miss", |b| b.iter(|| black_box(set.by_number(*miss())).is_none()));
    let mut next = endless(&asked);
    group.bench_function("peer: hashbrown with foldhash", |b| {
        b.iter(|| black_box(fast_map.get(&next().value())).is_some());
    });
    group.bench_function("peer: std HashMap", |b| {
        b.iter(|| black_box(std_map.get(&next().value())).is_some())
    });
    group.bench_function("peer: std BTreeMap", |b| b.iter(|| black_box(tree.get(&next().value())).is_some()));
    group.bench_function("peer: SQLite, primary key", |b| {
        b.iter(|| black_box(sqlite.by_number(next().value())))
    });
    group.finish();
}

/// What pupils type of a name of four words.
const ASKED: [(&str, &[usize]); 4] = [
    ("three names", &[0, 1, 2]),
    ("full name", &[0, 1, 2, 3]),
    ("given and family", &[0, 3]),
    ("two names", &[0, 1]),
];

fn by_name(c: &mut Criterion, set: &Dataset, sqlite: &Sqlite) {
    let sorted = Sorted::of(set);
    let mut group = c.benchmark_group("results_by_name_700k");
    let names: Vec<String> = set.students().step_by(701).map(|s| s.name()).collect();
    for (label, which) in ASKED {
        let asked: Vec<String> = names
            .iter()
            .map(|name| {
                let parts = tokens(name);
                which.iter().filter_map(|i| parts.get(*i)).map(|t| t.written).collect::<Vec<_>>().join(" ")
            })
            .collect();
        let cut: Vec<Vec<Token<'_>>> = asked.iter().map(|name| tokens(name)).collect();
        let mut next = endless(&asked);
        group.bench_function(format!("{label}/data set, from what was typed"), |b| {
            b.iter(|| black_box(set.by_name(&tokens(next())).students.len()));
        });
        let mut next = endless(&cut);
        group.bench_function(format!("{label}/data set, words given"), |b| {
            b.iter(|| black_box(set.by_name(next()).students.len()));
        });
        let matches: Vec<String> = cut.iter().map(|words| peers::fts_question(words)).collect();
        let mut next = endless(&matches);
        group.bench_function(format!("{label}/peer: SQLite FTS5, words given"), |b| {
            b.iter(|| black_box(sqlite.by_words(next())));
        });
        // The two that follow know beginnings alone: they cannot leave a word out.
        if which.iter().enumerate().all(|(nth, i)| nth == *i) {
            let starts: Vec<String> = cut.iter().map(|words| peers::beginning(words)).collect();
            let mut next = endless(&starts);
            group.bench_function(format!("{label}/peer: SQLite, index on the folded name"), |b| {
                b.iter(|| black_box(sqlite.by_beginning(next())));
            });
            let mut next = endless(&starts);
            group.bench_function(format!("{label}/peer: a sorted Vec<String>"), |b| {
                b.iter(|| black_box(sorted.by_beginning(next())));
            });
        }
    }
    group.finish();
}

fn questions(c: &mut Criterion, set: &Dataset) {
    let rules = Rules::of(Some(set.schema()));
    c.bench_function("results_question_of_a_number", |b| {
        b.iter(|| Question::of(black_box("رقمي ١٢٣٤٥٦٧"), rules).hash());
    });
    c.bench_function("results_load_700k", |b| {
        b.iter_batched(
            || set.file().to_vec(),
            |file| Dataset::load(file).expect("valid"),
            BatchSize::PerIteration,
        );
    });
}

fn all(c: &mut Criterion) {
    let set = pupils::data_set();
    let sqlite = Sqlite::of(&set);
    println!("{} pupils in {:.1} MB, both indexes included", set.len(), set.bytes() as f64 / 1e6);
    println!("SQLite takes {:.1} MB for numbers, names and their two indexes", sqlite.bytes() as f64 / 1e6);
    by_number(c, &set, &sqlite);
    by_name(c, &set, &sqlite);
    questions(c, &set);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = all
}
criterion_main!(benches);
