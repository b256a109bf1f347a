//! Values that crates above keep for the lifetime of a store, such as one reader for many followers.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Store;

/// At most one value of each type.
#[derive(Default)]
pub(super) struct SharedValues(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Store {
    /// The value of this type that all clones of the store share. The first call makes it.
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let SharedValues(values) = &self.0.shared;
        let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        Arc::clone(value).downcast().unwrap_or_default()
    }
}
