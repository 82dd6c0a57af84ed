//! An actor whose messages and state have everything in them that has a length.

use std::collections::{BTreeMap, BTreeSet};

use casty::actor::{Handles, Port};
use casty::prelude::*;
use casty::testkit::decoders::{self, Decoder};

/// Files papers.
#[message]
pub struct File {
    /// Where.
    pub drawer: String,
    /// What is on them.
    pub pages: Vec<Vec<u8>>,
    /// Where things are found.
    pub index: BTreeMap<String, Vec<u64>>,
    /// What was written on the folder.
    pub label: Option<Box<str>>,
    /// Who signed.
    pub signed: (BTreeSet<char>, Vec<Option<i128>>),
}

/// Burns papers.
#[message]
pub enum Burn {
    /// All of them.
    Everything,
    /// Those of a drawer.
    Drawer(String),
    /// Some pages.
    Pages {
        /// Which.
        numbers: Vec<u32>,
    },
}

/// A cabinet.
#[persistent(drawers, labels, pages)]
pub struct Cabinet {
    drawers: BTreeMap<String, Vec<Vec<u8>>>,
    labels: Vec<Option<String>>,
    pages: u64,
}

#[actor(name = "office.Cabinet")]
impl Cabinet {
    fn new(_: EntityId) -> Self {
        Self { drawers: BTreeMap::new(), labels: Vec::new(), pages: 0 }
    }

    #[handler]
    fn file(&mut self, msg: File) -> u64 {
        self.pages += msg.pages.len() as u64;
        self.drawers.entry(msg.drawer).or_default().extend(msg.pages);
        self.labels.push(msg.label.map(String::from));
        self.pages
    }

    #[handler]
    fn burn(&mut self, msg: Burn) {
        match msg {
            Burn::Everything => self.drawers.clear(),
            Burn::Drawer(drawer) => drop(self.drawers.remove(&drawer)),
            Burn::Pages { numbers } => drop(numbers),
        }
    }
}

/// All decoders, with those of this actor's messages and state.
pub fn decoders() -> Vec<Decoder> {
    let message = Decoder { name: "message", run: decoders::message::<Cabinet>, samples: messages };
    let state = Decoder { name: "state", run: decoders::state::<Cabinet>, samples: states };
    decoders::ALL.iter().copied().chain([message, state]).collect()
}

fn file() -> File {
    File {
        drawer: "letters".to_owned(),
        pages: vec![b"one".to_vec(), Vec::new()],
        index: BTreeMap::from([("love".to_owned(), vec![1, 300])]),
        label: Some("old".into()),
        signed: (BTreeSet::from(['é', 'z']), vec![None, Some(-1)]),
    }
}

fn messages() -> Vec<Vec<u8>> {
    let burns = [Burn::Everything, Burn::Drawer("letters".to_owned()), Burn::Pages { numbers: vec![1, 70_000] }];
    let spelled = |burn| decoders::message_sample::<Cabinet>(<Cabinet as Handles<Burn>>::wrap(burn, Port::none()));
    let mut all: Vec<_> = burns.into_iter().map(spelled).collect();
    all.push(decoders::message_sample::<Cabinet>(<Cabinet as Handles<File>>::wrap(file(), Port::none())));
    all
}

fn states() -> Vec<Vec<u8>> {
    let empty = Cabinet { drawers: BTreeMap::new(), labels: Vec::new(), pages: 0 };
    let full = Cabinet {
        drawers: BTreeMap::from([("letters".to_owned(), file().pages)]),
        labels: vec![None, Some("old".to_owned())],
        pages: 2,
    };
    vec![decoders::state_sample(&empty), decoders::state_sample(&full)]
}
