//! A cursor over simd-json's tape, so that a body is parsed without an allocation and read without a tree.
//!
//! What lives here: [`Reader`], which owns the buffers, and [`Field`], one value in the tape. Used by the
//! poll reader, the verdict and the decoder's oracle; it knows nothing of Telegram. simd-json **rewrites the
//! bytes it is given**.

use simd_json::{Buffers, Node, StaticNode, Tape};

/// The bytes are not JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotJson;

/// A parser with its buffers. One a thread; reusing it saves a fifth of the time (`benches/decode.rs`).
pub(super) struct Reader {
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { buffers: Buffers::new(4096), tape: Tape(Vec::with_capacity(256)) }
    }
}

impl Reader {
    /// Parses `bytes`, which are rewritten, and shows the root to `look`.
    pub(super) fn parse<'a, R>(
        &mut self,
        bytes: &'a mut [u8],
        look: impl FnOnce(Field<'_, 'a>) -> R,
    ) -> Result<R, NotJson> {
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape(bytes, &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) if !tape.0.is_empty() => Ok(look(Field(&tape.0))),
            _ => Err(NotJson),
        };
        self.tape = tape.reset();
        result
    }
}

/// One value: its node comes first, what it contains follows.
#[derive(Clone, Copy)]
pub(super) struct Field<'t, 'a>(&'t [Node<'a>]);

impl<'t, 'a> Field<'t, 'a> {
    /// The string, borrowed from the parsed bytes.
    pub(super) fn str(self) -> Option<&'a str> {
        match self.0.first()? {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one and fits. `1.0` and `1e3` are none.
    pub(super) fn int(self) -> Option<i64> {
        match *self.0.first()? {
            Node::Static(StaticNode::I64(n)) => Some(n),
            Node::Static(StaticNode::U64(n)) => i64::try_from(n).ok(),
            _ => None,
        }
    }

    /// The boolean.
    pub(super) fn bool(self) -> Option<bool> {
        match *self.0.first()? {
            Node::Static(StaticNode::Bool(b)) => Some(b),
            _ => None,
        }
    }

    /// `true` if this is an object.
    pub(super) fn is_object(self) -> bool {
        matches!(self.0.first(), Some(Node::Object { .. }))
    }

    /// `true` if this is an array.
    pub(super) fn is_array(self) -> bool {
        matches!(self.0.first(), Some(Node::Array { .. }))
    }

    /// The items in their order; none if this is no array.
    pub(super) fn items(self) -> Items<'t, 'a> {
        match self.0.split_first() {
            Some((Node::Array { len, .. }, rest)) => Items { rest, left: *len },
            _ => Items { rest: &[], left: 0 },
        }
    }

    /// The entries in their order; none if this is no object.
    pub(super) fn entries(self) -> Entries<'t, 'a> {
        match self.0.split_first() {
            Some((Node::Object { len, .. }, rest)) => Entries { rest, left: *len },
            _ => Entries { rest: &[], left: 0 },
        }
    }

    /// The value of `key`; the last one if it is repeated, as most parsers have it.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.entries().filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }
}

/// The entries of an object.
pub(super) struct Entries<'t, 'a> {
    rest: &'t [Node<'a>],
    left: usize,
}

impl<'t, 'a> Iterator for Entries<'t, 'a> {
    type Item = (&'a str, Field<'t, 'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (Node::String(key), rest) = self.rest.split_first()? else { return None };
        let (value, rest) = first_value(rest)?;
        self.rest = rest;
        Some((key, value))
    }
}

/// The items of an array.
pub(super) struct Items<'t, 'a> {
    rest: &'t [Node<'a>],
    left: usize,
}

impl<'t, 'a> Iterator for Items<'t, 'a> {
    type Item = Field<'t, 'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (value, rest) = first_value(self.rest)?;
        self.rest = rest;
        Some(value)
    }
}

/// The value that begins here, with all it contains, and what comes after it.
fn first_value<'t, 'a>(nodes: &'t [Node<'a>]) -> Option<(Field<'t, 'a>, &'t [Node<'a>])> {
    let count = match *nodes.first()? {
        Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
        Node::String(_) | Node::Static(_) => 1,
    };
    let (value, rest) = nodes.split_at_checked(count)?;
    Some((Field(value), rest))
}
