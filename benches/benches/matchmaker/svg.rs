//! The tail as a picture: latency against percentile, both by powers of ten.
//!
//! What lives here: [`draw`], from histograms to an SVG that needs no script and follows the reader's dark
//! or light page.

use hdrhistogram::Histogram;
use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Nines: the axis goes from the median to 99.999 %.
const NINES: [(f64, &str); 5] =
    [(1.0, "90 %"), (2.0, "99 %"), (3.0, "99.9 %"), (4.0, "99.99 %"), (5.0, "99.999 %")];
const COLOURS: [&str; 6] = ["#1b7837", "#b2182b", "#2166ac", "#e08214", "#762a83", "#666666"];

/// One curve for each histogram of nanoseconds.
pub(crate) fn draw(title: &str, curves: &[(String, Histogram<u64>)]) -> String {
    let x = |nines: f64| LEFT + (nines - 0.3) / 4.7 * (WIDTH - LEFT - RIGHT);
    // From 10 ns to 1 s.
    let y = |nanos: f64| HEIGHT - BOTTOM - (nanos.max(10.0).log10() - 1.0) / 8.0 * (HEIGHT - TOP - BOTTOM);
    let mut svg = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(svg, "{text}").expect("a string grows");
    line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"#777\">"
    ));
    line(format_args!("<text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>"));
    for (power, label) in [
        (1, "10 ns"),
        (2, "100 ns"),
        (3, "1 us"),
        (4, "10 us"),
        (5, "100 us"),
        (6, "1 ms"),
        (7, "10 ms"),
        (8, "100 ms"),
        (9, "1 s"),
    ] {
        let y = y(10f64.powi(power));
        line(format_args!(
            "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#777\" stroke-opacity=\".3\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        ));
    }
    for (nines, label) in NINES {
        line(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            x(nines),
            HEIGHT - BOTTOM + 20.0
        ));
    }
    for (i, (label, histogram)) in curves.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let label = label.replace('&', "&amp;").replace('<', "&lt;");
        let mut path = String::new();
        for step in 0..=94 {
            let nines = 0.3 + f64::from(step) * 0.05;
            let nanos = histogram.value_at_quantile(1.0 - 10f64.powf(-nines)) as f64;
            let mark = if step == 0 { 'M' } else { 'L' };
            write!(path, "{mark}{:.1} {:.1}", x(nines), y(nanos)).expect("a string grows");
        }
        line(format_args!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"));
        let at = TOP + 14.0 + i as f64 * 18.0;
        line(format_args!(
            "<text x=\"{:.1}\" y=\"{at:.1}\" fill=\"{colour}\">{label}</text>",
            WIDTH - RIGHT + 12.0
        ));
    }
    line(format_args!("</svg>"));
    svg
}
