//! The entity types of the cluster, as the meta group decided them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::acknowledge::Acknowledge;
use super::outside::OutsideStore;
use super::settings::TypeSettings;
use crate::actor::entity::EntityType;
use crate::actor::registration::Registry;
use crate::actor::remote::NoEntity;
use crate::actor::state::{Standing, StateShape};
use crate::actor::{Layout, StateMismatch};
use crate::codec::tag;

/// Entity types that a cluster can have, singletons among them. They are there for good, in the memory of every node and in every
/// snapshot of the meta group; and each region looks through all singletons.
pub(crate) const ENTITY_TYPES_MAX: usize = 4_096;

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
    /// The store outside of the cluster in which its entities are kept; `None` if their groups keep them.
    pub(crate) store: Option<String>,
    /// Every shape that its state ever had, the oldest first; none if it has no state.
    pub(crate) state: Vec<StateShape>,
}

impl Declaration {
    /// How requests name the type.
    pub(crate) fn tag(&self) -> u32 {
        tag(&self.name)
    }

    /// Whether both are of one entity type, whatever its state.
    pub(crate) fn is_of_type(&self, other: &Self) -> bool {
        let parts = |it: &Self| (it.name.clone(), it.actor.clone(), it.shards, it.single, it.store.clone());
        parts(self) == parts(other)
    }

    /// Whether this one says all that the other does: it may know later shapes of the state. Who has state and who has
    /// none are of one mind about nothing.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.is_of_type(other)
            && self.state.starts_with(&other.state)
            && (self.state.is_empty() || !other.state.is_empty())
    }
}

/// A declaration, and what this program makes of it.
struct Declared {
    declaration: Declaration,
    fit: Fit,
}

/// What a program makes of an entity type.
enum Fit {
    /// It can run it.
    Runs(&'static dyn EntityType, Standing),
    /// It lacks the actor.
    Lacks,
    /// It cannot read the state.
    Unfit(StateMismatch),
    /// Its node has not the store in which the entities are kept.
    LacksStore(String),
}

/// The entity types that this node knows of, and how to run them.
#[derive(Clone)]
pub(crate) struct Kinds {
    registry: Registry,
    stores: Arc<[OutsideStore]>,
    declared: Arc<RwLock<BTreeMap<u32, Declared>>>,
    /// Told of each new type, and of each new shape of a state.
    learned: Arc<watch::Sender<()>>,
    /// How types are answered of which the program says nothing.
    acknowledge: Acknowledge,
    settings: Arc<RwLock<BTreeMap<u32, TypeSettings>>>,
}

/// What a region makes of an entity type.
pub(crate) enum Kind {
    /// It runs it.
    Known {
        /// The name of the entity type.
        name: String,
        /// How to run it.
        run: &'static dyn EntityType,
        /// Where its entities are kept, if their groups do not keep them.
        store: Option<OutsideStore>,
        /// It is a singleton, which runs without being called.
        single: bool,
    },
    /// The program cannot run it.
    Missing {
        /// The name of the entity type.
        name: String,
        /// Why not.
        why: String,
    },
    /// The declaration has not reached this node yet.
    Undeclared,
}

impl Kinds {
    /// No type is declared yet.
    pub(crate) fn new(registry: Registry, acknowledge: Acknowledge) -> Self {
        Self {
            registry,
            stores: Arc::default(),
            declared: Arc::default(),
            learned: Arc::default(),
            acknowledge,
            settings: Arc::default(),
        }
    }

    /// The same, on a node that has these stores outside of the cluster.
    pub(crate) fn with_stores(self, stores: impl IntoIterator<Item = OutsideStore>) -> Self {
        Self { stores: stores.into_iter().collect(), ..self }
    }

