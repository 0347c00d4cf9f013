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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
