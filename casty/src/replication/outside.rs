//! The row of an entity that is kept outside of the cluster: what the table of its group would hold of it.

use bytes::Bytes;

use super::{Record, Recorded, Row, SessionTable};
use crate::base::{BoxError, NodeKey, RequestId, SessionId};
use crate::codec::{decode_prefix, encode_into};

/// How a row is spelled, its first byte. Another spelling gets another number.
const FORMAT: u8 = 1;

/// The row of one entity, and the answers to its requests that may still be asked for.
#[derive(Debug, Default)]
pub(crate) struct OutsideRow {
    row: Row,
    answers: SessionTable,
}

impl OutsideRow {
    /// Reads what [`encode`](Self::encode) wrote.
    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, BoxError> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => {
                let (parts, used) = decode_prefix::<(u64, Option<Bytes>, Vec<Bytes>, SessionTable)>(rest)?;
                let (version, state, events, answers) = parts;
                if used != rest.len() {
                    return Err(format!("{} bytes are left over", rest.len() - used).into());
                }
                Ok(Self { row: Row { version, state, events }, answers })
            }
            _ => Err("a program of another version has saved it, or something else than casty".into()),
        }
    }

    /// The row as bytes.
    pub(crate) fn encode(&self) -> Result<Bytes, BoxError> {
        let mut out = vec![FORMAT];
        let Row { version, state, events } = &self.row;
        encode_into(&(version, state, events, &self.answers), &mut out)?;
        Ok(out.into())
    }

    /// What there is of the entity.
    pub(crate) fn row(&self) -> &Row {
        &self.row
    }

    /// Takes in what a handler did, as the table of a group would.
    pub(crate) fn apply(&mut self, record: &Record<'_>) -> Result<(), BoxError> {
        if Some(record.version) != self.row.version.checked_add(1) {
            return Err(format!("version {} follows version {}", record.version, self.row.version).into());
        }
        if let Some(change) = record.change {
            self.row.apply(change)?;
        }
        self.row.version = record.version;
        if let Some(id) = record.request {
            self.answers.record(id, record.floor, Recorded::from(record.reply));
        }
        Ok(())
    }

    /// The answer to a request, if it has one.
    pub(crate) fn recorded(&self, id: RequestId) -> Option<&Recorded> {
        self.answers.recorded(id)
    }

    /// Lets go of the answers that nobody asks for any more: below these floors, and of origins that are refused.
    pub(crate) fn prune(&mut self, floor: impl Fn(SessionId) -> Option<u64>, refused: impl Fn(NodeKey) -> bool) {
        self.answers.prune(floor, refused);
    }

    /// Whose requests it has answers to.
    pub(crate) fn origins(&self) -> impl Iterator<Item = NodeKey> {
        self.answers.origins().into_iter()
    }

    /// Roughly how many bytes the answers take.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.answers.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::fields::{ChangeBytes, Fields, StateBytes};
    use crate::replication::Reply;

    fn request(origin: u64, sequence: u64) -> RequestId {
        RequestId { session: SessionId { origin: NodeKey(origin), entity_type: 7, shard: 0 }, sequence }
    }

    fn write(version: u64, request: RequestId, value: &'static [u8]) -> Record<'static> {
        let whole = ChangeBytes::Whole(StateBytes { version: 1, fields: Fields::from([("field", value)]) });
        Record {
            entity_type: 7,
            entity: "a",
            version,
            request: Some(request),
            floor: 0,
            change: Some(whole.encode().unwrap().leak()),
            reply: Reply::Value(value),
        }
    }

    #[test]
    fn a_row_reads_back_with_its_state_and_its_answers() {
        let mut row = OutsideRow::default();
        row.apply(&write(1, request(1, 4), b"x")).unwrap();
        row.apply(&Record { change: None, reply: Reply::Failed, ..write(2, request(2, 0), b"") }).unwrap();
        let read = OutsideRow::decode(&row.encode().unwrap()).unwrap();
        assert_eq!(read.row(), row.row());
        assert_eq!((read.row().version, read.row().state.is_some()), (2, true));
        assert_eq!(read.recorded(request(1, 4)), Some(&Recorded::Value(Bytes::from_static(b"x"))));
        assert_eq!(read.recorded(request(2, 0)), Some(&Recorded::Failed));
        assert_eq!(read.encode().unwrap(), row.encode().unwrap());
    }

    #[test]
    fn a_record_that_does_not_follow_changes_nothing() {
        let mut row = OutsideRow::default();
        assert!(row.apply(&write(2, request(1, 0), b"x")).is_err());
        assert!(row.apply(&Record { change: Some(b"rubbish"), ..write(1, request(1, 0), b"x") }).is_err());
        assert_eq!((row.row(), row.answer_bytes()), (&Row::default(), 0));
    }

    #[test]
    fn answers_that_nobody_asks_for_any_more_go() {
        let mut row = OutsideRow::default();
        for sequence in 0..4 {
            row.apply(&write(sequence + 1, request(1, sequence), b"x")).unwrap();
        }
        row.apply(&write(5, request(2, 0), b"x")).unwrap();
        row.apply(&write(6, request(3, 0), b"x")).unwrap();
        let floor = |session: SessionId| (session.origin == NodeKey(1)).then_some(3);
        row.prune(floor, |origin| origin == NodeKey(3));
        let kept = [request(1, 2), request(1, 3), request(2, 0), request(3, 0)].map(|id| row.recorded(id).is_some());
        assert_eq!(kept, [false, true, true, false]);
        row.prune(|_| Some(9), |_| false);
        assert_eq!((row.answer_bytes(), row.origins().count()), (0, 0), "sessions go with their last answer");
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        for bytes in [&b""[..], b"\x02\0\0", b"\x01", b"\x01\xff\xff", b"\x01\0\0\0\0\0\0"] {
            assert!(OutsideRow::decode(&Bytes::from_static(bytes)).is_err(), "{bytes:?}");
        }
    }
}
