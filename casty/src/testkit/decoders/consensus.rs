//! What replicas of a group decode.

use bytes::Bytes;

use super::whole::{spelled, whole};
use crate::base::{NodeKey, RequestId, SessionId};
use crate::codec::fields::{ChangeBytes, Fields, StateBytes};
use crate::raft::{Envelope, Machine};
use crate::replication::{
    Command, GroupState, Record, Reply, SharedState, decode_command, encode_batch_header, encode_expire,
};
use crate::storage::{MemoryState, RowBatch};

/// A frame of a consensus group, without the cluster's id before it.
pub fn consensus(bytes: &[u8]) -> bool {
    let encode = |envelope: &Envelope| {
        let mut out = Vec::new();
        envelope.encode(&mut out);
        out
    };
    whole(bytes, |bytes| Envelope::decode(bytes).ok(), encode)
}

/// A log entry of a data group. Replicas apply whatever was committed, readable or not, and stay alike.
pub fn log_entry(bytes: &[u8]) -> bool {
    let read =
        whole(bytes, |bytes| decode_command(bytes).ok().map(|command| command_bytes(&command)), |bytes| bytes.clone());
    let mut table = table();
    for index in 1..3 {
        let applied = table.apply(index, &Bytes::copy_from_slice(bytes));
        assert!(applied.is_ok(), "an entry stops its group: {applied:?}");
    }
    let (head, rows) = kept(&table);
    assert!(snapshot(&head), "the table that an entry makes cannot be restored: {head:?}");
    assert!(self::rows(&rows), "the rows that an entry makes cannot be restored: {rows:?}");
    read
}

/// Rows of a table, as a leader sends them.
pub fn rows(bytes: &[u8]) -> bool {
    let parse = |bytes: &[u8]| RowBatch::parse(Bytes::copy_from_slice(bytes)).ok();
    whole(bytes, parse, |batch| {
        let mut again = RowBatch::builder();
        assert!(batch.iter().all(|(key, value)| again.push(key, value).is_ok()));
        let again = again.build();
        assert!(again.rows() == batch.rows(), "rows are lost");
        again.bytes().to_vec()
    })
}

/// What a leader sends of a data group beside its rows.
pub fn snapshot(bytes: &[u8]) -> bool {
    let restore = |bytes: &[u8]| {
        let mut table = table();
        table.restore(bytes, None).ok().map(|()| table)
    };
    let restored = whole(bytes, restore, |table| kept(table).0);
    if let Some(mut table) = restore(bytes) {
        for (index, entry) in (1..).zip(entries()) {
            let applied = table.apply(index, &entry.into());
            assert!(applied.is_ok(), "an entry stops a group that was restored: {applied:?}");
        }
    }
    restored
}

fn table() -> SharedState {
    SharedState::new(GroupState::new(Box::new(MemoryState::default())))
}

/// The head of a table, and its rows.
fn kept(table: &SharedState) -> (Vec<u8>, Vec<u8>) {
    let kept = table.lock().whole();
    assert!(kept.is_ok(), "a table cannot be kept: {:?}", kept.as_ref().err());
    kept.map(|(head, rows)| (head.to_vec(), rows.bytes().to_vec())).unwrap_or_default()
}

fn command_bytes(command: &Command<'_>) -> Vec<u8> {
    match command {
        Command::Batch(records) => batch(records),
        Command::Expire(origin) => expire(*origin),
    }
}

fn batch(records: &[Record<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_batch_header(&mut out);
    records.iter().for_each(|record| out.extend(spelled(record)));
    out
}

fn change(change: &ChangeBytes<'_>) -> Vec<u8> {
    let encoded = change.encode();
    assert!(encoded.is_ok());
    encoded.unwrap_or_default()
}

fn expire(origin: NodeKey) -> Vec<u8> {
    let expire = encode_expire(origin);
    assert!(expire.is_ok());
    expire.unwrap_or_default()
}

pub(super) fn entries() -> Vec<Vec<u8>> {
    let fields = |value| Fields::from([("balance", value), ("limit", value)]);
    let whole = change(&ChangeBytes::Whole(StateBytes { version: 300, fields: fields(b"state") }));
    let some = change(&ChangeBytes::Some(fields(b"")));
    let session = SessionId { origin: NodeKey(9), entity_type: 1, shard: 7 };
    let first = Record {
        entity_type: 1,
        entity: "alice",
        version: 1,
        request: Some(RequestId { session, sequence: 12 }),
        floor: 10,
        change: Some(&whole),
        reply: Reply::Value(b"reply"),
    };
    let second = Record { version: 2, request: None, change: None, reply: Reply::Failed, ..first };
    let third = Record { version: 3, change: Some(&some), ..second };
    let snapshot = change(&ChangeBytes::Snapshot(StateBytes { version: 1, fields: fields(b"") }));
    let events = change(&ChangeBytes::Events(b"\x02on\x00"));
    let fourth = Record { entity: "bob", change: Some(&snapshot), request: None, ..first };
    let fifth = Record { version: 2, change: Some(&events), ..fourth };
    let sixth = Record { version: 3, change: Some(&snapshot), ..fourth };
    vec![batch(&[first, second, third]), batch(&[fourth, fifth]), batch(&[sixth]), batch(&[]), expire(NodeKey(300))]
}

pub(super) fn snapshots() -> Vec<Vec<u8>> {
    tables().iter().map(|table| kept(table).0).collect()
}

pub(super) fn batches() -> Vec<Vec<u8>> {
    tables().iter().map(|table| kept(table).1).collect()
}

/// The tables that the entries make, one after the other.
fn tables() -> Vec<SharedState> {
    let made = |count: usize| {
        let mut table = table();
        for (index, entry) in (1..).zip(entries()).take(count) {
            let applied = table.apply(index, &entry.into());
            assert!(applied.is_ok());
        }
        table
    };
    (0..=entries().len()).map(made).collect()
}
