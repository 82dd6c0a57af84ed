//! The shape of a log entry.

use serde::{Deserialize, Serialize};

use crate::base::{NodeKey, RequestId};
use crate::codec::{DecodeError, EncodeError, decode, decode_prefix, encode_into};

/// What one handler did: the change of its entity, and the answer to the request that caused it, in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record<'a> {
    /// The [tag](crate::codec::tag) of the entity type's name.
    pub(crate) entity_type: u32,
    /// The entity's id.
    pub(crate) entity: &'a str,
    /// The version of the entity after this record: the one before plus one.
    pub(crate) version: u64,
    /// The request; `None` for what `on_start` changed.
    pub(crate) request: Option<RequestId>,
    /// All sequences of the request's session below this are answered, so their replies may go.
    pub(crate) floor: u64,
    /// The [change](crate::codec::fields) of the persistent fields; `None` if the handler changed none.
    pub(crate) change: Option<&'a [u8]>,
    /// The answer.
    #[serde(borrow)]
    pub(crate) reply: Reply<'a>,
}

/// The recorded answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply<'a> {
    /// What the handler returned, encoded.
    Value(&'a [u8]),
    /// The handler panicked.
    Failed,
}

/// A decoded log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// Records, in the order in which their handlers ran.
    Batch(Vec<Record<'a>>),
    /// This origin is gone: drop its sessions, and refuse it from now on.
    Expire(NodeKey),
}

const BATCH: u8 = 0;
const EXPIRE: u8 = 1;

/// Begins a batch; records are appended behind it, each encoded on its own.
pub(crate) fn encode_batch_header(out: &mut Vec<u8>) {
    out.push(BATCH);
}

/// Encodes [`Command::Expire`].
pub(crate) fn encode_expire(origin: NodeKey) -> Result<Vec<u8>, EncodeError> {
    let mut out = vec![EXPIRE];
    encode_into(&origin, &mut out)?;
    Ok(out)
}

/// Reads a log entry.
pub(crate) fn decode_command(bytes: &[u8]) -> Result<Command<'_>, DecodeError> {
    match bytes.split_first() {
        Some((&BATCH, mut rest)) => {
            let mut records = Vec::new();
            while !rest.is_empty() {
                let (record, used) = decode_prefix(rest)?;
                records.push(record);
                rest = &rest[used..];
            }
            Ok(Command::Batch(records))
        }
        Some((&EXPIRE, rest)) => Ok(Command::Expire(decode(rest)?)),
        other => Err(DecodeError::Malformed {
            of: "replication::Command",
            bytes: bytes.len(),
            why: format!("unknown kind {:?}", other.map(|(kind, _)| kind)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SessionId;

    #[test]
    fn a_batch_reads_back_as_written() {
        let session = SessionId { origin: NodeKey(9), entity_type: 1, shard: 7 };
        let record = Record {
            entity_type: 1,
            entity: "alice",
            version: 3,
            request: Some(RequestId { session, sequence: 12 }),
            floor: 10,
            change: Some(b"state"),
            reply: Reply::Value(b"reply"),
        };
        let second = Record { version: 4, request: None, change: None, reply: Reply::Failed, ..record };
        let mut bytes = Vec::new();
        encode_batch_header(&mut bytes);
        encode_into(&record, &mut bytes).unwrap();
        encode_into(&second, &mut bytes).unwrap();
        assert_eq!(decode_command(&bytes).unwrap(), Command::Batch(vec![record, second]));
    }

    #[test]
    fn an_expiry_reads_back_and_rubbish_is_an_error() {
        assert_eq!(decode_command(&encode_expire(NodeKey(5)).unwrap()).unwrap(), Command::Expire(NodeKey(5)));
        assert!(decode_command(&[9]).is_err());
        assert!(decode_command(&[]).is_err());
        assert!(decode_command(&[BATCH, 1]).is_err());
        assert!(decode_command(&[EXPIRE, 5, 0]).is_err(), "a byte is left over");
    }
}