    /// What this program says of the type with this tag, now and later.
    pub(crate) fn settings(&self, tag: u32) -> TypeSettings {
        let known = self.settings.read().get(&tag).cloned();
        known.unwrap_or_else(|| {
            let mut known = self.settings.write();
            if known.len() >= ENTITY_TYPES_MAX {
                // Not all that a program says something about comes to be declared.
                let declared = self.declared.read();
                known.retain(|tag, _| declared.contains_key(tag));
            }
            known.entry(tag).or_insert_with(|| TypeSettings::new(self.acknowledge)).clone()
        })
    }

    /// Takes in declarations. They only grow, so an older list does no harm.
    pub(crate) fn learn(&self, declarations: impl IntoIterator<Item = Declaration>) {
        let mut declared = self.declared.write();
        for declaration in declarations {
            let tag = declaration.tag();
            if declared.get(&tag).is_none_or(|known| known.declaration.state.len() < declaration.state.len()) {
                let fit = self.fit(&declaration);
                warn(&declaration, &fit);
                declared.insert(tag, Declared { declaration, fit });
                self.learned.send_replace(());
            }
        }
    }

    /// The declaration of an entity type whose state had these shapes until now, with that of this program if it is new.
    pub(crate) fn following(&self, ours: &Declaration, stored: &[StateShape]) -> Result<Declaration, StateMismatch> {
        let mut state = stored.to_vec();
        let layout = self.runner(ours).and_then(EntityType::layout);
        if standing(layout, stored)? == Standing::Newer {
            state.extend(layout.map(|layout| layout.reader().shape));
        }
        Ok(Declaration { state, ..ours.clone() })
    }

    /// The declarations of which this program has a newer version of the state.
    pub(crate) fn newer(&self) -> Vec<Declaration> {
        let declared = self.declared.read();
        let newer = |known: &&Declared| matches!(known.fit, Fit::Runs(_, Standing::Newer));
        declared.values().filter(newer).map(|known| known.declaration.clone()).collect()
    }

    /// Changes with each new type.
    pub(crate) fn learned(&self) -> watch::Receiver<()> {
        self.learned.subscribe()
    }

    /// The names of the singletons.
    pub(crate) fn singles(&self) -> Vec<String> {
        let declared = self.declared.read();
        let declarations = declared.values().map(|known| &known.declaration);
        declarations.filter(|declaration| declaration.single).map(|declaration| declaration.name.clone()).collect()
    }

    /// Whether this program is better not the one that runs some declared type.
    pub(crate) fn lacks(&self) -> bool {
        let declared = self.declared.read();
        declared.values().any(|known| !matches!(known.fit, Fit::Runs(_, Standing::Current | Standing::Newer)))
    }

    /// The declared type of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Declaration> {
        let declared = self.declared.read();
        let known = declared.get(&tag(name)).map(|known| &known.declaration);
        known.filter(|declaration| declaration.name == name).cloned()
    }

    /// Every declared type.
    #[cfg(test)]
    pub(crate) fn declared(&self) -> Vec<Declaration> {
        let declared = self.declared.read();
        declared.values().map(|known| known.declaration.clone()).collect()
    }

    /// The type of this name, whose actor is to be `actor`.
    pub(crate) fn find(&self, name: &str, actor: &str) -> Result<Declaration, NoEntity> {
        let found = self.named(name).ok_or_else(|| NoEntity::Undeclared { entity_type: name.to_owned() })?;
        if found.actor != actor {
            return Err(NoEntity::OtherActor {
                entity_type: name.to_owned(),
                expected: actor.to_owned(),
                found: found.actor,
            });
        }
        Ok(found)
    }

