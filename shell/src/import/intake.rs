//! Where every source puts its rows: columns are settled on the first of them, errors are collected, and
//! the builder takes the rest.

use super::columns::Plan;
use super::config::DatasetConfig;
use super::error::{ERRORS_SHOWN, ImportError, LineError};
use super::progress::Progress;
use super::rows::Rows;
use nobat_bots::results::dataset::{Builder, Row};

/// Rows on which columns of unknown names are settled.
const SAMPLE_ROWS: usize = 200;
/// Rows between two signs of progress.
const PROGRESS_ROWS: u64 = 4_096;

pub(super) struct Intake<'a> {
    config: &'a DatasetConfig,
    progress: &'a mut dyn Progress,
    headers: Vec<String>,
    sample: Vec<(u64, Vec<String>)>,
    settled: Option<(Plan, Builder)>,
    rows: u64,
    shown: Vec<LineError>,
    errors: u64,
}

impl<'a> Intake<'a> {
    pub(super) fn new(config: &'a DatasetConfig, progress: &'a mut dyn Progress) -> Self {
        progress.stage("reading");
        Self {
            config,
            progress,
            headers: Vec::new(),
            sample: Vec::new(),
            settled: None,
            rows: 0,
            shown: Vec::new(),
            errors: 0,
        }
    }

    fn settle(&mut self) -> Result<(), ImportError> {
        let plan = Plan::of(&self.headers, &self.sample, self.config)?;
        let builder = Builder::new(plan.schema.clone())?;
        self.settled = Some((plan, builder));
        for (line, cells) in std::mem::take(&mut self.sample) {
            self.take(line, &cells);
        }
        Ok(())
    }

    fn take(&mut self, line: u64, cells: &[String]) {
        let Some((plan, builder)) = &mut self.settled else { return };
        let cell = |i: usize| cells.get(i).map_or("", String::as_str);
        let fields: Vec<&str> = plan.fields.iter().map(|i| cell(*i)).collect();
        let marks: Vec<&str> = plan.marks.iter().map(|i| cell(*i)).collect();
        let row = Row {
            line,
            number: cell(plan.number),
            code: plan.code.map_or("", cell),
            name: cell(plan.name),
            fields: &fields,
            marks: &marks,
        };
        if let Err(error) = builder.push(&row) {
            self.errors += 1;
            if self.shown.len() < ERRORS_SHOWN {
                self.shown.push(LineError { line, what: error.to_string() });
            }
        }
    }

    /// The data set's bytes, and what each column was taken for.
    #[expect(clippy::type_complexity, reason = "a pair of one use")]
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, Vec<(String, String)>), ImportError> {
        if self.settled.is_none() && self.rows > 0 {
            self.settle()?;
        }
        if self.errors > 0 {
            self.shown.sort_by_key(|e| e.line);
            return Err(ImportError::Rows { shown: self.shown, total: self.errors });
        }
        let Some((plan, builder)) = self.settled else { return Err(ImportError::Empty) };
        if builder.is_empty() {
            return Err(ImportError::Empty);
        }
        self.progress.stage("indexing");
        let columns = plan.describe(&self.headers);
        let bytes = builder.finish().map_err(ImportError::Duplicates)?;
        Ok((bytes, columns))
    }
}

impl Rows for Intake<'_> {
    fn headers(&mut self, headers: Vec<String>) {
        self.headers = headers;
    }

    fn width(&self) -> usize {
        self.headers.len()
    }

    fn row(&mut self, line: u64, cells: Vec<String>, bytes: Option<(u64, u64)>) -> Result<(), ImportError> {
        self.rows += 1;
        if self.rows.is_multiple_of(PROGRESS_ROWS) {
            self.progress.rows(self.rows, bytes);
        }
        if self.settled.is_some() {
            self.take(line, &cells);
            return Ok(());
        }
        self.sample.push((line, cells));
        if self.sample.len() == SAMPLE_ROWS { self.settle() } else { Ok(()) }
    }

    fn bad_row(&mut self, line: u64, what: String) {
        self.rows += 1;
        self.errors += 1;
        if self.shown.len() < ERRORS_SHOWN {
            self.shown.push(LineError { line, what });
        }
    }
}
