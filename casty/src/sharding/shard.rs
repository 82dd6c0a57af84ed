//! Entity -> shard -> slot -> group, as pure arithmetic. Part of what is stored: it may never change.

use crate::base::{GroupId, stable_hash, stable_hash_parts};

/// The slots that all entity types share. Groups own slots, so a slot is what moves when the cluster grows.
pub const SLOTS: u32 = 4096;

/// Data groups for each node that the cluster is founded with. A group costs CPU per log entry, so few groups with
/// large entries beat many small ones.
pub const GROUPS_PER_NODE: usize = 4;

/// The shard of an entity, in `0..shards`.
pub fn shard_of(entity: &str, shards: u32) -> u32 {
    (stable_hash(entity.as_bytes()) % u64::from(shards.max(1))) as u32
}

/// The slot of a shard, in `0..SLOTS`.
pub fn slot_of(entity_type: &str, shard: u32) -> u32 {
    (stable_hash_parts(&[entity_type.as_bytes(), &shard.to_le_bytes()]) % u64::from(SLOTS)) as u32
}

/// The data group that owns a slot, where `groups` groups were made at the founding.
pub(crate) fn group_of(slot: u32, groups: u16) -> GroupId {
    GroupId(1 + (slot % u32::from(groups.max(1))) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_places_an_entity_alike() {
        // Literals, so that a salted or changed hash is seen.
        assert_eq!(shard_of("user-1", 100), 57);
        assert_eq!(slot_of("account", 57), 2000);
        assert_eq!(group_of(2000, 12), GroupId(9));
    }

    #[test]
    fn entities_spread_over_all_groups() {
        let mut seen = std::collections::HashSet::new();
        for n in 0..1000 {
            seen.insert(group_of(slot_of("account", shard_of(&format!("user-{n}"), 100)), 12));
        }
        assert_eq!(seen.len(), 12);
    }
}
