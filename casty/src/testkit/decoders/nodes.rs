//! What routers, regions and nodes say to each other.

use bytes::Bytes;

use super::whole::{same, spelled, whole};
use crate::actor::Access;
use crate::actor::remote::Address;
use crate::actor::state::StateShape;
use crate::base::{GroupId, NodeKey, SessionId};
use crate::cluster::{Member, Role};
use crate::node::{Applied, Charter, Command, Control, Founder, MachineWord, Terms, Verdict, decode_word};
use crate::raft::LeaderId;
use crate::sharding::{
    Announcement, Call, Declaration, Leading, Outcome, Request, ToRegion, ToRouter, decode_to_region, decode_to_router,
    encode_to_router,
};

/// A router's word to a region. Behind a request's head anything may stand: it is the message, which its actor decodes.
pub fn to_region(bytes: &[u8]) -> bool {
    let decode = |bytes: &[u8]| decode_to_region(&Bytes::copy_from_slice(bytes)).ok();
    let encode = |word: &ToRegion| {
        let mut out = Vec::new();
        word.encode(&mut out);
        out
    };
    match decode(bytes).map(|word| word.what) {
        Some(Call::Request(_)) => same(bytes, decode, encode),
        _ => whole(bytes, decode, encode),
    }
}

/// A region's words to a router.
pub fn to_router(bytes: &[u8]) -> bool {
    let decode = |bytes: &[u8]| decode_to_router(&Bytes::copy_from_slice(bytes)).ok();
    whole(bytes, decode, |(group, words)| router_frame(*group, words))
}

/// What nodes say about the cluster itself.
pub fn control(bytes: &[u8]) -> bool {
    let decode = |bytes: &[u8]| decode_word::<Control>(bytes).ok();
    if let Some(Control::Promise(charter) | Control::Founded(charter)) = decode(bytes) {
        // A node asks this of every charter that it hears of.
        assert_eq!(charter.has(NodeKey(7)), charter.keys().contains(&NodeKey(7)));
    }
    whole(bytes, decode, spelled)
}

/// What the copies of a state machine say to each other.
pub fn machine(bytes: &[u8]) -> bool {
    whole(bytes, |bytes| crate::codec::decode::<MachineWord>(bytes).ok(), spelled)
}

/// What a node tells about the way of requests.
pub fn announcement(bytes: &[u8]) -> bool {
    whole(bytes, |bytes| decode_word::<Announcement>(bytes).ok(), spelled)
}

fn router_frame(group: GroupId, words: &[ToRouter]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_to_router(group, words, &mut out);
    out
}

fn session() -> SessionId {
    SessionId { origin: NodeKey(1 << 40), entity_type: 2, shard: 3 }
}

fn leader() -> LeaderId {
    LeaderId { term: 4, node: NodeKey(1 << 40) }
}

pub(super) fn calls() -> Vec<Vec<u8>> {
    let body = Bytes::from_static(b"message");
    let request = Request { sequence: 5, floor: 4, entity: "alice".into(), tag: 6, access: Access::Write, body };
    let calls = [
        Call::Open { leader: leader(), epoch: 2, first: 5, fresh: 6 },
        Call::Request(request),
        Call::Skip { sequence: 5 },
    ];
    let spelled = |what| {
        let mut out = Vec::new();
        ToRegion { group: GroupId(3), session: session(), counter: 9, what }.encode(&mut out);
        out
    };
    calls.into_iter().map(spelled).collect()
}

pub(super) fn words() -> Vec<Vec<u8>> {
    let outcomes = [
        Outcome::Value(Bytes::from_static(b"reply")),
        Outcome::Failed,
        Outcome::Full,
        Outcome::Unavailable("no leader".to_owned()),
        Outcome::Unknown("no answer".to_owned()),
    ];
    let answer = |(sequence, outcome)| ToRouter::Answer { session: session(), counter: 3, sequence, outcome };
    let mut words: Vec<_> = (0..).zip(outcomes).map(answer).collect();
    words.push(ToRouter::Reopen { session: session(), counter: 3 });
    words.push(ToRouter::Closed { epoch: 4 });
    words.push(ToRouter::Expired { origin: NodeKey(8) });
    vec![router_frame(GroupId(7), &words), router_frame(GroupId(7), &[])]
}

