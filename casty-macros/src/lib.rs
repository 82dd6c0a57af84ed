//! The procedural macros of casty. Use them through the crate `casty`, which exports them.
//!
//! Each macro has three parts: `model` parses what the user wrote, `check` finds what is wrong with it, `expand` writes
//! the code. On an error the macros emit the error *and* code that stands in for what could not be made, so that one
//! mistake is one message.

mod actor;
mod attr;
mod errors;
mod fallback;
mod message;
mod path;
mod persistent;
mod self_type;

use proc_macro::TokenStream;

/// Makes a struct or an enum a message: something that can be sent to an actor, on this node or another.
///
/// # What it generates
///
/// - `Serialize` and `Deserialize`, with casty's own serde: the crate needs no dependency on it. `#[serde(…)]`
///   attributes on fields work as usual, but those that a compact format cannot follow (`flatten`, `untagged`,
///   `skip_serializing_if`) fail when the message is sent.
/// - `Message`, and `WireMessage` with the wire name and its tag.
///
/// The wire name is the module path and the name of the type. Nodes recognise a message by it, so a message that is
/// moved or renamed is another message. `#[message(name = "bank.Deposit")]` fixes the name.
///
/// A message whose shape changes is another message too, and says so: `#[message(name = "bank.Deposit", version = 2)]`. A node
/// that knows another version of it refuses it by a typed error. An actor may handle both versions, as two types of one name,
/// for as long as programs of both run.
///
/// `#[message(local)]` makes a message that never leaves its node: `Message` alone, without serde and without a name. It may
/// carry anything that is `Send + 'static`, and have type parameters. Actors that handle it are `#[actor(local)]`.
///
/// # Example
///
/// ```ignore
/// #[message]
/// pub struct Deposit {
///     pub amount: u64,
/// }
///
/// #[message(name = "bank.GetBalance")]
/// pub struct GetBalance;
/// ```
///
/// # Misuse
///
/// These are compile errors: a type with generic parameters (if it is not `local`), a union, a derive of `Serialize` or `Deserialize` beside
/// it, a wire name with blanks, a version 0, and a field that serde cannot write and read (`#[serde(skip)]` leaves such a field out).
#[proc_macro_attribute]
pub fn message(args: TokenStream, item: TokenStream) -> TokenStream {
    message::expand(args.into(), item.into()).into()
}

/// Makes a type an actor. It stands on the inherent `impl` block that has the handlers.
///
/// # What the block may contain
///
/// - Handlers: methods with `#[handler]`, `fn` or `async fn`, that take `&self` (a read) or `&mut self` (a write), one
///   message by value and, in any position, `ctx: &mut Ctx<Self>` or `ctx: &Ctx<Self>`. The reply is what they return.
///   A return type whose last path segment is `Result` is split: the asker gets its error, typed.
/// - Handlers whose arguments are their message: methods with `#[message]`, which take any number of owned arguments, each
///   with a name.
/// - `fn new(id: EntityId) -> Self`: the actor can be made from an id, as entities are.
/// - `on_start(&mut self) -> Result<(), BoxError>` and `on_stop(&mut self)`, `fn` or `async fn`, with `ctx` if they want
///   it: run before the first message and after the last. Those of an entity run for each of its instances: it gets another when
///   it moves to another node, and when it is called after it has left memory.
/// - `on_error(&mut self, failure: &Failure) -> Directive`: says what becomes of the actor after a handler panicked, or a
///   child gave up. Without it the actor restarts if it can be made anew, and stops otherwise.
/// - `on_terminated(&mut self, terminated: Terminated)`, `fn` or `async fn`, with `ctx` if it wants it: an actor that it
///   watches has stopped.
/// - Any other method, which is left alone.
///
/// # What it generates
///
/// For `impl Account` with the handlers `deposit(&mut self, msg: Deposit) -> u64` and `balance(&self, _: GetBalance) -> u64`:
///
/// - `enum AccountMsg { Deposit(Deposit, Port<u64>), Balance(GetBalance, Port<u64>) }`, the type of the mailbox. Its
///   variants are named after the methods.
/// - For a `#[message]` method `rename(&mut self, name: String)`: `#[message] pub struct Rename { pub name: String }`, beside
///   the block, and `AccountHandle::rename(String)`. The struct has the visibility of the method and is `pub` if that has
///   none; `#[message(name = "bank.Rename")]` fixes its wire name. To send it without a reply in mind, write
///   `account.rename(name).send()` or `account.send(Rename { name })`.
/// - `impl Handles<Deposit> for Account` and so on, and `impl Actor for Account`.
/// - `struct AccountHandle<T>` with the methods `deposit(Deposit)` and `balance(GetBalance)`. Every reference to an
///   `Account` derefs to it, so they need no import. They have the documentation of the handlers, and lead to them in an
///   editor. A handler with a visibility of its own (`pub(crate)`) gives it to its method; a private one is asked for by
///   message like any other, so that its method is `pub`.
/// - `impl Registered for Account`, and an entry in the program's list of actor types, so that messages from other nodes
///   reach it. An actor with generic parameters has neither: it works on its own node. `#[actor(local)]` says so of any
///   actor: its messages and replies need no serde then.
///
/// The wire name is the module path and the name of the type; `#[actor(name = "bank.Account")]` fixes it.
///
/// # Example
///
/// ```ignore
/// #[actor]
/// impl Account {
///     fn new(_id: EntityId) -> Self {
///         Self { balance: 0 }
///     }
///
///     /// Puts money in, and says what is there now.
///     #[handler]
///     fn deposit(&mut self, msg: Deposit) -> u64 {
///         self.balance += msg.amount;
///         self.balance
///     }
///
///     #[handler]
///     async fn withdraw(&mut self, msg: Withdraw, ctx: &mut Ctx<Self>) -> Result<u64, Overdrawn> {
///         // …
///     }
///
///     #[message]
///     fn rename(&mut self, name: String) {
///         self.name = name;
///     }
///
///     async fn on_stop(&mut self) {
///         // …
///     }
/// }
/// ```
///
/// # Misuse
///
/// These are compile errors: a handler without `self`, with no message or with two, with generic parameters, or named
/// like a method that every reference has (`ask`, `send`, `stop`, …); a `#[message]` method with an argument that is a
/// reference (but a `'static` one), a pattern, or of a type parameter of the actor; two handlers of one message; a hook with another
/// signature; a message or a reply that serde cannot write and read; an `async fn(&self)` handler on a type that is not
/// `Sync`; and an `async` handler that keeps something that is not `Send` across an `.await`.
#[proc_macro_attribute]
pub fn actor(args: TokenStream, item: TokenStream) -> TokenStream {
    actor::expand(args.into(), item.into()).into()
}

