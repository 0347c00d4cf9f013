//! The shell with nothing behind it and nothing beside it: no load, no peers, no certificate. Its resident memory is
//! what `cargo bench -p nobat-benches --bench webhook -- --idle 10000` prints.

fn main() {
    nobat_benches::serve::alone();
}
