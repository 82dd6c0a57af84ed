//! How cells come to live in an open region.

use std::io::ErrorKind;
use std::sync::Arc;

use tokio::time::Instant;

use super::cells::{Cell, CellKey};
use super::open::Open;
use super::outside::Outside;
use super::sends::Sends;
use super::{Region, Source};
use crate::actor::entity::{Birth, Effect, EntityType, Journal};
use crate::base::EntityId;
use crate::codec::fields::version_of;
use crate::codec::tag;
use crate::replication::Row;
use crate::sharding::handle::EntityPath;
use crate::sharding::kinds::Kind;
use crate::sharding::shard::{group_of, slot_of};

/// The journal of one cell: what it did comes back to the region that started it.
struct CellJournal {
    region: Arc<Region>,
    source: Source,
}

impl Journal for CellJournal {
    fn record(&self, effect: Effect) {
        self.region.push(|events| events.effects.push((self.source, effect)));
    }
}

/// What a region knows of an entity before it lives.
pub(super) struct Newborn {
    pub(super) entity_type: u32,
    pub(super) shard: u32,
    pub(super) entity: EntityId,
    /// The name of the entity type.
    pub(super) name: String,
    run: &'static dyn EntityType,
    /// It stays in memory, also where it has nothing to do.
    stays: bool,
}

/// Where the activation of an entity has got to.
pub(super) enum Activation {
    /// Its cell runs.
    Live(CellKey),
    /// It is being loaded from a store outside of the cluster.
    Loading,
    /// Its type is not declared here yet.
    Undeclared,
    /// The store of this node has failed, and with it the node: another one will lead.
    Unreadable,
}

impl Open {
    /// Starts the cell of an entity from its replicated state, or begins to load it.
    pub(super) fn activate(&mut self, entity_type: u32, shard: u32, entity: &EntityId) -> Result<Activation, String> {
        let (name, run, store, stays) = match self.parts.kinds.get(entity_type) {
            Kind::Known { name, run, store, single } => (name, run, store, single),
            Kind::Undeclared => return Ok(Activation::Undeclared),
            Kind::Missing { name, why } => {
                self.lacks_a_type = true;
                return Err(format!("node {} leads the entity type `{name}`, but {why}", self.parts.node));
            }
        };
        let newborn = Newborn { entity_type, shard, entity: entity.clone(), name, run, stays };
        if let Some(store) = store {
            self.load(newborn, store);
            return Ok(Activation::Loading);
        }
        let row = self.parts.state.lock().row(entity_type, entity.as_str());
        let row = match row {
            Ok(row) => row.unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(format!("the state of `{entity}` cannot be read: {error}"));
            }
            Err(error) => {
                tracing::debug!(%entity, %error, "the state of an entity cannot be read here");
                return Ok(Activation::Unreadable);
            }
        };
        self.bear(newborn, row, None).map(Activation::Live)
    }

    /// Starts the cell of an entity that has this row.
    pub(super) fn bear(&mut self, newborn: Newborn, row: Row, outside: Option<Outside>) -> Result<CellKey, String> {
        let Newborn { entity_type, shard, entity, name, run, stays } = newborn;
        let Row { version, state, events } = row;
        let (stored, ours) = (state.as_deref().and_then(version_of), run.layout().map(|layout| layout.version));
        if stored > ours.or(Some(u32::MAX)) {
            self.lacks_a_type = true;
            return Err(format!(
                "node {} leads `{name}/{entity}`, but its program is older than the one that stored it last",
                self.parts.node
            ));
        }
        let key = self.cells.next_key();
        let source = Source { epoch: self.epoch, cell: key };
        let path = EntityPath::of(self.router.clone(), self.region.group(), entity_type, shard, entity.clone());
        let birth = Birth {
            id: entity.clone(),
            version,
            state,
            events,
            journal: Arc::new(CellJournal { region: self.region.clone(), source }),
            route: Arc::new(path),
            system: self.parts.system.clone(),
        };
        let cell = run.activate(birth).map_err(|error| format!("`{name}/{entity}` cannot start: {error}"))?;
        let (used, settings) = (Instant::now(), self.parts.kinds.settings(entity_type));
        // It is not in line itself yet: what it is born for comes to it first.
        self.make_room_for_one(used);
        let mut born = Cell {
            entity_type,
            entity,
            cell,
            outside,
            last_batch: 0,
            ended: false,
            version: 0,
            running: 0,
            used,
            look_at: None,
            stays_until: None,
            waiting: None,
            sends: Sends::default(),
            settings,
        };
        if !stays {
            let idle = born.settings.passivate_after();
            self.idle.look_after(key, &mut born, used, idle);
        }
        self.cells.insert(key, born);
        Ok(key)
    }

    /// Starts the singletons of the group that do not run.
    pub(super) fn start_singletons(&mut self) {
        for name in self.parts.kinds.singles() {
            let (entity, entity_type) = (EntityId::from(name.as_str()), tag(&name));
            if group_of(slot_of(&name, 0), self.parts.groups) != self.region.group()
                || self.cells.find(entity_type, &entity).is_some()
                || self.is_loading(entity_type, &entity)
            {
                continue;
            }
            if let Err(error) = self.activate(entity_type, 0, &entity) {
                tracing::warn!(singleton = name, %error, "a singleton does not run");
            }
        }
    }
}