    /// How to run the type with this tag.
    pub(crate) fn get(&self, tag: u32) -> Kind {
        let declared = self.declared.read();
        let Some(Declared { declaration, fit }) = declared.get(&tag) else { return Kind::Undeclared };
        let name = declaration.name.clone();
        match fit {
            // It is being declared: nobody is given state of a version that not all know of.
            Fit::Runs(_, Standing::Newer) => Kind::Undeclared,
            Fit::Runs(run, _) => {
                let store = declaration.store.as_deref().and_then(|store| self.store(store)).cloned();
                Kind::Known { name, run: *run, store, single: declaration.single }
            }
            Fit::Lacks => {
                let actor = &declaration.actor;
                let why = format!("its program lacks the actor `{actor}`: is its crate linked (`use` it)?");
                Kind::Missing { name, why }
            }
            Fit::Unfit(why) => Kind::Missing { name, why: format!("its program cannot read the state: {why}") },
            Fit::LacksStore(store) => {
                let why = format!("it has not the store `{store}`: give it one with `ClusterConfig::entity_store`");
                Kind::Missing { name, why }
            }
        }
    }

    /// What this program makes of a declared type.
    fn fit(&self, declaration: &Declaration) -> Fit {
        match &declaration.store {
            Some(store) if self.store(store).is_none() => Fit::LacksStore(store.clone()),
            _ => fit(self.runner(declaration), declaration),
        }
    }

    fn store(&self, name: &str) -> Option<&OutsideStore> {
        self.stores.iter().find(|store| *store.name == *name)
    }

    fn runner(&self, declaration: &Declaration) -> Option<&'static dyn EntityType> {
        let registration = self.registry.get(&declaration.actor)?;
        registration.entity.or(registration.stateless.filter(|_| declaration.single))
    }
}

/// What a program makes of a declared type, which `run` runs in it.
fn fit(run: Option<&'static dyn EntityType>, declaration: &Declaration) -> Fit {
    let Some(run) = run else { return Fit::Lacks };
    match standing(run.layout(), &declaration.state) {
        Ok(standing) => Fit::Runs(run, standing),
        Err(why) => Fit::Unfit(why),
    }
}

/// How a program stands to the shapes that were ever stored.
fn standing(layout: Option<&'static Layout>, stored: &[StateShape]) -> Result<Standing, StateMismatch> {
    match (layout, stored.last()) {
        (Some(layout), _) => layout.reader().stands(stored),
        (None, None) => Ok(Standing::Current),
        (None, Some(newest)) => Err(StateMismatch::None { stored: newest.version }),
    }
}

