//! What the cluster knows of the state of an actor type, and which programs may read it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Layout;

/// What one version of a program stores: the fields, and a fingerprint of what each of them is; and the same of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateShape {
    /// The version of the layout.
    pub version: u32,
    /// The fingerprint of each field's [shape](crate::codec::Shape), by name.
    pub fields: BTreeMap<String, u64>,
    /// The fingerprint of the shape of its events, if events change it.
    pub events: Option<u64>,
}

/// A program cannot read what is stored, or stores it otherwise under the same version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateMismatch {
    /// Two programs differ in a field, and not in the version.
    #[error("the field `{field}` differs, and both have version {version}: raise the version of this program's state")]
    SameVersion {
        /// The name of the field.
        field: String,
        /// The version of both.
        version: u32,
    },
    /// A stored field has another type here.
    #[error(
        "the field `{field}` of version {stored} has another type in version {version}: say how it becomes the other, \
         `migrate({stored} = …)`"
    )]
    Type {
        /// The name of the field, as it was stored.
        field: String,
        /// The version that is stored.
        stored: u32,
        /// The version of this program.
        version: u32,
    },
    /// A field is not stored.
    #[error(
        "version {stored} has no field `{field}`, and version {version} of this program no default for it: say \
         `default({field})` or `renamed({field} = …)`"
    )]
    Missing {
        /// The name of the field.
        field: String,
        /// The version that is stored.
        stored: u32,
        /// The version of this program.
        version: u32,
    },
    /// A stored field has no place.
    #[error(
        "version {stored} has a field `{field}`, and version {version} of this program has none: say `removed({field})` \
         or `renamed(… = {field})`"
    )]
    Unknown {
        /// The name of the field.
        field: String,
        /// The version that is stored.
        stored: u32,
        /// The version of this program.
        version: u32,
    },
    /// Two programs differ in the events, and not in the version.
    #[error("the events differ, and both have version {version}: raise the version of this program's state")]
    SameVersionEvents {
        /// The version of both.
        version: u32,
    },
    /// Recorded events have another type here.
    #[error(
        "the events of version {stored} have another type in version {version}: say how one becomes the other, \
         `upcast({stored} = …)`"
    )]
    Events {
        /// The version that is stored.
        stored: u32,
        /// The version of this program.
        version: u32,
    },
    /// Events were recorded, and there are none here.
    #[error("version {stored} has events, and version {version} of this program none: say which, `events = …`")]
    NoEvents {
        /// The version that is stored.
        stored: u32,
        /// The version of this program.
        version: u32,
    },
    /// This program is older than all that the cluster knows.
    #[error(
        "version {version} of this program is older than version {stored}, and the cluster never had it: update it"
    )]
    Older {
        /// The newest version that the cluster has.
        stored: u32,
        /// The version of this program.
        version: u32,
    },
    /// There is state, and none here.
    #[error("there is state of version {stored}, and this program has none")]
    None {
        /// The newest version that the cluster has.
        stored: u32,
    },
}

/// How a program stands to what the cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has the newest version.
    Current,
    /// It has an earlier one.
    Older,
    /// It has a newer one, and reads all others.
    Newer,
}

/// What a program stores, and what it says of earlier versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    /// What it stores.
    pub(crate) shape: StateShape,
    /// The fields that earlier versions may lack.
    pub(crate) defaults: BTreeSet<String>,
    /// The fields that had another name: that name, and today's.
    pub(crate) renamed: BTreeMap<String, String>,
    /// The fields of earlier versions that are dropped.
    pub(crate) removed: BTreeSet<String>,
    /// The versions that are migrated to the next.
    pub(crate) migrated: BTreeSet<u32>,
    /// The versions of which an event is made one of today's.
    pub(crate) upcast: BTreeSet<u32>,
}

impl Layout {
    /// What a program with this layout stores and reads. Runs the fields' `Deserialize`.
    pub(crate) fn reader(&self) -> Reader {
        let name = |name: &&str| (*name).to_owned();
        let fields = self.fields.iter().map(|field| (field.name.to_owned(), (field.shape)().fingerprint()));
        let events = self.events.map(|events| (events.shape)().fingerprint());
        Reader {
            shape: StateShape { version: self.version, fields: fields.collect(), events },
            defaults: self.fields.iter().filter(|field| field.has_default).map(|field| name(&field.name)).collect(),
            renamed: self.renamed.iter().map(|(now, before)| (name(before), name(now))).collect(),
            removed: self.removed.iter().map(name).collect(),
            migrated: self.migrations.iter().map(|(from, _)| *from).collect(),
            upcast: self.events.iter().flat_map(|events| events.upcast).copied().collect(),
        }
    }
}

