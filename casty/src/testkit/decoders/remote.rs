//! What nodes say to each other about single actors, and what is published.

use std::time::Duration;

use bytes::Bytes;

use super::whole::{same, spelled, whole};
use crate::actor::AskFailure;
use crate::actor::remote::Address;
use crate::base::NodeKey;
use crate::remote::protocol::{
    Asked, Broken, Came, End, Head, Published, Reason, Word, decode_answer, decode_call, decode_published, decode_word,
    encode_answer,
};

/// A message for an actor. Behind its head anything may stand: it is the message, which its actor decodes.
pub fn call(bytes: &[u8]) -> bool {
    let decode = |bytes: &[u8]| decode_call(&Bytes::copy_from_slice(bytes)).ok();
    same(bytes, decode, |call| frame(|out| call.head.encode(&call.body, out)))
}

/// How an ask ended. Behind the head of a reply anything may stand.
pub fn answer(bytes: &[u8]) -> bool {
    let decode = |bytes: &[u8]| {
        let (ask, came) = decode_answer(bytes).ok()?;
        Some((
            ask,
            match came {
                Came::Value(value) => End::Value(value.to_vec()),
                Came::Failure(failure) => End::Failure(failure),
            },
        ))
    };
    let encode = |(ask, end): &(u64, End)| frame(|out| encode_answer(*ask, end, out));
    match decode(bytes) {
        Some((_, End::Value(_))) => same(bytes, decode, encode),
        _ => whole(bytes, decode, encode),
    }
}

/// A word about an actor, a stream or a topic.
pub fn actor_word(bytes: &[u8]) -> bool {
    whole(bytes, |bytes| decode_word(bytes).ok(), spelled)
}

/// What was published. Behind its head anything may stand.
pub fn published(bytes: &[u8]) -> bool {
    let decode = |bytes: &[u8]| {
        let bytes = Bytes::copy_from_slice(bytes);
        let (Published { topic, tag }, body) = decode_published(&bytes).ok()?;
        Some((topic.to_owned(), tag, body))
    };
    same(bytes, decode, |(topic, tag, body)| frame(|out| Published { topic, tag: *tag }.encode(body, out)))
}

fn frame(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn member() -> Address {
    Address { node: NodeKey(7), number: 3, actor: "chat.Member".into(), name: Some("ann".into()) }
}

pub(super) fn calls() -> Vec<Vec<u8>> {
    let asked =
        Head { number: 1, sequence: 300, tag: 4, ask: Some(Asked { id: 5, within_ms: 5_000 }), sender: Some(member()) };
    let sent = Head { number: 1, sequence: 301, tag: 4, ask: None, sender: None };
    [asked, sent].iter().map(|head| frame(|out| head.encode(b"message", out))).collect()
}

pub(super) fn answers() -> Vec<Vec<u8>> {
    let reason = || "why".to_owned();
    let ends = [
        End::Value(b"reply".to_vec()),
        End::Failure(AskFailure::Failed),
        End::Failure(AskFailure::MailboxFull),
        End::Failure(AskFailure::Stopped),
        End::Failure(AskFailure::Unavailable { reason: reason() }),
        End::Failure(AskFailure::Unknown { reason: reason() }),
    ];
    (0..).zip(ends).map(|(ask, end)| frame(|out| encode_answer(ask, &end, out))).collect()
}

pub(super) fn words() -> Vec<Vec<u8>> {
    let failed = || ("it explodes".to_owned(), Some("a child".to_owned()));
    let ((reason, child), (why, whose)) = (failed(), failed());
    let reasons = [
        Reason::Stopped,
        Reason::Failed { reason, child },
        Reason::StartFailed { reason: why, child: whose },
        Reason::Linked { with: "another".to_owned() },
        Reason::Aborted,
        Reason::NodeLost,
        Reason::Forgotten,
    ];
    let broken =
        [Broken::Failed, Broken::Interrupted, Broken::Timeout { after: Duration::from_millis(5) }, Broken::Lost];
    let mut words: Vec<_> = reasons.into_iter().map(|reason| Word::Ended { number: 1, reason }).collect();
    words.extend(broken.into_iter().map(|broken| Word::Dry { stream: 2, broken: Some(broken) }));
    words.extend([
        Word::Dry { stream: 2, broken: Some(Broken::Unreadable) },
        Word::Dry { stream: 2, broken: None },
        Word::Taken { number: 1, sequence: 256 },
        Word::Stop { number: 1 },
        Word::Drain { number: 1 },
        Word::Watch { number: 1 },
        Word::Unwatch { number: 1 },
        Word::Link { from: member(), to: 4, new: true },
        Word::Linked { mine: 4, yours: 3 },
        Word::Unlink { mine: 4, yours: 3 },
        Word::Unheard { ask: 5 },
        Word::Pull { stream: 2, items: 32 },
        Word::Abandon { stream: 2 },
        Word::Spawn { ask: 5, actor: "bank.Teller".to_owned(), args: vec![1, 2] },
        Word::Topics { all: vec!["prices".to_owned(), "news".to_owned()] },
        Word::Hears { topic: "prices".to_owned() },
        Word::Deaf { topic: "prices".to_owned() },
    ]);
    words.iter().map(spelled).collect()
}

pub(super) fn publications() -> Vec<Vec<u8>> {
    vec![frame(|out| Published { topic: "prices", tag: 7 }.encode(b"message", out))]
}
