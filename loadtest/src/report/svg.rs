//! Plots as SVG, written by hand: no script, no font, no picture from elsewhere.
//!
//! Every plot is drawn in a box of 480 by 250 that scales with the page, so that its letters stay readable
//! on a phone. Colours are CSS classes; the page decides light and dark.

use std::fmt::Write;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 28.0;

/// One line of a plot.
pub(super) struct Line<'a> {
    /// The CSS class of its colour: `c1` to `c3`.
    pub(super) class: &'a str,
    /// The area below is tinted.
    pub(super) filled: bool,
    /// Points in the plot's own units.
    pub(super) points: Vec<(f64, f64)>,
}

/// How an axis maps values to the box.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    /// Evenly from 0 to the value.
    Linear(f64),
    /// Logarithmically between two values.
    Log(f64, f64),
    /// Shares of 1: as far from the left as it is close to 1, in decades (50 %, 90 %, 99 %, 99.9 %).
    Tail(f64),
}

impl Scale {
    /// 0 to 1 along the axis.
    fn place(self, value: f64) -> f64 {
        match self {
            Scale::Linear(most) => value / most,
            Scale::Log(least, most) => (value.max(least) / least).ln() / (most / least).ln(),
            Scale::Tail(decades) => (-(1.0 - value).max(1e-9).log10() / decades).min(1.0),
        }
        .clamp(0.0, 1.0)
    }
}

/// A plot of lines with two axes; `marks` are vertical lines with a text.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x: Scale,
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) y: Scale,
    pub(super) y_ticks: Vec<(f64, String)>,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) marks: &'a [(f64, String)],
    /// A horizontal line at a value worth comparing with.
    pub(super) level: Option<f64>,
}

impl Plot<'_> {
    pub(super) fn draw(&self) -> String {
        let mut svg = open(self.title);
        let x = |value| LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT);
        let y = |value| HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM);
        for (value, label) in &self.y_ticks {
            let at = y(*value);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 4.0,
                escape(label)
            );
        }
        for (value, label) in &self.x_ticks {
            let _ = write!(
                svg,
                r#"<text class="tick" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                x(*value),
                HEIGHT - 8.0,
                escape(label)
            );
        }
        if let Some(level) = self.level {
            let at = y(level);
            let right = WIDTH - RIGHT;
            let _ =
                write!(svg, r#"<line class="level" x1="{LEFT}" x2="{right}" y1="{at:.1}" y2="{at:.1}"/>"#);
        }
        for (value, label) in self.marks {
            let at = x(*value);
            let _ = write!(
                svg,
                r#"<g class="mark"><line x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{:.1}"/><circle cx="{at:.1}" cy="{TOP}" r="4"/><title>{}</title></g>"#,
                HEIGHT - BOTTOM,
                escape(&format!("{value:.1} s: {label}"))
            );
        }
        for line in &self.lines {
            let mut path = String::new();
            for (nth, (px, py)) in line.points.iter().enumerate() {
                let _ = write!(path, "{}{:.1} {:.1}", if nth == 0 { 'M' } else { 'L' }, x(*px), y(*py));
            }
            if let (true, Some(first), Some(last)) = (line.filled, line.points.first(), line.points.last()) {
                let floor = HEIGHT - BOTTOM;
                let _ = write!(
                    svg,
                    r#"<path class="area {}" d="{path}L{:.1} {floor:.1}L{:.1} {floor:.1}Z"/>"#,
                    line.class,
                    x(last.0),
                    x(first.0)
                );
            }
            let _ = write!(svg, r#"<path class="line {}" d="{path}"/>"#, line.class);
        }
        svg + "</svg>"
    }
}

/// One bar of a bar plot.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    /// Said when the pointer rests on it.
    pub(super) title: String,
    /// Drawn in the colour of trouble.
    pub(super) bad: bool,
}

/// Vertical bars from zero, with a dashed line where all would be even.
pub(super) fn bars(title: &str, bars: &[Bar]) -> String {
    let mut svg = open(title);
    let most = nice_above(bars.iter().map(|bar| bar.value).fold(1.0, f64::max));
    let even = bars.iter().map(|bar| bar.value).sum::<f64>() / bars.len().max(1) as f64;
    let y = |value: f64| HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM);
    let slot = (WIDTH - LEFT - RIGHT) / bars.len().max(1) as f64;
    for (value, label) in linear_ticks(most) {
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"#,
            WIDTH - RIGHT,
            LEFT - 6.0,
            y(value) + 4.0,
            at = y(value)
        );
    }
    for (nth, bar) in bars.iter().enumerate() {
        let (left, width) = (LEFT + slot * (nth as f64 + 0.14), (slot * 0.72).min(48.0));
        let class = if bar.bad { "bar bad" } else { "bar" };
        let _ = write!(
            svg,
            r#"<rect class="{class}" x="{left:.1}" y="{:.1}" width="{width:.1}" height="{:.1}" rx="2.5"><title>{}</title></rect><text class="tick" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            y(bar.value),
            (HEIGHT - BOTTOM - y(bar.value)).max(0.0),
            escape(&bar.title),
            left + width / 2.0,
            HEIGHT - 8.0,
            escape(&bar.label)
        );
    }
    let _ = write!(
        svg,
        r#"<line class="even" x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}"/>"#,
        WIDTH - RIGHT,
        at = y(even)
    );
    svg + "</svg>"
}

fn open(title: &str) -> String {
    let title = escape(title);
    format!(r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">"#)
}

/// The next round number at or above the value, one that parts into four round quarters.
pub(super) fn nice_above(value: f64) -> f64 {
    let power = 10f64.powf(value.max(1e-9).log10().floor());
    let steps = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|nice| *nice >= value).unwrap_or(value)
}

/// Four or five ticks from zero to a nice number.
pub(super) fn linear_ticks(most: f64) -> Vec<(f64, String)> {
    let parts = 4;
    (0..=parts)
        .map(|nth| most * f64::from(nth) / f64::from(parts))
        .map(|value| (value, short(value)))
        .collect()
}

/// Powers of ten between two latencies in milliseconds, as people say them.
pub(super) fn decade_ticks(least: f64, most: f64) -> Vec<(f64, String)> {
    let mut ticks = Vec::new();
    let mut value = least;
    while value <= most * 1.001 {
        ticks.push((value, duration_ms(value)));
        value *= 10.0;
    }
    ticks
}

/// A latency for people: 0.4 ms, 35 ms, 1.2 s, 2 min 5 s.
pub(super) fn duration_ms(ms: f64) -> String {
    match ms {
        0.0 => "0 ms".to_owned(),
        ms if ms < 0.1 => format!("{:.0} µs", ms * 1e3),
        ms if ms < 1.0 => format!("{ms:.1} ms"),
        ms if ms < 9.95 && ms.fract() > 0.05 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 9_950.0 && (ms / 1e3).fract() > 0.05 => format!("{:.1} s", ms / 1e3),
        ms if ms < 119_500.0 => format!("{:.0} s", ms / 1e3),
        ms => format!("{:.0} min {:.0} s", (ms / 6e4).floor(), (ms / 1e3) % 60.0),
    }
}

/// A number for an axis: 950, 1.5k, 20k, 1.2M.
fn short(value: f64) -> String {
    let trim = |value: f64, unit: &str| {
        let text = format!("{value:.2}");
        format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match value {
        value if value >= 1e6 => trim(value / 1e6, "M"),
        value if value >= 1e3 => trim(value / 1e3, "k"),
        value => trim(value, ""),
    }
}

/// Text that may stand in markup and in attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