impl Reader {
    /// A program that stores this, and says nothing of earlier versions.
    pub(crate) fn of(shape: StateShape) -> Self {
        let (defaults, renamed, removed, migrated, upcast) = Default::default();
        Self { shape, defaults, renamed, removed, migrated, upcast }
    }

    /// How the program stands to what was ever stored, the oldest first.
    pub(crate) fn stands(&self, stored: &[StateShape]) -> Result<Standing, StateMismatch> {
        let version = self.shape.version;
        let newest = stored.last().map_or(0, |shape| shape.version);
        if let Some(same) = stored.iter().find(|shape| shape.version == version) {
            if let Some(field) = differing(&self.shape, same) {
                return Err(StateMismatch::SameVersion { field, version });
            }
            if self.shape.events != same.events {
                return Err(StateMismatch::SameVersionEvents { version });
            }
        } else if newest > version {
            return Err(StateMismatch::Older { stored: newest, version });
        }
        stored.iter().filter(|shape| shape.version < version).try_for_each(|older| self.reads(older))?;
        Ok(match newest.cmp(&version) {
            Ordering::Equal => Standing::Current,
            Ordering::Greater => Standing::Older,
            Ordering::Less => Standing::Newer,
        })
    }

    /// Whether it reads what an older version stored. What a migration makes of it is seen when it runs.
    fn reads(&self, older: &StateShape) -> Result<(), StateMismatch> {
        let (stored, version) = (older.version, self.shape.version);
        match (older.events, self.shape.events) {
            (Some(_), None) => return Err(StateMismatch::NoEvents { stored, version }),
            (Some(theirs), Some(ours)) if theirs != ours && !self.upcast.contains(&stored) => {
                return Err(StateMismatch::Events { stored, version });
            }
            _ => {}
        }
        if self.migrated.range(stored..version).next().is_some() {
            return Ok(());
        }
        let mut filled = BTreeSet::new();
        for (field, print) in &older.fields {
            let now = self.renamed.get(field).unwrap_or(field);
            match self.shape.fields.get(now) {
                None if self.removed.contains(field) => {}
                None => return Err(StateMismatch::Unknown { field: field.clone(), stored, version }),
                Some(ours) if ours != print => {
                    return Err(StateMismatch::Type { field: field.clone(), stored, version });
                }
                Some(_) => {
                    filled.insert(now);
                }
            }
        }
        let missing = |field: &&String| !self.defaults.contains(*field) && !filled.contains(field);
        match self.shape.fields.keys().find(missing) {
            Some(field) => Err(StateMismatch::Missing { field: field.clone(), stored, version }),
            None => Ok(()),
        }
    }
}

/// A field that two shapes do not have alike.
fn differing(one: &StateShape, other: &StateShape) -> Option<String> {
    let missing = |a: &StateShape, b: &StateShape| {
        let field = a.fields.iter().find(|(name, print)| b.fields.get(*name) != Some(print));
        field.map(|(name, _)| name.clone())
    };
    missing(one, other).or_else(|| missing(other, one))
}

#[cfg(test)]
mod tests {
    use super::super::{EventsOf, FieldOf, OldState};
    use super::*;
    use crate::base::BoxError;
    use crate::codec::Shape;

    const NUMBER: FieldOf = FieldOf { name: "number", has_default: false, shape: Shape::of::<u64> };
    const TEXT: FieldOf = FieldOf { name: "text", has_default: false, shape: Shape::of::<String> };
    const FIRST: Layout = Layout { version: 1, fields: &[NUMBER, TEXT], ..Layout::NONE };

    fn stands(layout: &Layout, stored: &[&Layout]) -> Result<Standing, StateMismatch> {
        layout.reader().stands(&stored.iter().map(|layout| layout.reader().shape).collect::<Vec<_>>())
    }

    #[test]
    fn the_same_shape_stands_and_another_needs_another_version() {
        assert_eq!(stands(&FIRST, &[]), Ok(Standing::Newer));
        assert_eq!(stands(&FIRST, &[&FIRST]), Ok(Standing::Current));
        let other = Layout { fields: &[NUMBER], ..FIRST };
        let differs = |field: &str| Err(StateMismatch::SameVersion { field: field.to_owned(), version: 1 });
        assert_eq!(stands(&other, &[&FIRST]), differs("text"));
        assert_eq!(stands(&FIRST, &[&other]), differs("text"));
        let typed = Layout { fields: &[FieldOf { shape: Shape::of::<u32>, ..NUMBER }, TEXT], ..FIRST };
        assert_eq!(stands(&typed, &[&FIRST]), differs("number"));
    }

