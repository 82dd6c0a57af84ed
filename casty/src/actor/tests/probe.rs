//! An actor written by hand, as the macros would write it, with a handler for each thing that a test wants.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use crate::actor::reply::{IntoOutcome, Port};
use crate::actor::{Access, Actor, ActorRef, ActorSystem, Ctx, Directive, Failure, Handles, Message, Request, Target};
use crate::base::BoxError;

/// How long a test waits for what must happen.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// Numbered by its sender.
pub(super) struct Seq(pub usize, pub u64);
/// Answered with the same number.
pub(super) struct Echo(pub u64);
/// The same, but every third yields first.
pub(super) struct SlowEcho(pub u64);
/// How many `Seq` were handled.
pub(super) struct Got;
/// Panics.
pub(super) struct Boom;
/// Waits for a permit of the probe's gate.
pub(super) struct Wait;
/// The name of the sender.
pub(super) struct Who;
/// Stops the actor from within.
pub(super) struct Quit;
/// Returns a `Result`.
pub(super) struct Half(pub u64);

/// The error of [`Half`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Odd(pub u64);

/// What a probe tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Started,
    Waiting,
    Stopped,
    Dropped { seqs: u64 },
}

pub(super) struct Probe {
    last: Vec<u64>,
    seqs: u64,
    pub(super) gate: Arc<Semaphore>,
    pub(super) events: Option<mpsc::UnboundedSender<Event>>,
    pub(super) directive: Directive,
    pub(super) fail_start: bool,
    pub(super) panic_stop: bool,
    pub(super) panic_error: bool,
}

pub(super) enum ProbeMsg {
    Seq(Seq, Port<()>),
    Echo(Echo, Port<u64>),
    SlowEcho(SlowEcho, Port<u64>),
    Got(Got, Port<u64>),
    Boom(Boom, Port<()>),
    Wait(Wait, Port<()>),
    Who(Who, Port<Option<String>>),
    Quit(Quit, Port<()>),
    Half(Half, Port<Result<u64, Odd>>),
}

impl Probe {
    pub(super) fn new() -> Self {
        Self {
            last: vec![0; 16],
            seqs: 0,
            gate: Arc::new(Semaphore::new(0)),
            events: None,
            directive: Directive::Resume,
            fail_start: false,
            panic_stop: false,
            panic_error: false,
        }
    }

    pub(super) fn watched() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, told) = mpsc::unbounded_channel();
        let mut probe = Self::new();
        probe.events = Some(events);
        (probe, told)
    }

    fn tell(&self, event: Event) {
        if let Some(events) = &self.events {
            let _ = events.send(event);
        }
    }

    fn seq(&mut self, Seq(who, n): Seq) {
        assert!(n > self.last[who], "out of order");
        self.last[who] = n;
        self.seqs += 1;
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.tell(Event::Dropped { seqs: self.seqs });
    }
}

impl Actor for Probe {
    type Msg = ProbeMsg;
    type Handle<T: Target<Self>> = ProbeHandle<T>;
    const NAME: &'static str = "Probe";
    const HAS_ASYNC: bool = true;
    const HAS_START: bool = true;
    const HAS_STOP: bool = true;

    async fn dispatch_async(&mut self, msg: ProbeMsg, ctx: &mut Ctx<Self>) {
        match msg {
            ProbeMsg::Seq(msg, port) => {
                self.seq(msg);
                ctx.accept(port).reply(());
            }
            ProbeMsg::Echo(msg, port) => ctx.accept(port).reply(msg.0),
            ProbeMsg::SlowEcho(msg, port) => {
                let port = ctx.accept(port);
                if msg.0.is_multiple_of(3) {
                    tokio::task::yield_now().await;
                }
                port.reply(msg.0);
            }
            ProbeMsg::Got(_, port) => ctx.accept(port).reply(self.seqs),
            ProbeMsg::Boom(_, port) => {
                let _port = ctx.accept(port);
                resume_unwind(Box::new("boom"));
            }
            ProbeMsg::Wait(_, port) => {
                let port = ctx.accept(port);
                self.tell(Event::Waiting);
                if let Ok(permit) = self.gate.acquire().await {
                    permit.forget();
                }
                port.reply(());
            }
            ProbeMsg::Who(_, port) => {
                let port = ctx.accept(port);
                let sender = ctx.sender::<Self>();
                port.reply(sender.map(|sender| sender.name().unwrap_or("nameless").to_owned()));
            }
            ProbeMsg::Quit(_, port) => {
                let port = ctx.accept(port);
                ctx.stop();
                port.reply(());
            }
            ProbeMsg::Half(Half(n), port) => {
                ctx.accept(port).reply(if n.is_multiple_of(2) { Ok(n / 2) } else { Err(Odd(n)) });
            }
        }
    }

