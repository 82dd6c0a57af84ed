//! The entity types of the cluster, as the meta group decided them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::actor::entity::EntityType;
use crate::actor::registration::Registry;
use crate::codec::tag;

/// One declared entity type: what `sharded(name).shards(n).start()` said first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Declaration {
    /// The name of the entity type: `"account"`.
    pub(crate) name: String,
    /// The wire name of the actor behind it.
    pub(crate) actor: String,
    /// The number of shards, fixed for the life of the type.
    pub(crate) shards: u32,
}

impl Declaration {
    /// How requests name the type.
    pub(crate) fn tag(&self) -> u32 {
        tag(&self.name)
    }
}

/// The entity types that this node knows of, and how to run them.
#[derive(Clone)]
pub(crate) struct Kinds {
    registry: Registry,
    declared: Arc<RwLock<BTreeMap<u32, Declaration>>>,
}

/// What a region makes of an entity type.
pub(crate) enum Kind {
    /// It runs it.
    Known {
        /// The name of the entity type.
        name: String,
        /// How to run it.
        run: &'static dyn EntityType,
    },
    /// The program lacks the actor.
    Missing(Declaration),
    /// The declaration has not reached this node yet.
    Undeclared,
}

impl Kinds {
    /// No type is declared yet.
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, declared: Arc::default() }
    }

    /// Takes in declarations. They never change, so an older list does no harm.
    pub(crate) fn learn(&self, declarations: impl IntoIterator<Item = Declaration>) {
        let mut declared = self.declared.write().unwrap_or_else(PoisonError::into_inner);
        for declaration in declarations {
            let tag = declaration.tag();
            if let std::collections::btree_map::Entry::Vacant(place) = declared.entry(tag) {
                if !self.has(&declaration) {
                    tracing::warn!(
                        entity_type = declaration.name,
                        actor = declaration.actor,
                        "this program lacks an actor that the cluster uses; is its crate linked (`use` it)?"
                    );
                }
                place.insert(declaration);
            }
        }
    }

    /// Whether this program lacks the actor of a declared type.
    pub(crate) fn lacks(&self) -> bool {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        declared.values().any(|declaration| !self.has(declaration))
    }

    /// Every declared type.
    #[cfg(test)]
    pub(crate) fn declared(&self) -> Vec<Declaration> {
        self.declared.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How to run the type with this tag.
    pub(crate) fn get(&self, tag: u32) -> Kind {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let Some(declaration) = declared.get(&tag) else { return Kind::Undeclared };
        match self.registry.get(&declaration.actor).and_then(|registration| registration.entity) {
            Some(run) => Kind::Known { name: declaration.name.clone(), run },
            None => Kind::Missing(declaration.clone()),
        }
    }

    fn has(&self, declaration: &Declaration) -> bool {
        self.registry.get(&declaration.actor).is_some_and(|registration| registration.entity.is_some())
    }
}
