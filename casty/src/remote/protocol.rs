//! What nodes say to each other about single actors.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::actor::remote::Address;
use crate::actor::{ActorId, AskFailure, Failure, StopReason, StreamError};
use crate::codec::{DecodeError, decode, decode_prefix, encode_into};

/// A message for an actor. Its body stands at the end of the frame, as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) head: Head,
    pub(crate) body: Bytes,
}

/// What is said of a message besides itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The actor.
    pub(crate) number: u64,
    /// The message's place among those of the sending node to the actor.
    pub(crate) sequence: u64,
    /// Which message it is.
    pub(crate) tag: u32,
    /// Where its reply is waited for; `None` for a send.
    pub(crate) ask: Option<Asked>,
    /// Who sent it, if that was said.
    pub(crate) sender: Option<Address>,
}

/// An ask, as the node names it that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// A number that no other ask of this life of the node has or had.
    pub(crate) id: u64,
    /// The time that is left, in milliseconds: nobody waits any more after it.
    pub(crate) within_ms: u64,
}

impl Head {
    /// Appends the frame's body.
    pub(crate) fn encode(&self, body: &[u8], out: &mut Vec<u8>) {
        append(self, out);
        out.extend_from_slice(body);
    }
}

/// Reads what [`Head::encode`] wrote.
pub(crate) fn decode_call(bytes: &Bytes) -> Result<Call, DecodeError> {
    let (head, used) = decode_prefix(bytes)?;
    Ok(Call { head, body: bytes.slice(used..) })
}

/// How an ask ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With what the handler returned, encoded.
    Value(Vec<u8>),
    /// Without a reply.
    Failure(AskFailure),
}

#[derive(Serialize, Deserialize)]
struct AnswerHead<'a> {
    ask: u64,
    #[serde(borrow)]
    end: EndHead<'a>,
}

#[derive(Serialize, Deserialize)]
enum EndHead<'a> {
    /// The reply stands at the end of the frame, as it is.
    Value,
    Failed,
    MailboxFull,
    Stopped,
    Unavailable(&'a str),
    Unknown(&'a str),
}

/// Appends the frame's body: how the ask of this number ended.
pub(crate) fn encode_answer(ask: u64, end: &End, out: &mut Vec<u8>) {
    let head = match end {
        End::Value(_) => EndHead::Value,
        End::Failure(failure) => match failure {
            AskFailure::Failed => EndHead::Failed,
            AskFailure::MailboxFull => EndHead::MailboxFull,
            AskFailure::Stopped => EndHead::Stopped,
            AskFailure::Unavailable { reason } => EndHead::Unavailable(reason),
            AskFailure::Unknown { reason } => EndHead::Unknown(reason),
            // Its own node ends it so, and no other.
            AskFailure::Timeout { .. } | AskFailure::Cycle { .. } => EndHead::Unknown("it was not answered"),
        },
    };
    append(&AnswerHead { ask, end: head }, out);
    if let End::Value(value) = end {
        out.extend_from_slice(value);
    }
}

/// How an ask ended, as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came<'a> {
    /// With this reply, encoded.
    Value(&'a [u8]),
    /// Without a reply.
    Failure(AskFailure),
}

/// Reads what [`encode_answer`] wrote.
pub(crate) fn decode_answer(bytes: &[u8]) -> Result<(u64, Came<'_>), DecodeError> {
    let (head, used): (AnswerHead<'_>, usize) = decode_prefix(bytes)?;
    let failure = match head.end {
        EndHead::Value => return Ok((head.ask, Came::Value(&bytes[used..]))),
        EndHead::Failed => AskFailure::Failed,
        EndHead::MailboxFull => AskFailure::MailboxFull,
        EndHead::Stopped => AskFailure::Stopped,
        EndHead::Unavailable(reason) => AskFailure::Unavailable { reason: reason.to_owned() },
        EndHead::Unknown(reason) => AskFailure::Unknown { reason: reason.to_owned() },
    };
    match used == bytes.len() {
        true => Ok((head.ask, Came::Failure(failure))),
        false => Err(DecodeError::Trailing { of: "remote::Answer", used, bytes: bytes.len() }),
    }
}

/// A word about an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Word {
    /// To the sender: the actor has taken all that you sent up to this message.
    Taken { number: u64, sequence: u64 },
    /// To the actor's node: stop it.
    Stop { number: u64 },
    /// To the actor's node: have it stop after what is queued.
    Drain { number: u64 },
    /// To the actor's node: tell this node when it has stopped.
    Watch { number: u64 },
    /// To the actor's node: this node wants to know no more.
    Unwatch { number: u64 },
    /// The actor of the sending node is linked with that of the receiving one; `new`: which may not know.
    Link { from: Address, to: u64, new: bool },
    /// The sending node has this link too.
    Linked { mine: u64, yours: u64 },
    /// The sending node has this link no more, or never had it.
    Unlink { mine: u64, yours: u64 },
    /// To whoever watches it, is linked with it, or sends to it: it has stopped.
    Ended { number: u64, reason: Reason },
    /// The sending node has subscribers of these topics, and of no others.
    Topics { all: Vec<String> },
    /// The sending node has subscribers of this topic.
    Hears { topic: String },
    /// The sending node has no subscribers of this topic any more.
    Deaf { topic: String },
    /// Make an actor of this type, and answer where it lives.
    Spawn { ask: u64, actor: String, args: Vec<u8> },
    /// To the node that replied: the answer to this ask found nobody.
    Unheard { ask: u64 },
    /// To the node of a stream: send so many items more.
    Pull { stream: u64, items: u32 },
    /// To the node of a stream: nobody takes its items any more.
    Abandon { stream: u64 },
    /// To the node that asked: the stream is complete, or broke off.
    Dry { stream: u64, broken: Option<Broken> },
}

impl Word {
    /// What it holds beside itself, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Topics { all } => all.iter().map(|topic| size_of::<String>() + topic.len()).sum(),
            Self::Hears { topic } | Self::Deaf { topic } => topic.len(),
            Self::Spawn { actor, args, .. } => actor.len() + args.len(),
            Self::Link { from, .. } => from.actor.len() + from.name.as_ref().map_or(0, |name| name.len()),
            _ => 0,
        }
    }
}

