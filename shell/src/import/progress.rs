//! How an import tells how far it is.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Told by an import how far it is.
pub trait Progress {
    /// A new stage began.
    fn stage(&mut self, name: &'static str);
    /// So many rows were read, and so many bytes of so many, where that is known.
    fn rows(&mut self, rows: u64, bytes: Option<(u64, u64)>);
}

/// Says nothing.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&mut self, _: &'static str) {}
    fn rows(&mut self, _: u64, _: Option<(u64, u64)>) {}
}

/// A bar on the terminal; nothing where there is none.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// On standard error.
    #[must_use]
    pub fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = "{spinner} {prefix:10} {msg} {wide_bar} {percent}% {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn stage(&mut self, name: &'static str) {
        self.bar.set_prefix(name);
        self.bar.tick();
    }

    fn rows(&mut self, rows: u64, bytes: Option<(u64, u64)>) {
        if let Some((done, all)) = bytes {
            self.bar.set_length(all);
            self.bar.set_position(done);
        }
        self.bar.set_message(format!("{rows} rows"));
        self.bar.tick();
    }
}
