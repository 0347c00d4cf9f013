//! Medians, and ratios of paired rounds.

/// Prints each server's CPU time a request, and its ratio to the bare loop and to axum round by round.
pub(crate) fn ratios(names: &[&str], micros: &[Vec<f64>]) {
    println!("{:8} {:>12} {:>10} {:>10}", "server", "CPU us/req", "of bare", "of axum");
    for (at, name) in names.iter().enumerate() {
        let of = |peer: &str| {
            let peer = names.iter().position(|name| *name == peer)?;
            Some(median(micros[at].iter().zip(&micros[peer]).map(|(ours, theirs)| ours / theirs).collect()))
        };
        let shown = |ratio: Option<f64>| ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"));
        let own = median(micros[at].clone());
        println!("{name:8} {own:12.2} {:>10} {:>10}", shown(of("bare")), shown(of("axum")));
    }
}

/// Prints the server's CPU time a handshake: over TCP, in memory, and of a bare accept and close; and the ratio of the
/// first to the sum of the others, round by round, with the least and the greatest.
pub(crate) fn handshakes(what: &str, rounds: &[Vec<f64>]) {
    let [tcp, memory, bare] = rounds else { panic!("three rows") };
    let mut ratios: Vec<f64> =
        tcp.iter().zip(memory).zip(bare).map(|((tcp, memory), bare)| tcp / (memory + bare)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    println!(
        "{what} handshake, CPU us: over TCP {:.1}, in memory {:.1}, bare accept and close {:.1}: ratio {:.3} ({:.3} to {:.3})",
        median(tcp.clone()),
        median(memory.clone()),
        median(bare.clone()),
        median(ratios.clone()),
        ratios[0],
        ratios[ratios.len() - 1],
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