/// A message that was published. Its body stands at the end of the frame, as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published<'a> {
    /// The name of the topic.
    pub(crate) topic: &'a str,
    /// Which message it is.
    pub(crate) tag: u32,
}

impl Published<'_> {
    /// Appends the frame's body.
    pub(crate) fn encode(&self, body: &[u8], out: &mut Vec<u8>) {
        append(self, out);
        out.extend_from_slice(body);
    }
}

/// Reads what [`Published::encode`] wrote.
pub(crate) fn decode_published(bytes: &Bytes) -> Result<(Published<'_>, Bytes), DecodeError> {
    let (published, used) = decode_prefix(bytes)?;
    Ok((published, bytes.slice(used..)))
}

/// A [`StreamError`] on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Broken {
    Failed,
    Interrupted,
    Timeout { after: Duration },
    Lost,
    Unreadable,
}

impl From<StreamError> for Broken {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Failed => Self::Failed,
            StreamError::Interrupted => Self::Interrupted,
            StreamError::Timeout { after } => Self::Timeout { after },
            StreamError::Lost => Self::Lost,
            StreamError::Unreadable => Self::Unreadable,
        }
    }
}

impl From<Broken> for StreamError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Failed => Self::Failed,
            Broken::Interrupted => Self::Interrupted,
            Broken::Timeout { after } => Self::Timeout { after },
            Broken::Lost => Self::Lost,
            Broken::Unreadable => Self::Unreadable,
        }
    }
}

/// Appends the frame's body: an item of a stream.
pub(crate) fn encode_item(stream: u64, item: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&stream.to_le_bytes());
    out.extend_from_slice(item);
}

/// Reads what [`encode_item`] wrote: the stream, and the item.
pub(crate) fn decode_item(bytes: &Bytes) -> Result<(u64, Bytes), DecodeError> {
    let (stream, used) = bytes
        .first_chunk()
        .map(|stream| (u64::from_le_bytes(*stream), size_of::<u64>()))
        .ok_or(DecodeError::Malformed { of: "remote::Item", bytes: bytes.len(), why: "it is too short".to_owned() })?;
    Ok((stream, bytes.slice(used..)))
}

/// A [`StopReason`] on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reason {
    Stopped,
    Failed { reason: String, child: Option<String> },
    StartFailed { reason: String, child: Option<String> },
    Linked { with: String },
    Aborted,
    NodeLost,
    Forgotten,
}

/// The longest word, in bytes. The shortest topics would take some twenty times the bytes that they came in.
const WORD_BYTES_MAX: usize = 2 << 20;

/// The longest arguments of an actor that is made on another node, encoded, in bytes.
pub(crate) const ARGS_BYTES_MAX: usize = 1 << 20;

/// Reads what [`Word::encode`] wrote.
pub(crate) fn decode_word(bytes: &[u8]) -> Result<Word, DecodeError> {
    if bytes.len() > WORD_BYTES_MAX {
        let why = format!("{WORD_BYTES_MAX} bytes are allowed");
        return Err(DecodeError::Malformed { of: "remote::Word", bytes: bytes.len(), why });
    }
    decode(bytes)
}

impl Word {
    /// Appends the frame's body.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        append(self, out);
    }
}

impl From<&StopReason> for Reason {
    fn from(reason: &StopReason) -> Self {
        let parts = |failure: &Failure| (failure.reason.clone(), failure.child.clone());
        match reason {
            StopReason::Stopped => Self::Stopped,
            StopReason::Failed(failure) => {
                let (reason, child) = parts(failure);
                Self::Failed { reason, child }
            }
            StopReason::StartFailed(failure) => {
                let (reason, child) = parts(failure);
                Self::StartFailed { reason, child }
            }
            StopReason::Linked { with } => Self::Linked { with: with.to_string() },
            StopReason::Aborted => Self::Aborted,
            StopReason::NodeLost => Self::NodeLost,
            StopReason::Forgotten => Self::Forgotten,
        }
    }
}

impl From<Reason> for StopReason {
    fn from(reason: Reason) -> Self {
        let failure = |reason: String, child: Option<String>| {
            let mut failure = Failure::from_text(reason);
            failure.child = child;
            failure
        };
        match reason {
            Reason::Stopped => Self::Stopped,
            Reason::Failed { reason, child } => Self::Failed(failure(reason, child)),
            Reason::StartFailed { reason, child } => Self::StartFailed(failure(reason, child)),
            Reason::Linked { with } => Self::Linked { with: ActorId::elsewhere(&with) },
            Reason::Aborted => Self::Aborted,
            Reason::NodeLost => Self::NodeLost,
            Reason::Forgotten => Self::Forgotten,
        }
    }
}

/// Appends a value of ours. They are plain data, which the codec always takes.
fn append<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    let written = encode_into(value, out);
    assert!(written.is_ok(), "the codec refused a frame of the framework: {written:?}");
}