pub(super) fn controls() -> Vec<Vec<u8>> {
    let founder = |name: &str| Founder { id: name.into(), incarnation: 1 };
    let charter =
        Charter::new(vec![founder("a"), founder("b"), founder("c")], Terms { size: 3, groups: 4, replicas: 3 });
    let controls = [
        Control::Promise(charter.clone()),
        Control::Refused { cluster_id: charter.cluster_id() },
        Control::Founded(charter),
        Control::Over { incarnation: 3 },
    ];
    let (node, group, epoch) = (NodeKey(1 << 40), GroupId(3), 2);
    let address = Address { node, number: 7, actor: "chat.Room".into(), name: Some("room".into()) };
    let commands = [
        Command::Declare(declaration()),
        Command::Admit(Member::new("d".into(), 7, "127.0.0.1:1", Role::Observer)),
        Command::Away { node, away: true },
        Command::Leave { node },
        Command::Remove { node },
        Command::Place { group, epoch, replicas: vec![node, NodeKey(2)] },
        Command::Settle { group, epoch },
        Command::Check { group, epoch },
        Command::LetGo { group, node },
        Command::Offer { name: "kv".to_owned(), node, attempt: 1 },
        Command::Withdraw { name: "kv".to_owned(), node, attempt: 1 },
        Command::Register { name: "room".into(), address },
        Command::Unregister { name: "room".into(), node, number: 7 },
    ];
    let verdicts = [
        Verdict::Agreed,
        Verdict::Conflict(declaration()),
        Verdict::Taken { node: "d".into() },
        Verdict::Overtaken,
        Verdict::Again,
    ];
    let proposals = commands.map(|command| Control::Propose { id: 1, command });
    let answers = verdicts.map(|verdict| Control::Decided { id: 1, verdict });
    controls.iter().chain(&proposals).chain(&answers).map(spelled).collect()
}

pub(super) fn machine_words() -> Vec<Vec<u8>> {
    let (group, entry) = (GroupId(13), Bytes::from_static(b"entry"));
    let ends = [
        Applied::Value(Bytes::from_static(b"output")),
        Applied::Failed,
        Applied::Dropped { bytes: 9 << 20 },
        Applied::Unreadable,
        Applied::Over,
        Applied::Expired(NodeKey(8)),
        Applied::NotProposed,
        Applied::Lost,
    ];
    let asked = [MachineWord::Apply { group, id: 1, entry }, MachineWord::Read { group, id: 2 }];
    let told = [MachineWord::ReadFrom { id: 2, index: Some(7) }, MachineWord::ReadFrom { id: 2, index: None }];
    let ended = ends.map(|applied| MachineWord::Applied { id: 1, applied });
    asked.iter().chain(&told).chain(&ended).map(spelled).collect()
}

pub(super) fn announcements() -> Vec<Vec<u8>> {
    let leading = Leading { group: GroupId(3), leader: leader(), epoch: 2, open: true };
    let full = Announcement {
        clients: vec![NodeKey(5), NodeKey(1 << 50)],
        cluster_id: Some(u64::MAX),
        origin: Some(NodeKey(9)),
        leading: vec![leading, Leading { open: false, ..leading }],
        unfit: true,
    };
    vec![spelled(&full), spelled(&Announcement::default())]
}

fn declaration() -> Declaration {
    let state = vec![StateShape { version: 300, fields: [("balance".to_owned(), u64::MAX)].into(), events: Some(7) }];
    Declaration {
        name: "account".to_owned(),
        actor: "bank.Account".to_owned(),
        shards: 100,
        single: true,
        store: None,
        state,
    }
}
