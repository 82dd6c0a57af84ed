//! Every shape of a message goes through the wire and comes back.

use casty::actor::WireMessage;
use casty::message;

#[message]
#[derive(Debug, PartialEq)]
struct Unit;

#[message(name = "shapes.Tuple")]
#[derive(Debug, PartialEq)]
struct Tuple(u8, String);

#[message]
#[derive(Debug, PartialEq)]
enum Tree {
    Leaf,
    Node(Box<Self>, Box<Tree>),
    Many { branches: Vec<Branch> },
}

#[message]
#[derive(Debug, PartialEq)]
struct Branch {
    r#type: u8,
    tree: Option<Box<Tree>>,
    #[serde(skip)]
    seen: Seen,
}

#[derive(Debug, Default, PartialEq)]
struct Seen(bool);

macro_rules! message_of {
    ($name:ident, $field:ty) => {
        #[message]
        #[derive(Debug, PartialEq)]
        struct $name($field, $crate::message::shapes::Unit);
    };
}

message_of!(Made, Vec<Option<u8>>);

fn comes_back<M: WireMessage + std::fmt::Debug + PartialEq>(message: M) {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).unwrap();
    assert_eq!(M::decode(&bytes).unwrap(), message);
}

#[test]
fn every_shape_of_a_message_comes_back() {
    comes_back(Unit);
    comes_back(Tuple(1, "one".into()));
    comes_back(Tree::Node(Box::new(Tree::Leaf), Box::new(Tree::Many { branches: vec![] })));
    comes_back(Branch { r#type: 1, tree: Some(Box::new(Tree::Leaf)), seen: Seen(false) });
    comes_back(Made(vec![Some(1), None], Unit));
    assert_eq!(Tuple::NAME, "shapes.Tuple");
    assert!(Unit::NAME.ends_with("::Unit"));
    assert_eq!(Unit::TAG, casty::codec::tag(Unit::NAME));
}
