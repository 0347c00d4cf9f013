//! The registry as Prometheus text (exposition format 0.0.4).
//!
//! What lives here: [`render`]. The format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//! Label values are constants and numbers, so none needs escaping; a test holds them to that.

use super::names::{Labels, METRICS, Metric, Type};
use super::registry::Registry;
use std::fmt::Write as _;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics as text. Writing to a `String` cannot fail, so the results of `write!` are dropped.
#[must_use]
pub fn render(registry: &Registry) -> String {
    let mut out = String::with_capacity(16 * 1024);
    let _ = writeln!(
        out,
        "# HELP nobat_build_info The running version.\n# TYPE nobat_build_info gauge\n\
         nobat_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
    for (at, def) in METRICS.iter().enumerate() {
        let kind = match def.kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        let name = def.name;
        let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", def.help);
        let metric = Metric(at);
        if let Some(histogram) = registry.histogram(metric) {
            for boundary in histogram.boundaries() {
                let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {}", boundary.le, boundary.count);
            }
            // One reading of the count, so that the two lines agree while others write.
            let count = histogram.count();
            let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "{name}_sum {}\n{name}_count {count}", histogram.sum_seconds());
            continue;
        }
        match def.labels {
            Labels::None => {
                let _ = writeln!(out, "{name} {}", registry.get_at(metric, 0));
            }
            Labels::Fixed(label, values) => {
                for (index, value) in values.iter().enumerate() {
                    let count = registry.get_at(metric, index);
                    let _ = writeln!(out, "{name}{{{label}=\"{value}\"}} {count}");
                }
            }
            Labels::Lane => {
                for lane in 0..registry.lanes() {
                    let _ = writeln!(out, "{name}{{lane=\"{lane}\"}} {}", registry.get_at(metric, lane));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
