//! What is known of a type so far.

use std::collections::BTreeMap;

/// A place for one [`Node`].
pub(super) type Slot = usize;

/// The key of a [`Definition`]: the Rust name of the visitor that reads the type. It tells apart what has one name, and is
/// not written down.
pub(super) type Key = &'static str;

/// What a type asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Nothing yet.
    Unknown,
    /// A value without parts.
    Leaf(&'static str),
    Option(Slot),
    Seq(Slot),
    Map(Slot, Slot),
    Tuple(Vec<Slot>),
    /// A struct or an enum.
    Defined(Key),
}

/// A struct or an enum. A struct has one variant, without a name.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) variants: Vec<Variant>,
}

#[derive(Debug)]
pub(super) struct Variant {
    pub(super) name: &'static str,
    pub(super) body: Body,
    /// How often a value of it was begun.
    pub(super) begun: u32,
    /// When one was first finished, in the order of all that were.
    pub(super) finished: Option<u32>,
}

/// What a struct or a variant consists of.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Unknown,
    Unit,
    Tuple(Vec<Slot>),
    Struct(Vec<(&'static str, Slot)>),
}

/// All nodes, and the definitions that they name. Slot 0 is the type itself.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Vec<Node>,
    pub(super) definitions: BTreeMap<Key, Definition>,
    /// How often something was learned.
    pub(super) news: u32,
}

impl Nodes {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::Unknown], definitions: BTreeMap::new(), news: 0 }
    }

    pub(super) fn get(&self, slot: Slot) -> &Node {
        &self.nodes[slot]
    }

    /// The node at `slot`; `make` makes it if nothing is known yet.
    pub(super) fn learn(&mut self, slot: Slot, make: impl FnOnce(&mut Self) -> Node) -> Node {
        if self.nodes[slot] == Node::Unknown {
            let node = make(self);
            self.nodes[slot] = node;
            self.news += 1;
        }
        self.nodes[slot].clone()
    }

    /// A place for another node.
    pub(super) fn slot(&mut self) -> Slot {
        self.nodes.push(Node::Unknown);
        self.nodes.len() - 1
    }

    /// Places for so many.
    pub(super) fn slots(&mut self, count: usize) -> Vec<Slot> {
        (0..count).map(|_| self.slot()).collect()
    }

    /// The most variants that an enum has.
    pub(super) fn widest(&self) -> usize {
        self.definitions.values().map(|it| it.variants.len()).max().unwrap_or(0)
    }

    /// Makes a definition known.
    pub(super) fn define(&mut self, slot: Slot, key: Key, name: &'static str, variants: &[&'static str]) {
        self.learn(slot, |_| Node::Defined(key));
        let variant = |name: &&'static str| Variant { name, body: Body::Unknown, begun: 0, finished: None };
        self.definitions
            .entry(key)
            .or_insert_with(|| Definition { name, variants: variants.iter().map(variant).collect() });
    }

    /// The body of a variant; `make` makes it if nothing is known yet.
    pub(super) fn body(&mut self, key: Key, variant: usize, make: impl FnOnce(&mut Self) -> Body) -> Body {
        let known =
            |nodes: &Self| nodes.definitions.get(key).and_then(|it| it.variants.get(variant)).map(|it| it.body.clone());
        match known(self) {
            Some(Body::Unknown) => {
                let body = make(self);
                if let Some(variant) = self.variant(key, variant) {
                    variant.body = body.clone();
                }
                self.news += 1;
                body
            }
            Some(body) => body,
            None => Body::Unknown,
        }
    }

    pub(super) fn variant(&mut self, key: Key, variant: usize) -> Option<&mut Variant> {
        self.definitions.get_mut(key)?.variants.get_mut(variant)
    }
}
