//! What generated code leans on so that one mistake of the user's is one message of the compiler's.

use std::future::Future;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};

/// The future of an `async fn(&mut self)` handler or hook.
///
/// That it is not `Send` is said where this is called, and only there: the result is `Send` by its signature.
#[inline]
pub fn write_handler<F: Future + Send>(future: F) -> impl Future<Output = F::Output> + Send {
    future
}

/// The future of an `async fn(&self)` handler of `A`. It holds a `&A`, so `A` must be `Sync` too.
#[inline]
pub fn read_handler<A, F: ReadFuture<A>>(future: F) -> impl Future<Output = F::Output> + Send {
    future
}

/// A future that may hold a shared `A`.
#[diagnostic::on_unimplemented(
    message = "this `async` handler of `{A}` cannot move between threads",
    label = "`{A}` is not `Sync`, or something that is not `Send` is kept across an `.await`",
    note = "an `async` handler that takes `&self` needs an actor that is `Sync`: take `&mut self`, leave `async` out, or use `Mutex` or atomics in place of `Cell` and `RefCell`"
)]
pub trait ReadFuture<A>: Future + Send {}

#[diagnostic::do_not_recommend]
impl<A: Sync, F: Future + Send> ReadFuture<A> for F {}

/// A field of a message, or of persistent state: any type that serde can write and read.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be sent to another node or stored",
    label = "this is not `Serialize` and `Deserialize`",
    note = "put `#[message]` on the definition of `{Self}`, or leave the field out: `#[serde(skip)]` in a message, `#[persistent(…)]` with the other fields in an actor"
)]
pub trait WireField {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> WireField for T {}

/// Carries the check of a message's fields in its bounds.
pub trait Checked {}

/// Stands in for serde's code of a message with a field that serde does not know. Such a program does not compile.
pub trait NotSerde: Sized {
    /// An error.
    fn serialize<T, S: Serializer>(_value: &T, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("a field of this message is not serializable"))
    }

    /// An error.
    fn deserialize<'de, T, D: Deserializer<'de>>(_deserializer: D) -> Result<T, D::Error> {
        Err(D::Error::custom("a field of this message is not deserializable"))
    }
}

impl<T> NotSerde for T {}
