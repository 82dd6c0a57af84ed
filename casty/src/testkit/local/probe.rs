//! An actor that takes messages of one type for the test.

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::{Received, Stub, Unmet};
use crate::actor::{Access, Actor, ActorRef, Ctx, Handles, Message, Port, Recipient, Target};

/// Takes messages of type `M` for the test, to be given to the actors under test as a [`Recipient`] or a reference. Who
/// asks it gets an `R`, from the test.
pub struct Probe<M: Message, R: Send + 'static = ()>(Stub<Catcher<M, R>>);

/// The actor behind a [`Probe`].
pub struct Catcher<M, R = ()>(Infallible, PhantomData<fn() -> (M, R)>);

/// The handle of a [`Catcher`]: it has no methods, since a message has no name there.
pub struct CatcherHandle<M, R, T>(T, PhantomData<fn() -> (M, R)>);

impl<M: Message, R: Send + 'static> Probe<M, R> {
    pub(super) fn new(stub: Stub<Catcher<M, R>>) -> Self {
        Self(stub)
    }

    /// What the actors under test send to.
    pub fn recipient(&self) -> Recipient<M> {
        self.0.recipient()
    }

    /// What those ask who ask.
    pub fn reference(&self) -> ActorRef<Catcher<M, R>> {
        self.0.reference()
    }

    /// The next message.
    pub async fn expect(&mut self) -> Result<M, Unmet> {
        self.0.expect::<M>().await.map(Received::into_message)
    }

    /// The next message, which is one that `is` accepts. Another is taken.
    pub async fn expect_that(&mut self, is: impl FnOnce(&M) -> bool) -> Result<M, Unmet> {
        let message = self.expect().await?;
        let expected = || format!("a `{}` that the test accepts", type_name::<M>());
        if is(&message) { Ok(message) } else { Err(Unmet::Other { expected: expected(), found: type_name::<M>() }) }
    }

    /// The next message, with whoever waits for a reply to it.
    pub async fn expect_ask(&mut self) -> Result<Received<Catcher<M, R>, M>, Unmet> {
        self.0.expect::<M>().await
    }

    /// No message comes for so long. One that does is taken.
    pub async fn expect_nothing(&mut self, during: Duration) -> Result<(), Unmet> {
        self.0.expect_nothing(during).await
    }

    /// How many messages have come and were not expected yet.
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }
}

impl<M: Message, R: Send + 'static> Actor for Catcher<M, R> {
    type Msg = (M, Port<R>);
    type Handle<T: Target<Self>> = CatcherHandle<M, R, T>;
    const NAME: &'static str = "casty::testkit::Catcher";

    fn dispatch(&mut self, _: Self::Msg, _: &mut Ctx<Self>) -> Option<Self::Msg> {
        match self.0 {}
    }

    fn access(_: &Self::Msg) -> Access {
        Access::Write
    }

    fn message_name(_: &Self::Msg) -> &'static str {
        type_name::<M>()
    }
}

impl<M: Message, R: Send + 'static> Handles<M> for Catcher<M, R> {
    type Message = M;
    type Reply = R;
    type Ok = R;
    type Error = Infallible;
    const ACCESS: Access = Access::Write;

    fn wrap(msg: M, port: Port<R>) -> Self::Msg {
        (msg, port)
    }

    fn unwrap(msg: Self::Msg) -> Result<(M, Port<R>), Self::Msg> {
        Ok(msg)
    }

    fn outcome(reply: R) -> Result<R, Infallible> {
        Ok(reply)
    }
}

impl<M, R, T> From<T> for CatcherHandle<M, R, T> {
    fn from(target: T) -> Self {
        Self(target, PhantomData)
    }
}

impl<M, R, T> AsRef<T> for CatcherHandle<M, R, T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}

impl<M: Message, R: Send + 'static> fmt::Debug for Probe<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("messages", &type_name::<M>()).field("waiting", &self.waiting()).finish()
    }
}
