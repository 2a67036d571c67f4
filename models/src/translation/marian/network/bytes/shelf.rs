//! Memory for the weights of a model, in pages as large as the system has them.
//!
//! Each token reads all weights of a decoder from memory. In pages of 4 KiB a processor looks an address up
//! for every sixty-fourth line of it, and stops fetching ahead at each page's end; in pages of 2 MiB it reads
//! half as much again in the same time, or more. A matrix is smaller than such a page, so those of a model
//! share them.

use std::cell::RefCell;

use bytes::BytesMut;

use super::CHUNK;

/// Bytes of a large page (of those that are, on processors with pages of 4 KiB, made without being asked
/// for beforehand).
const PAGE: usize = 2 << 20;

/// Memory from which matrices take theirs, one after the other. It goes back to the system with the last of
/// them. Matrices for which it has no room left get memory of their own.
#[derive(Debug, Default)]
pub(in crate::translation::marian) struct Shelf {
    free: RefCell<BytesMut>,
}

impl Shelf {
    /// One with room for so many bytes. They are not touched before they are taken.
    pub(in crate::translation::marian) fn new(bytes: usize) -> Self {
        if bytes < PAGE {
            return Self::default();
        }
        let mut free = BytesMut::with_capacity(bytes.next_multiple_of(PAGE) + PAGE);
        // (The first part is never taken, and nothing is written there: it costs addresses only.)
        let begin = free.as_ptr().align_offset(PAGE);
        if begin <= PAGE {
            free = free.split_off(begin);
            in_large_pages(&mut free);
        }
        Self {
            free: RefCell::new(free),
        }
    }

    /// So many bytes of this value, the first of them at a multiple of [`CHUNK`] where there is room.
    pub(super) fn take(&self, length: usize, value: u8) -> BytesMut {
        let mut free = self.free.borrow_mut();
        let taken = length.next_multiple_of(CHUNK);
        let mut bytes = if taken <= free.capacity() {
            let rest = free.split_off(taken);
            std::mem::replace(&mut *free, rest)
        } else {
            BytesMut::with_capacity(length)
        };
        bytes.resize(length, value);
        bytes
    }
}

/// Asks the system for large pages behind memory that is still empty. Where it has none, or does not want
/// to give them, everything is as it was.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "advice is given for addresses")]
fn in_large_pages(memory: &mut BytesMut) {
    use rustix::mm::{Advice, madvise};

    let whole = memory.capacity() / PAGE * PAGE;
    // SAFETY: the addresses are those of this buffer's own memory, from a multiple of PAGE on, and this advice
    // changes what is there as little as which pages hold it.
    let advised = unsafe { madvise(memory.as_mut_ptr().cast(), whole, Advice::LinuxHugepage) };
    if let Err(error) = advised {
        tracing::debug!("no large pages for weights: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn in_large_pages(_memory: &mut BytesMut) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_memory_of_its_own_in_a_row_while_there_is_room() {
        let shelf = Shelf::new(PAGE + 1);
        let mut taken: Vec<BytesMut> = (0..8)
            .map(|value| shelf.take(PAGE / 2 - 1, value))
            .collect();
        let first = taken[0].as_ptr().addr();
        assert!(first.is_multiple_of(PAGE));
        // Two pages make room for four. Those that find none may lie behind them by chance.
        for (which, bytes) in taken.iter().enumerate().take(4) {
            assert_eq!(bytes.as_ptr().addr(), first + which * PAGE / 2, "{which}");
        }
        drop(shelf);
        taken[1].fill(9);
        for (value, bytes) in [0, 9, 2, 3, 4, 5, 6, 7].into_iter().zip(&taken) {
            assert_eq!(bytes.len(), PAGE / 2 - 1);
            assert!(bytes.iter().all(|byte| *byte == value));
        }
    }

    #[test]
    fn none_has_no_room() {
        for shelf in [Shelf::default(), Shelf::new(3)] {
            assert_eq!(*shelf.take(3, 7), [7, 7, 7]);
            assert!(shelf.take(0, 7).is_empty());
        }
    }
}
