//! What a transaction knows already and need not ask again.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// One value of each type. A copy of all of it is cheap, so that a part of a transaction that is
/// undone can also forget what it learned ([`super::Tx::attempt`]).
#[derive(Clone, Default)]
pub(crate) struct Kept(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Kept {
    /// The value of this type, if one is kept.
    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let value = Arc::clone(self.0.get(&TypeId::of::<T>())?);
        value.downcast().ok()
    }

    /// Takes the value of this type out, to change it: unless somebody else has it too, that is
    /// no copy.
    pub(crate) fn take<T: Any + Send + Sync + Clone>(&mut self) -> Option<T> {
        let value = self.0.remove(&TypeId::of::<T>())?;
        value.downcast().ok().map(Arc::unwrap_or_clone)
    }

    /// Keeps a value instead of the one of its type that was kept before.
    pub(crate) fn put<T: Any + Send + Sync>(&mut self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.0.insert(TypeId::of::<T>(), Arc::<T>::clone(&value));
        value
    }

    /// Whether a value of this type is kept.
    pub(crate) fn has<T: Any>(&self) -> bool {
        self.0.contains_key(&TypeId::of::<T>())
    }

    /// Forgets the value of this type.
    pub(crate) fn forget<T: Any>(&mut self) {
        self.0.remove(&TypeId::of::<T>());
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_type() {
        let mut kept = Kept::default();
        kept.put(7_i32);
        kept.put("text");
        kept.put(8_i32);
        let before = kept.clone();
        assert_eq!(kept.get::<i32>().as_deref(), Some(&8));
        assert_eq!(kept.take::<i32>(), Some(8));
        assert!(!kept.has::<i32>() && kept.has::<&str>());
        kept.forget::<&str>();
        assert_eq!(kept.get::<&str>(), None);
        assert_eq!(
            before.get::<i32>().as_deref(),
            Some(&8),
            "a copy of its own"
        );
        kept.put(1_u8);
        kept.clear();
        assert!(!kept.has::<u8>());
    }
}
