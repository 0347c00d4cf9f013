//! Nodes in one vector, named by `u32`, and lists through them.
//!
//! What lives here: [`Slab`], [`List`] and the [`Linked`] trait that says where a node keeps its links. The
//! pacer's nodes are copied out and in by index; nothing here allocates per node.

use core::ops::{Index, IndexMut};

/// No node.
pub(super) const NIL: u32 = u32::MAX;
/// In no list.
const OUT: u32 = u32::MAX - 1;

/// Neighbours in one list; `prev` is [`OUT`] for a node that is in none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    prev: u32,
    next: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self { prev: OUT, next: NIL }
    }
}

impl Links {
    /// Whether the node is in a list of this family.
    #[inline]
    pub(super) const fn is_linked(self) -> bool {
        self.prev != OUT
    }

    /// Links of a node that is alone in its list.
    #[inline]
    pub(super) const fn alone() -> Self {
        Self { prev: NIL, next: NIL }
    }

    /// Links of a node in no list, which keep a number meanwhile.
    #[inline]
    pub(super) const fn keeping(number: u32) -> Self {
        Self { prev: OUT, next: number }
    }

    /// The number kept, or [`NIL`].
    #[inline]
    pub(super) const fn kept(self) -> u32 {
        if self.is_linked() { NIL } else { self.next }
    }
}

/// A node with links for the lists of family `L`. A node is in at most one list of a family.
pub(super) trait Linked<const L: usize> {
    fn links(&mut self) -> &mut Links;
}

/// Nodes by number. A removed node's number is used again; its owner must have forgotten it.
#[derive(Clone, Debug)]
pub(super) struct Slab<V> {
    items: Vec<V>,
    free: Vec<u32>,
}

impl<V> Default for Slab<V> {
    fn default() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }
}

impl<V> Slab<V> {
    /// Takes a node in.
    pub(super) fn insert(&mut self, value: V) -> u32 {
        if let Some(index) = self.free.pop() {
            self.items[index as usize] = value;
            return index;
        }
        self.items.push(value);
        (self.items.len() - 1) as u32
    }

    /// A number, and the place that now belongs to it, to be written to: what stands there is of no meaning,
    /// or `filler`. So a node is built where it stays.
    #[inline(always)]
    pub(super) fn reserve(&mut self, filler: impl FnOnce() -> V) -> (u32, &mut V) {
        let index = self.free.pop().unwrap_or_else(|| self.append(filler()));
        (index, &mut self.items[index as usize])
    }

    #[cold]
    #[inline(never)]
    fn append(&mut self, value: V) -> u32 {
        self.items.push(value);
        (self.items.len() - 1) as u32
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut V> {
        self.items.get_mut(index as usize)
    }

    #[inline]
    pub(super) fn remove(&mut self, index: u32) {
        self.free.push(index);
    }

    /// Nodes in use.
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Every node ever made, those removed included: for rare walks that can tell them apart.
    pub(super) fn all_mut(&mut self) -> &mut [V] {
        &mut self.items
    }
}

impl<V> Index<u32> for Slab<V> {
    type Output = V;
    #[inline]
    fn index(&self, index: u32) -> &V {
        &self.items[index as usize]
    }
}

impl<V> IndexMut<u32> for Slab<V> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut V {
        &mut self.items[index as usize]
    }
}

/// A doubly linked list through a slab's nodes: every operation O(1).
#[derive(Clone, Copy, Debug)]
pub(super) struct List<const L: usize> {
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl<const L: usize> Default for List<L> {
    fn default() -> Self {
        Self { head: NIL, tail: NIL }
    }
}

impl<const L: usize> List<L> {
    /// A list of one node, whose links are [`Links::alone`].
    #[inline]
    pub(super) const fn of_one(index: u32) -> Self {
        Self { head: index, tail: index }
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.head == NIL
    }

    pub(super) fn push_back<V: Linked<L>>(&mut self, slab: &mut Slab<V>, index: u32) {
        self.append(slab, index);
    }

    /// As `push_back`; gives the node to be changed further.
    #[inline(always)]
    pub(super) fn append<'a, V: Linked<L>>(&mut self, slab: &'a mut Slab<V>, index: u32) -> &'a mut V {
        if self.tail == NIL {
            self.head = index;
        } else {
            slab[self.tail].links().next = index;
        }
        let prev = core::mem::replace(&mut self.tail, index);
        let node = &mut slab[index];
        *node.links() = Links { prev, next: NIL };
        node
    }

    pub(super) fn push_front<V: Linked<L>>(&mut self, slab: &mut Slab<V>, index: u32) {
        *slab[index].links() = Links { prev: NIL, next: self.head };
        if self.head == NIL {
            self.tail = index;
        } else {
            slab[self.head].links().prev = index;
        }
        self.head = index;
    }

    /// Takes a node of this list out of it.
    #[inline]
    pub(super) fn remove<V: Linked<L>>(&mut self, slab: &mut Slab<V>, index: u32) {
        let Links { prev, next } = core::mem::take(slab[index].links());
        if prev == NIL {
            self.head = next;
        } else {
            slab[prev].links().next = next;
        }
        if next == NIL {
            self.tail = prev;
        } else {
            slab[next].links().prev = prev;
        }
    }

    #[inline(always)]
    pub(super) fn pop_front<V: Linked<L>>(&mut self, slab: &mut Slab<V>) -> Option<u32> {
        let head = self.head;
        if head == NIL {
            return None;
        }
        let Links { next, .. } = core::mem::take(slab[head].links());
        self.head = next;
        if next == NIL {
            self.tail = NIL;
        } else {
            slab[next].links().prev = NIL;
        }
        Some(head)
    }

    /// The node behind `index`, or [`NIL`].
    pub(super) fn after<V: Linked<L>>(slab: &mut Slab<V>, index: u32) -> u32 {
        slab[index].links().next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Node(Links);
    impl Linked<0> for Node {
        fn links(&mut self) -> &mut Links {
            &mut self.0
        }
    }

    #[test]
    fn a_list_keeps_order_through_removals_at_both_ends_and_in_the_middle() {
        let mut slab = Slab::<Node>::default();
        let nodes: Vec<u32> = (0..5).map(|_| slab.insert(Node::default())).collect();
        let mut list = List::<0>::default();
        for node in &nodes[1..] {
            list.push_back(&mut slab, *node);
        }
        list.push_front(&mut slab, nodes[0]);
        for gone in [nodes[2], nodes[0], nodes[4]] {
            list.remove(&mut slab, gone);
        }
        assert_eq!(List::<0>::after(&mut slab, nodes[1]), nodes[3]);
        assert_eq!(list.pop_front(&mut slab), Some(nodes[1]));
        assert_eq!(list.pop_front(&mut slab), Some(nodes[3]));
        assert_eq!(list.pop_front(&mut slab), None);
        assert!(list.is_empty() && !slab[nodes[0]].0.is_linked());
    }

    #[test]
    fn a_removed_number_is_used_again() {
        let mut slab = Slab::<u8>::default();
        let first = slab.insert(1);
        slab.remove(first);
        assert_eq!((slab.insert(2), slab.len()), (first, 1));
        slab.remove(first);
        let (again, place) = slab.reserve(|| 3);
        assert_eq!((again, *place), (first, 2), "there was a place for it");
        assert_eq!(slab.reserve(|| 4), (first + 1, &mut 4));
    }
}
