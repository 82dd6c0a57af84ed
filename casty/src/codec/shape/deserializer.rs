//! A deserializer that writes down what it is asked for.

use std::any::type_name;

use serde::de::value::Error;
use serde::de::{
    DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};

use super::nodes::{Body, Key, Node, Slot};
use super::tracer::Tracer;

/// A value that a type asks for: what it is belongs into `slot`.
pub(super) struct Asked<'t> {
    tracer: &'t mut Tracer,
    slot: Slot,
}

impl<'t> Asked<'t> {
    /// The type itself.
    pub(super) fn root(tracer: &'t mut Tracer) -> Self {
        Self { tracer, slot: 0 }
    }

    fn leaf(&mut self, name: &'static str) {
        self.tracer.nodes.learn(self.slot, |_| Node::Leaf(name));
    }

    /// Has `visit` read a value that may contain its own type again, if it is not too deep already.
    fn deeper<T>(self, visit: impl FnOnce(&mut Tracer) -> Result<T, Error>) -> Result<T, Error> {
        if !self.tracer.enter() {
            return Err(Error::custom("it contains itself without end"));
        }
        let result = visit(self.tracer);
        self.tracer.leave();
        result
    }

    /// The same, of a collection or an option, which may be empty: `visit` is told whether it is.
    fn collection<T>(self, key: Key, visit: impl FnOnce(&mut Tracer, bool) -> Result<T, Error>) -> Result<T, Error> {
        let full = self.tracer.made.full && !self.tracer.within.contains(&key);
        self.deeper(|tracer| {
            tracer.within.push(key);
            let result = visit(tracer, full);
            tracer.within.pop();
            result
        })
    }

    /// Reads a struct, whose body `make` makes known.
    fn structure<'de, V: Visitor<'de>>(self, name: &'static str, body: Parts, visitor: V) -> Result<V::Value, Error> {
        let key = type_name::<V>();
        self.tracer.nodes.define(self.slot, key, name, &[""]);
        self.deeper(|tracer| body.read(tracer, key, 0, visitor))
    }
}

/// The parts of a struct or a variant.
#[derive(Clone, Copy)]
enum Parts {
    Unit,
    Newtype,
    Tuple(usize),
    Struct(&'static [&'static str]),
}

