//! The entity types of the cluster, as the meta group decided them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::actor::entity::EntityType;
use crate::actor::registration::Registry;
use crate::actor::remote::NoEntity;
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
    /// It is a singleton: its one entity has the name of the type, and runs without being called.
    pub(crate) single: bool,
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
    /// Told of each new type.
    learned: Arc<watch::Sender<()>>,
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
        Self { registry, declared: Arc::default(), learned: Arc::default() }
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
                self.learned.send_replace(());
            }
        }
    }

    /// Changes with each new type.
    pub(crate) fn learned(&self) -> watch::Receiver<()> {
        self.learned.subscribe()
    }

    /// The names of the singletons.
    pub(crate) fn singles(&self) -> Vec<String> {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        declared.values().filter(|declaration| declaration.single).map(|declaration| declaration.name.clone()).collect()
    }

    /// Whether this program lacks the actor of a declared type.
    pub(crate) fn lacks(&self) -> bool {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        declared.values().any(|declaration| !self.has(declaration))
    }

    /// The declared type of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Declaration> {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        declared.get(&tag(name)).filter(|declaration| declaration.name == name).cloned()
    }

    /// Every declared type.
    #[cfg(test)]
    pub(crate) fn declared(&self) -> Vec<Declaration> {
        self.declared.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The type of this name, whose actor is to be `actor`.
    pub(crate) fn find(&self, name: &str, actor: &str) -> Result<Declaration, NoEntity> {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let found = declared.get(&tag(name)).filter(|declaration| declaration.name == name);
        let found = found.ok_or_else(|| NoEntity::Undeclared { entity_type: name.to_owned() })?;
        if found.actor != actor {
            return Err(NoEntity::OtherActor {
                entity_type: name.to_owned(),
                expected: actor.to_owned(),
                found: found.actor.clone(),
            });
        }
        Ok(found.clone())
    }

    /// How to run the type with this tag.
    pub(crate) fn get(&self, tag: u32) -> Kind {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let Some(declaration) = declared.get(&tag) else { return Kind::Undeclared };
        match self.runner(declaration) {
            Some(run) => Kind::Known { name: declaration.name.clone(), run },
            None => Kind::Missing(declaration.clone()),
        }
    }

    fn has(&self, declaration: &Declaration) -> bool {
        self.runner(declaration).is_some()
    }

    fn runner(&self, declaration: &Declaration) -> Option<&'static dyn EntityType> {
        let registration = self.registry.get(&declaration.actor)?;
        registration.entity.or(registration.stateless.filter(|_| declaration.single))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_to_a_type_that_is_known_and_to_the_actor_behind_it() {
        let kinds = Kinds::new(Registry::load().unwrap());
        let account =
            Declaration { name: "account".to_owned(), actor: "bank.Account".to_owned(), shards: 7, single: false };
        let unknown = NoEntity::Undeclared { entity_type: "account".to_owned() };
        assert_eq!(kinds.find("account", "bank.Account"), Err(unknown));
        kinds.learn([account.clone()]);
        assert_eq!(kinds.find("account", "bank.Account"), Ok(account));
        let error = kinds.find("account", "bank.Branch").unwrap_err();
        assert!(matches!(&error, NoEntity::OtherActor { found, .. } if found == "bank.Account"), "{error}");
    }
}
