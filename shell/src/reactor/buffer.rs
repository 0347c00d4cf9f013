//! Byte buffers that are lent to a connection while it has bytes in flight, and taken back.

/// A new buffer, in bytes: several pipelined updates.
const BYTES_MIN: usize = 8 * 1024;
/// A buffer larger than this is freed rather than kept.
const BYTES_KEPT: usize = 64 * 1024;
/// Buffers kept of each sort; a turn of 64 connections needs no allocation.
const KEPT: usize = 64;

/// Bytes read and not yet used: `bytes[start..end]`. The rest is free space, initialised once.
#[derive(Default, Debug)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Free space for the next read; grows by doubling until `max` bytes are filled, then gives none.
    pub(crate) fn space(&mut self, max: usize) -> &mut [u8] {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else if self.bytes.len() < max {
                self.bytes.resize((self.bytes.len() * 2).max(BYTES_MIN).min(max.max(BYTES_MIN)), 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Counts `n` bytes as read into the space.
    pub(crate) fn commit(&mut self, n: usize) {
        self.end = self.bytes.len().min(self.end + n);
    }

    /// Drops `n` bytes from the front.
    pub(crate) fn consume(&mut self, n: usize) {
        self.start = self.end.min(self.start + n);
    }

    /// Drops the filled bytes from `n` on.
    pub(crate) fn truncate(&mut self, n: usize) {
        self.end = self.end.min(self.start + n);
    }

    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

/// Bytes to write: appended at the end, taken from the front.
#[derive(Default, Debug)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    written: usize,
}

impl Output {
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.written = self.bytes.len().min(self.written + n);
        if self.is_empty() {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.written = 0;
    }
}

/// Where idle buffers wait. Last in, first out, so that the cache is warm.
#[derive(Default, Debug)]
pub(crate) struct Pool {
    inputs: Vec<Input>,
    outputs: Vec<Output>,
}

impl Pool {
    pub(crate) fn lend_input(&mut self, to: &mut Input) {
        if to.bytes.is_empty() {
            *to = self.inputs.pop().unwrap_or_default();
        }
    }

    pub(crate) fn lend_output(&mut self, to: &mut Output) {
        if to.bytes.capacity() == 0 {
            *to = self.outputs.pop().unwrap_or_default();
        }
    }

    /// Takes back what is empty.
    pub(crate) fn take_back(&mut self, input: &mut Input, output: &mut Output) {
        if input.is_empty() && !input.bytes.is_empty() {
            let mut input = std::mem::take(input);
            if self.inputs.len() < KEPT && input.bytes.len() <= BYTES_KEPT {
                input.clear();
                self.inputs.push(input);
            }
        }
        if output.is_empty() && output.bytes.capacity() > 0 {
            let mut output = std::mem::take(output);
            if self.outputs.len() < KEPT && output.bytes.capacity() <= BYTES_KEPT {
                output.clear();
                self.outputs.push(output);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_grows_to_its_bound_and_moves_what_is_left_to_the_front() {
        let mut input = Input::default();
        let space = input.space(20_000).len();
        assert_eq!(space, BYTES_MIN);
        input.commit(space);
        assert_eq!(input.space(20_000).len(), BYTES_MIN);
        input.commit(BYTES_MIN);
        assert_eq!(input.space(20_000).len(), 20_000 - 2 * BYTES_MIN);
        input.commit(20_000);
        assert!(input.space(20_000).is_empty());
        input.consume(19_999);
        assert_eq!(input.space(20_000).len(), 19_999);
        assert_eq!(input.len(), 1);
    }

    #[test]
    fn large_buffers_are_not_kept() {
        let mut pool = Pool::default();
        let (mut input, mut output) = (Input::default(), Output::default());
        for _ in 0..10 {
            let n = input.space(1 << 20).len();
            input.commit(n);
        }
        input.consume(usize::MAX >> 1);
        output.bytes.reserve(1 << 20);
        pool.take_back(&mut input, &mut output);
        assert!(pool.inputs.is_empty() && pool.outputs.is_empty());
        assert!(input.bytes.is_empty() && output.bytes.capacity() == 0);
    }
}