impl Parts {
    fn read<'de, V: Visitor<'de>>(
        self,
        tracer: &mut Tracer,
        key: Key,
        variant: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let body = tracer.nodes.body(key, variant, |nodes| match self {
            Self::Unit => Body::Unit,
            Self::Newtype => Body::Tuple(nodes.slots(1)),
            Self::Tuple(length) => Body::Tuple(nodes.slots(length)),
            Self::Struct(names) => Body::Struct(names.iter().map(|name| (*name, nodes.slot())).collect()),
        });
        match (self, body) {
            (Self::Unit, Body::Unit) => visitor.visit_unit(),
            (Self::Newtype, Body::Tuple(slots)) => {
                let slot = slots.first().copied().ok_or_else(|| Error::custom("it was a unit"))?;
                visitor.visit_newtype_struct(Asked { tracer, slot })
            }
            (_, Body::Tuple(slots)) => visitor.visit_seq(Sequence { tracer, slots: slots.into_iter() }),
            (_, Body::Struct(fields)) => {
                let slots = fields.into_iter().map(|(_, slot)| slot).collect::<Vec<_>>();
                visitor.visit_seq(Sequence { tracer, slots: slots.into_iter() })
            }
            _ => Err(Error::custom("it was of another form before")),
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $name:literal)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
            self.leaf($name);
            visitor.$visit(self.tracer.made.number.into())
        })*
    };
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    numbers! {
        deserialize_i16 visit_i16 "i16"
        deserialize_i32 visit_i32 "i32"
        deserialize_i64 visit_i64 "i64"
        deserialize_i128 visit_i128 "i128"
        deserialize_u8 visit_u8 "u8"
        deserialize_u16 visit_u16 "u16"
        deserialize_u32 visit_u32 "u32"
        deserialize_u64 visit_u64 "u64"
        deserialize_u128 visit_u128 "u128"
        deserialize_f32 visit_f32 "f32"
        deserialize_f64 visit_f64 "f64"
    }

    fn deserialize_i8<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.leaf("i8");
        visitor.visit_i8(self.tracer.made.number.cast_signed())
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.leaf("bool");
        visitor.visit_bool(self.tracer.made.number == 1)
    }

    fn deserialize_char<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.leaf("char");
        visitor.visit_char('a')
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.leaf("text");
        visitor.visit_borrowed_str(self.tracer.made.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.leaf("bytes");
        visitor.visit_borrowed_bytes(self.tracer.made.text.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.leaf("()");
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Node::Option(slot) = self.tracer.nodes.learn(self.slot, |nodes| Node::Option(nodes.slot())) else {
            return Err(other());
        };
        self.collection(type_name::<V>(), |tracer, full| match full {
            true => visitor.visit_some(Asked { tracer, slot }),
            false => visitor.visit_none(),
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Node::Seq(slot) = self.tracer.nodes.learn(self.slot, |nodes| Node::Seq(nodes.slot())) else {
            return Err(other());
        };
        self.collection(type_name::<V>(), |tracer, full| {
            let slots = if full { vec![slot] } else { Vec::new() };
            visitor.visit_seq(Sequence { tracer, slots: slots.into_iter() })
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let node = self.tracer.nodes.learn(self.slot, |nodes| Node::Map(nodes.slot(), nodes.slot()));
        let Node::Map(key, value) = node else { return Err(other()) };
        self.collection(type_name::<V>(), |tracer, full| {
            let slots = if full { vec![key, value] } else { Vec::new() };
            visitor.visit_map(Sequence { tracer, slots: slots.into_iter() })
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        let Node::Tuple(slots) = self.tracer.nodes.learn(self.slot, |nodes| Node::Tuple(nodes.slots(length))) else {
            return Err(other());
        };
        self.deeper(|tracer| visitor.visit_seq(Sequence { tracer, slots: slots.into_iter() }))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.structure(name, Parts::Unit, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.structure(name, Parts::Newtype, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.structure(name, Parts::Tuple(length), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.structure(name, Parts::Struct(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let key = type_name::<V>();
        self.tracer.nodes.define(self.slot, key, name, variants);
        self.deeper(|tracer| {
            let variant = tracer.choose(key);
            tracer.within.push(key);
            let value = visitor.visit_enum(Chosen { tracer: &mut *tracer, key, variant });
            tracer.within.pop();
            if value.is_ok() {
                tracer.finish(key, variant);
            }
            value
        })
    }

    /// It asks the format what comes next, and casty's does not say.
    fn deserialize_any<V: Visitor<'de>>(mut self, _visitor: V) -> Result<V::Value, Error> {
        self.leaf("any");
        Err(Error::custom("the format does not describe itself"))
    }

    forward_to_deserialize_any! { identifier ignored_any }

    fn is_human_readable(&self) -> bool {
        false
    }
}

fn other() -> Error {
    Error::custom("it asked for something else before")
}

/// Values one after the other.
struct Sequence<'t> {
    tracer: &'t mut Tracer,
    slots: std::vec::IntoIter<Slot>,
}

impl<'de> SeqAccess<'de> for Sequence<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(slot) = self.slots.next() else { return Ok(None) };
        seed.deserialize(Asked { tracer: self.tracer, slot }).map(Some)
    }
}

impl<'de> MapAccess<'de> for Sequence<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        self.next_element_seed(seed)?.ok_or_else(|| Error::custom("there is no value"))
    }
}

/// The variant that a value of an enum is.
struct Chosen<'t> {
    tracer: &'t mut Tracer,
    key: Key,
    variant: usize,
}

impl<'de> EnumAccess<'de> for Chosen<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let index = u32::try_from(self.variant).unwrap_or(u32::MAX);
        let index: serde::de::value::U32Deserializer<Error> = index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Chosen<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.tracer.nodes.body(self.key, self.variant, |_| Body::Unit);
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        let body = self.tracer.nodes.body(self.key, self.variant, |nodes| Body::Tuple(nodes.slots(1)));
        let Body::Tuple(slots) = body else { return Err(other()) };
        let slot = slots.first().copied().ok_or_else(other)?;
        seed.deserialize(Asked { tracer: self.tracer, slot })
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        Parts::Tuple(length).read(self.tracer, self.key, self.variant, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        Parts::Struct(fields).read(self.tracer, self.key, self.variant, visitor)
    }
}