fn warn(declaration: &Declaration, fit: &Fit) {
    let Declaration { name, actor, .. } = declaration;
    match fit {
        Fit::Runs(..) => {}
        Fit::Lacks => tracing::warn!(
            entity_type = name,
            actor,
            "this program lacks an actor that the cluster uses; is its crate linked (`use` it)?"
        ),
        Fit::Unfit(why) => {
            tracing::warn!(entity_type = name, actor, %why, "this program cannot read the cluster's state")
        }
        Fit::LacksStore(store) => {
            tracing::warn!(entity_type = name, store, "this node has not the store in which entities are kept")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::FieldOf;
    use crate::actor::entity::{Birth, EntityCell};
    use crate::base::BoxError;
    use crate::codec::Shape;
    use crate::sharding::Said;
    use crate::storage::MemoryEntityStore;

    fn declaration(state: Vec<StateShape>) -> Declaration {
        let (name, actor) = ("account".to_owned(), "bank.Account".to_owned());
        Declaration { name, actor, shards: 7, single: false, store: None, state }
    }

    /// A program whose actor has this layout.
    struct Program(Layout);

    impl EntityType for Program {
        fn layout(&self) -> Option<&'static Layout> {
            Some(Box::leak(Box::new(self.0)))
        }

        fn activate(&self, _birth: Birth) -> Result<Arc<dyn EntityCell>, BoxError> {
            Err("it runs nothing".into())
        }
    }

    const NUMBER: FieldOf = FieldOf { name: "number", has_default: false, shape: Shape::of::<u64> };
    const FIRST: Layout = Layout { fields: &[NUMBER], ..Layout::NONE };
    const SECOND: Layout = Layout { version: 2, ..FIRST };
    const OTHER: Layout = Layout { fields: &[FieldOf { shape: Shape::of::<u32>, ..NUMBER }], ..FIRST };

    fn fits(layout: Layout, stored: &[&Layout]) -> Fit {
        let stored = stored.iter().map(|layout| layout.reader().shape).collect();
        fit(Some(Box::leak(Box::new(Program(layout)))), &declaration(stored))
    }

    #[test]
    fn a_program_runs_what_it_reads_and_no_newer_version_before_that_is_declared() {
        assert!(matches!(fits(FIRST, &[&FIRST]), Fit::Runs(_, Standing::Current)));
        assert!(matches!(fits(FIRST, &[&FIRST, &SECOND]), Fit::Runs(_, Standing::Older)));
        assert!(matches!(fits(SECOND, &[&FIRST]), Fit::Runs(_, Standing::Newer)));
        assert!(matches!(fits(OTHER, &[&FIRST]), Fit::Unfit(StateMismatch::SameVersion { .. })));
        assert!(matches!(fit(None, &declaration(Vec::new())), Fit::Lacks));
        assert_eq!(standing(None, &[FIRST.reader().shape]), Err(StateMismatch::None { stored: 1 }));
    }

    #[test]
    fn a_node_runs_what_is_kept_in_a_store_only_if_it_has_the_store() {
        let stored = Declaration { store: Some("ledger".to_owned()), ..declaration(Vec::new()) };
        for name in ["ledger", "other"] {
            let store = OutsideStore { name: name.into(), store: Arc::new(MemoryEntityStore::new()) };
            let kinds = Kinds::new(Registry::load().unwrap(), Acknowledge::Quorum).with_stores([store]);
            // The program has no such actor either, which is said of the node that has the store.
            kinds.learn([stored.clone()]);
            let Kind::Missing { why, .. } = kinds.get(stored.tag()) else { panic!("it cannot run it") };
            assert_eq!(why.contains("the store `ledger`"), name == "other", "{why}");
            assert!(kinds.lacks());
        }
        assert!(!stored.is_of_type(&declaration(Vec::new())), "the cluster agrees on where entities are kept");
    }

    #[test]
    fn a_longer_list_of_shapes_takes_the_place_of_a_shorter_one_and_not_the_other_way_round() {
        let kinds = Kinds::new(Registry::load().unwrap(), Acknowledge::Quorum);
        let (short, long) =
            (declaration(vec![FIRST.reader().shape]), declaration(vec![FIRST.reader().shape, SECOND.reader().shape]));
        kinds.learn([short.clone(), long.clone()]);
        kinds.learn([short]);
        assert_eq!(kinds.declared(), [long]);
    }

    #[test]
    fn what_is_said_of_types_that_are_never_declared_is_let_go_of() {
        let kinds = Kinds::new(Registry::load().unwrap(), Acknowledge::Quorum);
        let account = declaration(Vec::new());
        kinds.learn([account.clone()]);
        kinds.settings(account.tag()).say(Said { acknowledge: Some(Acknowledge::Leader), passivate_after: None });
        let others = (0..).filter(|tag| *tag != account.tag());
        others.take(2 * ENTITY_TYPES_MAX).for_each(|tag| drop(kinds.settings(tag)));
        assert!(kinds.settings.read().len() <= ENTITY_TYPES_MAX);
        assert!(kinds.settings(account.tag()).at_once());
    }

    #[test]
    fn a_reference_is_to_a_type_that_is_known_and_to_the_actor_behind_it() {
        let kinds = Kinds::new(Registry::load().unwrap(), Acknowledge::Quorum);
        let account = declaration(Vec::new());
        let unknown = NoEntity::Undeclared { entity_type: "account".to_owned() };
        assert_eq!(kinds.find("account", "bank.Account"), Err(unknown));
        kinds.learn([account.clone()]);
        assert_eq!(kinds.find("account", "bank.Account"), Ok(account));
        let error = kinds.find("account", "bank.Branch").unwrap_err();
        assert!(matches!(&error, NoEntity::OtherActor { found, .. } if found == "bank.Account"), "{error}");
    }
}