/// Marks a handler inside an `#[actor]` block. `#[actor]` reads it and takes it away; anywhere else it is an error.
///
/// ```ignore
/// #[actor]
/// impl Account {
///     #[handler]
///     fn deposit(&mut self, msg: Deposit) -> u64 {
///         // …
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn handler(_args: TokenStream, item: TokenStream) -> TokenStream {
    let message = "`#[handler]` marks a method of an actor: put `#[actor]` on the `impl` block around it";
    let error = syn::Error::new(proc_macro2::Span::call_site(), message);
    fallback::with_errors(error, item.into()).into()
}

/// Says which fields of a struct are its state: what is replicated, kept, and restored on another node.
///
/// `#[persistent]` keeps all fields; `#[persistent(balance, limit)]` keeps these, and `#[persistent(except(recent))]` all
/// others. What is not kept is of the node on which the actor runs: after a move it is as `new` made it.
///
/// # Further arguments
///
/// - `version = 2`: the version of the state's shape. Any change of the shape raises it. Default: 1.
/// - `default(limit)`, `default(limit = path)`: earlier versions had no such field; it gets `Default::default()`, or what
///   the function returns.
/// - `renamed(limit = maximum)`: the field `limit` had the name `maximum`.
/// - `removed(color)`: there was a field `color`; its values are dropped.
/// - `migrate(1 = path)`: a `fn(&mut OldState) -> Result<(), BoxError>` that makes of a state of version 1 one of version 2.
/// - `after_restore = path`: a `fn(&mut Self)` that runs after the fields were restored, and makes anew what is no state.
/// - `events = Type`: the state is what events of this type made of it. `impl EventSourced` says what they do, and handlers
///   emit them, `ctx.emit(self, event)`; nothing else changes the state.
/// - `snapshot_every = 1000`: the fields are recorded in place of the events when there are so many. Default: 1000.
/// - `upcast(1 = path)`: a `fn(Old) -> Event` that makes of an event which version 1 recorded, of another type, one of today.
///
/// # What it generates
///
/// `impl Persistent`: `save` encodes the fields one by one, each under its name; `load` decodes all of them and then replaces
/// them. If one cannot be read, none is replaced. With events, `impl Emits`, which names their type.
///
/// # Example
///
/// ```ignore
/// #[persistent(balance, currency, version = 2, default(currency = euro))]
/// pub struct Account {
///     balance: u64,
///     currency: Currency,
///     recent: Vec<u64>,
/// }
/// ```
///
/// # Misuse
///
/// These are compile errors: a field that the struct does not have or that is named twice, a field that serde cannot
/// write and read, an enum or a union, a default of a field that is no state, a field that is said to be removed or renamed and
/// is still there, a migration that does not lead on from an older version, a function with another signature, events without
/// `impl EventSourced` or that serde cannot write and read, and a snapshot after no event.
#[proc_macro_attribute]
pub fn persistent(args: TokenStream, item: TokenStream) -> TokenStream {
    persistent::expand(args.into(), item.into()).into()
}
