//! How cells come to live in an open region.

use std::sync::Arc;

use super::cells::{Cell, CellKey};
use super::open::Open;
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

impl Open {
    /// Starts the cell of an entity from its replicated state. `None`: its type is not declared here yet.
    pub(super) fn activate(
        &mut self,
        entity_type: u32,
        shard: u32,
        entity: &EntityId,
    ) -> Result<Option<CellKey>, String> {
        let (name, run): (String, &'static dyn EntityType) = match self.parts.kinds.get(entity_type) {
            Kind::Known { name, run } => (name, run),
            Kind::Undeclared => return Ok(None),
            Kind::Missing { name, why } => {
                self.lacks_a_type = true;
                return Err(format!("node {} leads the entity type `{name}`, but {why}", self.parts.node));
            }
        };
        let row = self.parts.state.lock().row(entity_type, entity.as_str());
        let Row { version, state, events } =
            row.map_err(|error| format!("the state of `{entity}` cannot be read: {error}"))?.unwrap_or_default();
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
        let (sends, entity) = (Sends::default(), entity.clone());
        let acknowledging = self.parts.kinds.acknowledging(entity_type);
        self.cells.insert(key, Cell { entity_type, entity, cell, last_batch: 0, ended: false, sends, acknowledging });
        Ok(Some(key))
    }

    /// Starts the singletons of the group that do not run.
    pub(super) fn start_singletons(&mut self) {
        for name in self.parts.kinds.singles() {
            let (entity, entity_type) = (EntityId::from(name.as_str()), tag(&name));
            if group_of(slot_of(&name, 0), self.parts.groups) != self.region.group()
                || self.cells.find(entity_type, &entity).is_some()
            {
                continue;
            }
            if let Err(error) = self.activate(entity_type, 0, &entity) {
                tracing::warn!(singleton = name, %error, "a singleton does not run");
            }
        }
    }
}
