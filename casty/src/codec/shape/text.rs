//! A shape, spelled out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::nodes::{Body, Key, Node, Nodes, Slot};

/// Spells a type out. A struct or an enum is spelled where it comes first, and is a name from there on.
pub(super) fn of(nodes: &Nodes) -> String {
    let mut text = Text { nodes, out: String::new(), named: BTreeMap::new() };
    text.node(0);
    text.out
}

struct Text<'n> {
    nodes: &'n Nodes,
    out: String,
    /// What was spelled, and how it is called.
    named: BTreeMap<Key, String>,
}

impl Text<'_> {
    fn node(&mut self, slot: Slot) {
        match self.nodes.get(slot) {
            Node::Unknown => self.out.push('?'),
            Node::Leaf(name) => self.out.push_str(name),
            Node::Option(of) => self.around("option<", &[*of], ">"),
            Node::Seq(of) => self.around("seq<", &[*of], ">"),
            Node::Map(key, value) => self.around("map<", &[*key, *value], ">"),
            Node::Tuple(parts) => self.around("(", parts, ")"),
            Node::Defined(key) => self.defined(key),
        }
    }

    fn around(&mut self, before: &str, parts: &[Slot], behind: &str) {
        self.out.push_str(before);
        self.list(parts, |text, part| text.node(*part));
        self.out.push_str(behind);
    }

    fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
    }

    fn defined(&mut self, key: Key) {
        let Some(definition) = self.nodes.definitions.get(key) else { return self.out.push('?') };
        if let Some(name) = self.named.get(key) {
            self.out.push_str(name);
            return;
        }
        // Two types may have one name: the second is told apart by a number.
        let others = self.named.keys().filter_map(|key| self.nodes.definitions.get(key));
        let name = match others.filter(|other| other.name == definition.name).count() {
            0 => definition.name.to_owned(),
            others => format!("{}#{}", definition.name, others + 1),
        };
        self.out.push_str(&name);
        self.named.insert(key, name);
        match &definition.variants[..] {
            [only] if only.name.is_empty() => self.body(&only.body),
            variants => {
                self.out.push('[');
                self.list(variants, |text, variant| {
                    text.out.push_str(variant.name);
                    text.body(&variant.body);
                });
                self.out.push(']');
            }
        }
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::Unknown => self.out.push('?'),
            Body::Unit => {}
            Body::Tuple(parts) => self.around("(", parts, ")"),
            Body::Struct(fields) => {
                self.out.push('{');
                self.list(fields, |text, (name, slot)| {
                    let _ = write!(text.out, "{name}:");
                    text.node(*slot);
                });
                self.out.push('}');
            }
        }
    }
}
