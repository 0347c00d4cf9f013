//! What a source gives its rows to.

use super::error::ImportError;

/// Takes the rows of a source.
pub(super) trait Rows {
    /// The names of the columns; before any row.
    fn headers(&mut self, headers: Vec<String>);

    /// How many columns a row must have.
    fn width(&self) -> usize;

    /// A row, in the order of the headers. `bytes`: how far into how many, where that is known.
    ///
    /// # Errors
    /// The columns are not those that are needed.
    fn row(&mut self, line: u64, cells: Vec<String>, bytes: Option<(u64, u64)>) -> Result<(), ImportError>;

    /// A row that the source itself could not read.
    fn bad_row(&mut self, line: u64, what: String);
}
