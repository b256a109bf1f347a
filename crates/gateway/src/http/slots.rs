//! Slots per owner: limits how many of something one address or one user holds at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many places each owner has taken. Cheap to clone.
pub(super) struct Slots<K: Eq + Hash>(Arc<Mutex<HashMap<K, usize>>>);

/// A place that is free again when this is dropped.
pub(super) struct Slot<K: Eq + Hash> {
    slots: Slots<K>,
    owner: K,
}

impl<K: Eq + Hash> Default for Slots<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash> Clone for Slots<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> Slots<K> {
    /// A place for an owner that has fewer than `most`.
    pub(super) fn take(&self, owner: K, most: usize) -> Option<Slot<K>> {
        let mut taken = self.lock();
        let count = taken.get(&owner).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        taken.insert(owner.clone(), count + 1);
        drop(taken);
        Some(Slot {
            slots: self.clone(),
            owner,
        })
    }
}

impl<K: Eq + Hash> Slot<K> {
    /// Whose place it is.
    pub(super) fn owner(&self) -> &K {
        &self.owner
    }
}

impl<K: Eq + Hash> Slots<K> {
    /// Whether an owner has taken a place.
    pub(super) fn any(&self, owner: &K) -> bool {
        self.lock().contains_key(owner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Slot<K> {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        match taken.get_mut(&self.owner) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_no_more_places_than_the_most() {
        let slots = Slots::default();
        let (first, second) = (slots.take("a", 2), slots.take("a", 2));
        assert!(slots.take("a", 2).is_none());
        assert!(slots.take("b", 2).is_some());
        drop(first);
        assert!(slots.take("a", 2).is_some());
        drop(second);
        // No entry is kept for an owner without a place.
        assert!(slots.lock().is_empty());
    }
}