    fn access(_msg: &ProbeMsg) -> Access {
        Access::Write
    }

    async fn started(&mut self, _ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        self.tell(Event::Started);
        if self.fail_start {
            let _permit = self.gate.acquire().await?;
            return Err("told to fail".into());
        }
        Ok(())
    }

    async fn stopped(&mut self, _ctx: &mut Ctx<Self>) {
        self.tell(Event::Stopped);
        if self.panic_stop {
            resume_unwind(Box::new("in on_stop"));
        }
    }

    fn failed(&mut self, failure: &Failure) -> Directive {
        assert_eq!(failure.reason, "boom");
        if self.panic_error {
            resume_unwind(Box::new("in on_error"));
        }
        self.directive
    }
}

macro_rules! handles {
    ($($msg:ident -> $reply:ty, $ok:ty, $error:ty, $outcome:expr;)*) => { $(
        impl Message for $msg {}

        impl Handles<$msg> for Probe {
            type Message = $msg;
            type Reply = $reply;
            type Ok = $ok;
            type Error = $error;
            const ACCESS: Access = Access::Write;

            fn wrap(msg: $msg, port: Port<$reply>) -> ProbeMsg {
                ProbeMsg::$msg(msg, port)
            }

            fn unwrap(msg: ProbeMsg) -> Result<($msg, Port<$reply>), ProbeMsg> {
                match msg {
                    ProbeMsg::$msg(msg, port) => Ok((msg, port)),
                    other => Err(other),
                }
            }

            fn outcome(reply: $reply) -> Result<$ok, $error> {
                $outcome(reply)
            }
        }
    )* };
}

handles! {
    Seq -> (), (), Infallible, Ok;
    Echo -> u64, u64, Infallible, Ok;
    SlowEcho -> u64, u64, Infallible, Ok;
    Got -> u64, u64, Infallible, Ok;
    Boom -> (), (), Infallible, Ok;
    Wait -> (), (), Infallible, Ok;
    Who -> Option<String>, Option<String>, Infallible, Ok;
    Quit -> (), (), Infallible, Ok;
    Half -> Result<u64, Odd>, u64, Odd, IntoOutcome::into_outcome;
}

pub(super) struct ProbeHandle<T>(T);

impl<T> From<T> for ProbeHandle<T> {
    fn from(target: T) -> Self {
        Self(target)
    }
}

impl<T> AsRef<T> for ProbeHandle<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}

impl<T: Target<Probe>> ProbeHandle<T> {
    pub(super) fn echo(&self, msg: Echo) -> Request<'_, Probe, T, Echo> {
        Request::new(&self.0, msg)
    }
}

/// A system and a probe with this mailbox.
pub(super) async fn spawn(capacity: usize) -> (ActorSystem, ActorRef<Probe>) {
    spawn_probe(Probe::new(), capacity).await
}

pub(super) async fn spawn_probe(probe: Probe, capacity: usize) -> (ActorSystem, ActorRef<Probe>) {
    let system = ActorSystem::new("test");
    let probe = system.spawn(probe).mailbox(capacity).await.unwrap();
    (system, probe)
}

/// What must end, ends.
pub(super) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it should have ended long ago")
}

/// Polls a future `polls` times again, then drops it.
pub(super) async fn poll_times<F: Future>(future: F, polls: u64) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Keeps the actor in a handler until a permit is added to its gate.
pub(super) async fn occupy(probe: &ActorRef<Probe>, told: &mut mpsc::UnboundedReceiver<Event>) {
    probe.send(Wait).await.unwrap();
    while soon(told.recv()).await.unwrap() != Event::Waiting {}
}
