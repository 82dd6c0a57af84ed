//! An actor that tells what happens to it, and does what it is told.

use std::future::Future;
use std::time::Duration;

use casty::prelude::*;
use tokio::sync::mpsc;

/// How long a test waits for what must happen. In paused time it costs nothing.
const DEADLINE: Duration = Duration::from_secs(60);

/// Takes down what happens, in order.
#[derive(Clone)]
pub(crate) struct Diary(mpsc::UnboundedSender<String>);

/// Reads a [`Diary`].
pub(crate) struct Reader(mpsc::UnboundedReceiver<String>);

pub(crate) fn diary() -> (Diary, Reader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Diary(sender), Reader(receiver))
}

impl Diary {
    pub(crate) fn note(&self, line: impl Into<String>) {
        // Nobody reads it any more when a test has seen enough.
        let _ = self.0.send(line.into());
    }
}

impl Reader {
    /// The next line.
    pub(crate) async fn line(&mut self) -> String {
        soon(self.0.recv()).await.expect("nobody writes any more")
    }

    /// The next lines are these.
    pub(crate) async fn expect(&mut self, lines: &[&str]) {
        for (at, expected) in lines.iter().enumerate() {
            assert_eq!(self.line().await, *expected, "line {at} of {lines:?}");
        }
    }

    /// What was written so far and not read.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

/// Does what it is told, and writes down what happens to it.
pub(crate) struct Worker {
    pub(crate) name: &'static str,
    pub(crate) diary: Diary,
    pub(crate) directive: Directive,
    /// `on_start` fails.
    pub(crate) lame: bool,
    handled: u64,
}

impl Worker {
    pub(crate) fn new(name: &'static str, diary: &Diary) -> Self {
        diary.note(format!("{name} made"));
        Self { name, diary: diary.clone(), directive: Directive::Restart, lame: false, handled: 0 }
    }

    fn note(&self, what: &str) {
        self.diary.note(format!("{} {what}", self.name));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.note("dropped");
    }
}

#[actor(local)]
impl Worker {
    /// Writes its number down, and says how many came before it.
    #[message]
    fn work(&mut self, n: u64) -> u64 {
        self.note(&format!("works {n}"));
        self.handled += 1;
        self.handled - 1
    }

    #[message]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new(format!("{} was told to fail", self.name)));
    }

    /// Works until the gate opens.
    #[message]
    async fn wait(&mut self, gate: tokio::sync::oneshot::Receiver<()>) {
        self.note("waits");
        let _ = gate.await;
    }

    fn on_start(&mut self) -> Result<(), BoxError> {
        self.note("starts");
        if self.lame { Err("it is lame".into()) } else { Ok(()) }
    }

    fn on_stop(&mut self) {
        self.note("stops");
    }

    fn on_error(&mut self, _failure: &Failure) -> Directive {
        self.directive
    }
}

/// What must end, ends.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it should have ended long ago")
}
