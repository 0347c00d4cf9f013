//! One webhook body into what the engine needs, beside the same by serde_json and by simd-json's typed way.
//!
//! All copy the body first, because simd-json rewrites it; the copy alone is measured too.
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nobat::channel::telegram::Decoder;
use serde::Deserialize;
use std::hint::black_box;

/// The same fields as the decoder reads, as a typed reader declares them.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Update<'a> {
    update_id: i64,
    #[serde(borrow)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Message<'a> {
    message_id: i64,
    date: u64,
    #[serde(borrow)]
    from: Option<User<'a>>,
    #[serde(borrow)]
    chat: Chat<'a>,
    // A Cow, because an escaped text cannot be borrowed by serde_json.
    #[serde(borrow)]
    text: Option<std::borrow::Cow<'a, str>>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct User<'a> {
    id: u64,
    #[serde(default)]
    is_bot: bool,
    #[serde(borrow)]
    language_code: Option<&'a str>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Chat<'a> {
    id: i64,
    #[serde(borrow)]
    r#type: Option<&'a str>,
}

/// A question as the platform writes it: Arabic text and names escaped.
fn question() -> String {
    let escaped = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    let name = escaped("زينب عبد الأمير");
    format!(
        "{{\"update_id\":731500426,\"message\":{{\"message_id\":4348,\"from\":{{\"id\":700000002,\"is_bot\":false,\
         \"first_name\":\"{name}\",\"username\":\"zainab_07\",\"language_code\":\"ar\"}},\"chat\":{{\"id\":700000002,\
         \"first_name\":\"{name}\",\"username\":\"zainab_07\",\"type\":\"private\"}},\"date\":1784527200,\
         \"text\":\"1234567\"}}}}"
    )
}

/// The same with a long text and entities, as a forwarded announcement has them.
fn long() -> String {
    let text: String = "السلام عليكم ورحمة الله ".repeat(40);
    let entities: Vec<_> =
        (0..30).map(|at| format!("{{\"offset\":{},\"length\":6,\"type\":\"bold\"}}", at * 20)).collect();
    question().replace(
        "\"text\":\"1234567\"",
        &format!("\"text\":\"{text}\",\"entities\":[{}]", entities.join(",")),
    )
}

fn decode(c: &mut Criterion) {
    for (name, body) in [("question", question()), ("long", long())] {
        let mut group = c.benchmark_group("decode");
        group.throughput(Throughput::Bytes(body.len() as u64));
        let mut copy = Vec::with_capacity(body.len());
        let mut fresh = |run: &mut dyn FnMut(&mut [u8])| {
            copy.clear();
            copy.extend_from_slice(body.as_bytes());
            run(&mut copy);
        };
        group.bench_function(BenchmarkId::new("copy", name), |b| {
            b.iter(|| {
                fresh(&mut |body| {
                    black_box(body);
                })
            });
        });
        let mut decoder = Decoder::new();
        group.bench_function(BenchmarkId::new("nobat", name), |b| {
            b.iter(|| {
                fresh(&mut |body| {
                    black_box(decoder.decode(body).expect("an update"));
                })
            });
        });
        group.bench_function(BenchmarkId::new("serde_json", name), |b| {
            b.iter(|| {
                fresh(&mut |body| {
                    black_box(serde_json::from_slice::<Update<'_>>(body).expect("an update"));
                })
            });
        });
        let mut buffers = simd_json::Buffers::new(body.len());
        group.bench_function(BenchmarkId::new("simd_json_typed", name), |b| {
            b.iter(|| {
                fresh(&mut |body| {
                    let read = simd_json::serde::from_slice_with_buffers::<Update<'_>>(body, &mut buffers);
                    black_box(read.expect("an update"));
                })
            });
        });
        group.finish();
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
