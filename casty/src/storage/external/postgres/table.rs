//! The table of entities, and the statements on it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use crate::base::BoxError;
use crate::storage::external::jobs::{Load, Save};
use crate::storage::{EntityKey, StoredEntity};

/// Has commits wait for the disk, and says whether text is what it is here, and whether the table is there.
const LOOK: &str = "SELECT
    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END,
    current_setting('server_encoding'),
    to_regclass('casty_entities') IS NOT NULL";

/// Two that make the same table at once would disturb each other, but for the lock.
const CREATE: &str = "BEGIN;
SELECT pg_advisory_xact_lock(6006115420651446645);
CREATE TABLE IF NOT EXISTS casty_entities (
    entity_type text NOT NULL,
    id text NOT NULL,
    revision bigint NOT NULL,
    row bytea NOT NULL,
    PRIMARY KEY (entity_type, id)
);
COMMIT";

const LOAD: &str = "SELECT stored.entity_type, stored.id, revision, row
    FROM unnest($1::text[], $2::text[]) AS wanted (entity_type, id)
    JOIN casty_entities AS stored ON stored.entity_type = wanted.entity_type AND stored.id = wanted.id";

/// One statement is one transaction. It gives the entities whose rows were saved.
const SAVE: &str = "WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) AS it (entity_type, id, expected, row)
), updated AS (
    UPDATE casty_entities AS stored SET revision = wanted.expected + 1, row = wanted.row FROM wanted
    WHERE stored.entity_type = wanted.entity_type AND stored.id = wanted.id
        AND wanted.expected > 0 AND stored.revision = wanted.expected
    RETURNING stored.entity_type, stored.id
), inserted AS (
    INSERT INTO casty_entities SELECT entity_type, id, 1, row FROM wanted WHERE expected = 0
    ON CONFLICT DO NOTHING
    RETURNING entity_type, id
)
SELECT * FROM updated UNION ALL SELECT * FROM inserted";

/// Makes a new connection fit for use, and the table if there is none.
pub(super) async fn prepare(client: &Client) -> Result<(), BoxError> {
    let found = client.query_typed(LOOK, &[]).await?;
    let [found] = &found[..] else { return Err("it does not answer as PostgreSQL does".into()) };
    let (encoding, there): (String, bool) = (found.try_get(1)?, found.try_get(2)?);
    if encoding != "UTF8" {
        return Err(format!("its encoding is {encoding}, which cannot hold every id: use one with UTF8").into());
    }
    if !there {
        client.batch_execute(CREATE).await?;
    }
    Ok(())
}

/// The rows of these entities, as far as there are any.
pub(super) async fn load(client: &Client, loads: &[Load]) -> Result<BTreeMap<EntityKey, StoredEntity>, Error> {
    if loads.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (types, ids) = columns(loads.iter().map(|load| &load.key));
    let rows = client.query_typed(LOAD, &[(&types, Type::TEXT_ARRAY), (&ids, Type::TEXT_ARRAY)]).await?;
    let stored = rows.iter().map(|row| {
        let (revision, bytes): (i64, Vec<u8>) = (row.try_get(2)?, row.try_get(3)?);
        Ok((key(row)?, StoredEntity { revision: revision.cast_unsigned(), row: bytes.into() }))
    });
    stored.collect()
}

/// Saves these rows, of which no two are of one entity. Gives the entities whose revision was the expected one.
pub(super) async fn save(client: &Client, saves: &[Save]) -> Result<BTreeSet<EntityKey>, Error> {
    if saves.is_empty() {
        return Ok(BTreeSet::new());
    }
    let (types, ids) = columns(saves.iter().map(|save| &save.key));
    // No row has more saves than the type has numbers.
    let expected: Vec<_> = saves.iter().map(|save| i64::try_from(save.expected).unwrap_or(i64::MAX - 1)).collect();
    let rows: Vec<&[u8]> = saves.iter().map(|save| &*save.row).collect();
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 4] = [
        (&types, Type::TEXT_ARRAY),
        (&ids, Type::TEXT_ARRAY),
        (&expected, Type::INT8_ARRAY),
        (&rows, Type::BYTEA_ARRAY),
    ];
    client.query_typed(SAVE, &parameters).await?.iter().map(key).collect()
}

fn columns<'a>(keys: impl Iterator<Item = &'a EntityKey>) -> (Vec<&'a str>, Vec<&'a str>) {
    keys.map(|key| (&*key.entity_type, key.id.as_str())).unzip()
}

fn key(row: &tokio_postgres::Row) -> Result<EntityKey, Error> {
    let (entity_type, id): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    Ok(EntityKey { entity_type: entity_type.into(), id: id.into() })
}
