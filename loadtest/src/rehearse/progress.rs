//! What is shown while a rehearsal runs: a live block on a terminal, a line now and then elsewhere.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::proc::Usage;
use crate::telegram::Totals;

/// Lines are this far apart where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

const SAMPLE_EVERY: Duration = Duration::from_millis(500);

/// Lanes send in step, a second's messages at once: over less, the rate would be that of the moment of looking.
const RATES_OVER: Duration = Duration::from_secs(5);

/// The live display.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    planned: u64,
    /// One each half second of [`RATES_OVER`], oldest first.
    samples: VecDeque<(Instant, Totals)>,
    last_line: Instant,
    rates: (f64, f64),
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Progress {
        let terminal = io::stderr().is_terminal() && !quiet;
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:32.green/dim} {percent:>3} %  {elapsed}\n{msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━╌"));
            bar
        });
        let now = Instant::now();
        let samples = VecDeque::from([(now, Totals::default())]);
        Progress { bar, quiet, planned: 0, samples, last_line: now, rates: (0.0, 0.0) }
    }

    /// One line that stays.
    pub(super) fn say(&self, line: &str) {
        match (&self.bar, self.quiet) {
            (_, true) => {}
            (Some(bar), _) => bar.println(line),
            // A closed pipe ends nobody's rehearsal.
            (None, _) => drop(writeln!(io::stderr(), "{line}")),
        }
    }

    /// The schedule begins: so many updates are planned.
    pub(super) fn begin(&mut self, planned: usize) {
        self.planned = planned as u64;
        if let Some(bar) = &self.bar {
            bar.set_length(self.planned.max(1));
            bar.reset_elapsed();
        }
    }

    /// Shows the moment. `caused` counts updates handed over, `at` is the schedule's clock.
    pub(super) fn show(&mut self, at: Duration, caused: u64, totals: Totals, lanes: &[u64], usage: Usage) {
        if self.samples.back().is_none_or(|last| last.0.elapsed() >= SAMPLE_EVERY) {
            self.samples.push_back((Instant::now(), totals));
            while self.samples.len() > 2 && self.samples[0].0.elapsed() > RATES_OVER {
                self.samples.pop_front();
            }
            let (then, before) = self.samples[0];
            let rate =
                |now: u64, before: u64| now.saturating_sub(before) as f64 / then.elapsed().as_secs_f64();
            self.rates = (rate(totals.delivered, before.delivered), rate(totals.accepted, before.accepted));
        }
        let owed = totals.updates.saturating_sub(totals.accepted);
        let (least, most) =
            (lanes.iter().min().copied().unwrap_or(0), lanes.iter().max().copied().unwrap_or(0));
        let (in_rate, out_rate) = self.rates;
        let head = format!(
            "in {in_rate:>5.0}/s  out {out_rate:>5.0}/s  waiting at the platform {:>6}  unanswered {owed:>6}",
            totals.pending
        );
        let tail = format!(
            "lanes {least} to {most}  429: {}  server {:.1} MB, {:.1} CPU s",
            totals.refused_429,
            usage.rss_bytes as f64 / 1e6,
            usage.cpu_s
        );
        if let Some(bar) = &self.bar {
            bar.set_position(totals.delivered.min(self.planned));
            bar.set_message(format!("{head}\n{tail}"));
        } else if !self.quiet && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let percent = caused * 100 / self.planned.max(1);
            self.say(&format!("{:>6.1} s {percent:>3} %  {head}  {tail}", at.as_secs_f64()));
        }
    }

    /// Takes the live block away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
