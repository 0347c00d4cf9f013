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

/// Prints the server's CPU time a handshake: over TCP, in memory as rustls has it, in memory as configured here, and of
/// a bare accept and close; and the ratios of the first to the sums, round by round, with the least and the greatest.
pub(crate) fn handshakes(what: &str, rounds: &[Vec<f64>]) {
    let [tcp, stock, ours, bare] = rounds else { panic!("four rows") };
    let ratios = |memory: &[f64]| {
        let sums = memory.iter().zip(bare).map(|(memory, bare)| memory + bare);
        let mut ratios: Vec<f64> = tcp.iter().zip(sums).map(|(tcp, sum)| tcp / sum).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        format!("{:.3} ({:.3} to {:.3})", median(ratios.clone()), ratios[0], ratios[ratios.len() - 1])
    };
    let [tcp_us, stock_us, ours_us, bare_us] = [tcp, stock, ours, bare].map(|row| median(row.clone()));
    println!("{what} handshake over TCP: {tcp_us:.1} us of CPU; a bare accept and close {bare_us:.1}");
    println!("  in memory, rustls as it comes:  {stock_us:.1} us, ratio to both {}", ratios(stock));
    println!("  in memory, as configured here:  {ours_us:.1} us, ratio to both {}", ratios(ours));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
