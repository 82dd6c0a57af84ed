//! Actors that ask each other in a ring are told, and do not wait for their time-out.

use std::time::Duration;

use casty::prelude::*;
use tokio::time::Instant;

use crate::support::soon;

/// Asks the next one, if it has one.
struct Link {
    next: Option<ActorRef<Link>>,
}

#[actor(local)]
impl Link {
    #[message]
    fn connect(&mut self, next: ActorRef<Link>) {
        self.next = Some(next);
    }

    /// How many links there are from here on.
    #[message]
    async fn length(&mut self) -> Result<u64, String> {
        match &self.next {
            Some(next) => next.length().await.map(|rest| rest + 1).map_err(|error| match error {
                AskError::Handler(reason) => reason,
                other => other.to_string(),
            }),
            None => Ok(1),
        }
    }

    /// Asks the next one twice at once.
    #[message]
    async fn twice(&mut self) -> bool {
        let Some(next) = &self.next else { return false };
        let (one, two) = tokio::join!(next.length(), next.length());
        one == two && one.is_ok()
    }

    /// Asks in a task of its own, which does not hold the actor up.
    #[message]
    fn aside(&mut self, ctx: &mut Ctx<Self>) {
        let myself = ctx.myself();
        ctx.pipe_to_self(async move { myself.length().await.is_ok() }, |fine| Told { fine });
    }

    #[message]
    fn told(&mut self, fine: bool) {
        assert!(fine);
        self.next = None;
    }
}

/// Answers one, and asks the one that it has answered.
struct Server {
    caller: Option<ActorRef<Caller>>,
}

struct Caller {
    server: Option<ActorRef<Server>>,
}

#[actor(local)]
impl Server {
    #[message]
    fn get(&self) -> u64 {
        7
    }

    #[message]
    async fn poke(&mut self, gate: tokio::sync::oneshot::Receiver<()>) -> bool {
        let _ = gate.await;
        true
    }

    #[message]
    async fn status(&mut self) -> Result<u64, String> {
        match &self.caller {
            Some(caller) => caller.asked().await.map_err(|error| error.to_string()),
            None => Err("nobody".to_owned()),
        }
    }

    #[message]
    fn meet(&mut self, caller: ActorRef<Caller>) {
        self.caller = Some(caller);
    }
}

#[actor(local)]
impl Caller {
    #[message]
    async fn call(&mut self) -> u64 {
        match &self.server {
            Some(server) => server.get().await.unwrap_or_default(),
            None => 0,
        }
    }

    #[message]
    fn asked(&self) -> u64 {
        1
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_an_answer_waits_for_nobody_even_before_it_goes_on() {
    let system = ActorSystem::new("test");
    let server = system.spawn(Server { caller: None }).await.unwrap();
    let caller = system.spawn(Caller { server: Some(server.clone()) }).await.unwrap();
    server.meet(caller.clone()).await.unwrap();
    // On this one thread the server answers `get` and goes on to `status` before the caller runs again.
    let (open, gate) = tokio::sync::oneshot::channel();
    server.poke(gate).send().await.unwrap();
    let asked = async {
        tokio::join!(caller.call(), async {
            // The caller has asked by now.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            open.send(()).unwrap();
            server.status().await
        })
    };
    assert_eq!(soon(asked).await, (Ok(7), Ok(1)));
}

async fn chain(system: &ActorSystem, names: &[&str]) -> Vec<ActorRef<Link>> {
    let mut links = Vec::new();
    for name in names {
        links.push(system.spawn(Link { next: None }).named(*name).await.unwrap());
    }
    for pair in links.windows(2) {
        pair[0].connect(pair[1].clone()).await.unwrap();
    }
    links
}

#[tokio::test(start_paused = true)]
async fn a_ring_is_told_at_once_with_who_asks_whom() {
    let system = ActorSystem::new("test");
    let links = chain(&system, &["a", "b", "c"]).await;
    assert_eq!(soon(links[0].length()).await, Ok(3));
    links[2].connect(links[0].clone()).await.unwrap();
    let begun = Instant::now();
    let Err(AskError::Handler(reason)) = soon(links[0].length()).await else { panic!("a ring was not found") };
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    let places: Vec<_> = ["`c`", "`a`", "`b`"].iter().map(|name| reason.find(name).unwrap()).collect();
    assert!(places.is_sorted() && reason.rfind("`c`") > reason.find("`b`"), "{reason}");
    // Nobody is stuck, and the next ask finds no traces.
    links[2].told(true).await.unwrap();
    assert_eq!(soon(links[0].length()).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_asks_itself_is_told() {
    let system = ActorSystem::new("test");
    let links = chain(&system, &["a"]).await;
    links[0].connect(links[0].clone()).await.unwrap();
    let Err(AskError::Handler(reason)) = soon(links[0].length()).await else { panic!("it waits for itself") };
    assert!(reason.contains("`a` asks "), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn asks_that_form_no_ring_are_left_alone() {
    let system = ActorSystem::new("test");
    let links = chain(&system, &["a", "b", "c"]).await;
    let asked = async { tokio::join!(links[0].twice(), links[1].twice(), links[0].length()) };
    assert_eq!(soon(asked).await, (Ok(true), Ok(true), Ok(3)));
    // No edge is left of all that: `c` may ask `a`, which asks `b`.
    links[1].told(true).await.unwrap();
    links[2].connect(links[0].clone()).await.unwrap();
    assert_eq!(soon(links[2].length()).await, Ok(3));
    links[2].told(true).await.unwrap();
    // The actor does not wait for what its own future asks.
    links[2].aside().await.unwrap();
    assert_eq!(soon(links[2].length()).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn without_the_detection_a_ring_waits_for_its_time_out() {
    let system = ActorSystem::builder("test").detect_ask_cycles(false).ask_timeout(Duration::from_secs(1)).build();
    let links = chain(&system, &["a", "b"]).await;
    links[1].connect(links[0].clone()).await.unwrap();
    let begun = Instant::now();
    assert!(matches!(soon(links[0].length()).await, Err(AskError::Timeout { .. } | AskError::Handler(_))));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}