    #[test]
    fn a_newer_version_accounts_for_every_field() {
        let second = Layout { version: 2, ..FIRST };
        assert_eq!(stands(&second, &[&FIRST]), Ok(Standing::Newer));
        let fewer = Layout { fields: &[NUMBER], ..second };
        let unknown = StateMismatch::Unknown { field: "text".to_owned(), stored: 1, version: 2 };
        assert_eq!(stands(&fewer, &[&FIRST]), Err(unknown));
        assert_eq!(stands(&Layout { removed: &["text"], ..fewer }, &[&FIRST]), Ok(Standing::Newer));
        const MORE: FieldOf = FieldOf { name: "more", has_default: false, shape: Shape::of::<u8> };
        let more = Layout { fields: &[NUMBER, TEXT, MORE], ..second };
        let missing = StateMismatch::Missing { field: "more".to_owned(), stored: 1, version: 2 };
        assert_eq!(stands(&more, &[&FIRST]), Err(missing));
        let default = Layout { fields: &[NUMBER, TEXT, FieldOf { has_default: true, ..MORE }], ..second };
        assert_eq!(stands(&default, &[&FIRST]), Ok(Standing::Newer));
        let renamed =
            Layout { fields: &[NUMBER, FieldOf { name: "name", ..TEXT }], renamed: &[("name", "text")], ..second };
        assert_eq!(stands(&renamed, &[&FIRST]), Ok(Standing::Newer));
    }

    #[test]
    fn a_type_changes_by_a_migration_only() {
        fn migrate(_: &mut OldState) -> Result<(), BoxError> {
            Ok(())
        }
        let second = Layout { version: 2, fields: &[FieldOf { shape: Shape::of::<u32>, ..NUMBER }, TEXT], ..FIRST };
        let typed = StateMismatch::Type { field: "number".to_owned(), stored: 1, version: 2 };
        assert_eq!(stands(&second, &[&FIRST]), Err(typed));
        assert_eq!(stands(&Layout { migrations: &[(1, migrate)], ..second }, &[&FIRST]), Ok(Standing::Newer));
    }

    #[test]
    fn events_change_with_the_version_and_are_made_ones_of_today() {
        const EVENTS: EventsOf = EventsOf { shape: Shape::of::<u64>, snapshot_every: 1, upcast: &[] };
        const OTHER: EventsOf = EventsOf { shape: Shape::of::<u32>, ..EVENTS };
        let first = Layout { events: Some(EVENTS), ..FIRST };
        assert_eq!(stands(&first, &[&first]), Ok(Standing::Current));
        let same = Err(StateMismatch::SameVersionEvents { version: 1 });
        assert_eq!(stands(&FIRST, &[&first]), same);
        assert_eq!(stands(&first, &[&FIRST]), same);
        assert_eq!(stands(&Layout { events: Some(OTHER), ..FIRST }, &[&first]), same);
        let second = |events| Layout { version: 2, events, ..FIRST };
        assert_eq!(stands(&second(Some(EVENTS)), &[&first]), Ok(Standing::Newer));
        assert_eq!(stands(&second(Some(EVENTS)), &[&FIRST]), Ok(Standing::Newer), "there were none before");
        assert_eq!(stands(&second(None), &[&first]), Err(StateMismatch::NoEvents { stored: 1, version: 2 }));
        let typed = Err(StateMismatch::Events { stored: 1, version: 2 });
        assert_eq!(stands(&second(Some(OTHER)), &[&first]), typed);
        let upcast = EventsOf { upcast: &[1], ..OTHER };
        assert_eq!(stands(&second(Some(upcast)), &[&first]), Ok(Standing::Newer));
    }

    #[test]
    fn every_version_that_was_ever_stored_has_to_be_read() {
        let second = Layout { version: 2, fields: &[NUMBER], removed: &["text"], ..Layout::NONE };
        let third = Layout { version: 3, removed: &[], ..second };
        assert_eq!(stands(&third, &[&second]), Ok(Standing::Newer));
        let unknown = StateMismatch::Unknown { field: "text".to_owned(), stored: 1, version: 3 };
        assert_eq!(stands(&third, &[&FIRST, &second]), Err(unknown));
    }

    #[test]
    fn an_older_program_may_go_on_if_the_cluster_had_it() {
        let second = Layout { version: 2, ..FIRST };
        assert_eq!(stands(&FIRST, &[&FIRST, &second]), Ok(Standing::Older));
        assert_eq!(stands(&FIRST, &[&second]), Err(StateMismatch::Older { stored: 2, version: 1 }));
    }
}
