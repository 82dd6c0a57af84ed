//! What clients and nodes say to each other, and nodes of clients.

use bytes::Bytes;

use super::whole::{same, spelled, whole};
use crate::actor::remote::Address;
use crate::base::{GroupId, NodeKey};
use crate::cluster::{Departed, Envelope, Kind, Member, News, Relayed, Role};
use crate::node::{Found, FromDesk, Sought, ToDesk, decode_word};
use crate::raft::LeaderId;
use crate::sharding::{Declaration, Leading};

/// A word between a client and a node, or of a node about a client.
pub fn client_word(bytes: &[u8]) -> bool {
    let news = whole(bytes, |bytes| crate::codec::decode::<News>(bytes).ok(), spelled);
    let departed = whole(bytes, |bytes| crate::codec::decode::<Departed>(bytes).ok(), spelled);
    let question = whole(bytes, |bytes| decode_word::<ToDesk>(bytes).ok(), spelled);
    let answer = whole(bytes, |bytes| decode_word::<FromDesk>(bytes).ok(), spelled);
    news || departed || question || answer
}

/// A frame on its way between a client and a node. Behind its head anything may stand: it is the frame that is meant.
pub fn relayed(bytes: &[u8]) -> bool {
    let read = |bytes: &[u8]| Envelope::read(Bytes::copy_from_slice(bytes));
    let envelope = same(bytes, read, |Envelope { peer, kind, body }| {
        let mut out = Vec::new();
        Envelope::write(*peer, *kind, &mut out, |out| out.extend_from_slice(body));
        out
    });
    let read = |bytes: &[u8]| Relayed::read(Bytes::copy_from_slice(bytes));
    let relayed = same(bytes, read, |Relayed { client, nonce, inward, kind, body }| {
        let mut out = Vec::new();
        Relayed::write((*client, *nonce), *inward, *kind, &mut out, |out| out.extend_from_slice(body));
        out
    });
    envelope || relayed
}

pub(super) fn words() -> Vec<Vec<u8>> {
    let member = Member::new("a".into(), 1, "a:8001", Role::Replica);
    let key = member.key;
    let news = [
        News::All { members: vec![member.clone()], linked: vec![key] },
        News::Up(member),
        News::Down(key),
        News::Linked(key),
        News::Unlinked(key),
    ];
    let questions = [
        ToDesk::Hello { origin: NodeKey(9) },
        ToDesk::Find { id: 1, sought: Sought::Actor("room".to_owned()), within_ms: 5_000 },
        ToDesk::Find { id: 2, sought: Sought::Type("account".to_owned()), within_ms: 0 },
    ];
    let declaration = Declaration {
        name: "account".to_owned(),
        actor: "bank.Account".to_owned(),
        shards: 100,
        single: false,
        store: Some("ledger".to_owned()),
        state: Vec::new(),
    };
    let address = Address { node: key, number: 7, actor: "chat.Room".into(), name: Some("room".into()) };
    let leader = LeaderId { term: 4, node: key };
    let found = [Found::Actor(address), Found::Type(declaration), Found::Nothing, Found::TooMany];
    let mut answers = vec![
        FromDesk::Welcome { cluster_id: u64::MAX, groups: 12 },
        FromDesk::Leading(vec![Leading { group: GroupId(3), leader, epoch: 2, open: true }]),
    ];
    answers.extend(found.map(|found| FromDesk::Found { id: 1, found }));
    let mut words: Vec<_> = news.iter().map(spelled).collect();
    words.push(spelled(&Departed { client: NodeKey(9), nonce: 3 }));
    words.extend(questions.iter().map(spelled));
    words.extend(answers.iter().map(spelled));
    words
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    let mut envelope = Vec::new();
    Envelope::write(NodeKey(9), Kind::CALL, &mut envelope, |out| out.extend_from_slice(b"message"));
    let relayed = [true, false].map(|inward| {
        let mut out = Vec::new();
        Relayed::write((NodeKey(9), 3), inward, Kind::CALL, &mut out, |out| out.extend_from_slice(b"message"));
        out
    });
    [envelope].into_iter().chain(relayed).collect()
}
