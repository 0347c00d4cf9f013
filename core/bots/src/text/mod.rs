//! Normal forms of Arabic and Persian text.
