//! Text in Arabic, Persian and English: its normal forms, and what a kind says.
//!
//! What lives here: [`fold`] (search keys: two spellings of one name give one key), [`digits`] (every
//! decimal digit of the two scripts as ASCII), [`bidi`] (values inserted into a sentence of the other
//! direction), [`phrases`] (what a kind says, as resources), [`catalogue`] (that in every language)
//! and [`persian`] (how Persian fields are stored).
//! Any kind may call it. It must not know a kind, and it never fails: any text has a key, if only the empty
//! one.

pub mod bidi;
pub mod catalogue;
pub mod digits;
pub mod fold;
pub mod persian;
pub mod phrases;

pub use bidi::{isolate, strip_controls};
pub use digits::ascii_digits;
pub use fold::{Token, fold_word, tokens};
