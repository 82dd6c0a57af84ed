//! A client: it calls the cluster without being a node of it.

mod config;
mod error;
mod find;
mod inner;
mod links;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use config::ClientConfig;
pub use error::{ConnectError, FindError};
pub use find::Find;

use self::inner::{Dispatch, Inner};
use self::links::ClientLinks;
use crate::actor::remote::Addressed;
use crate::actor::{ActorRef, ActorSystem, FromId, Persistent, Registered, ShutdownReport};
use crate::base::NodeId;
use crate::cluster::{Member, Settings, Uplink};
use crate::codec::{DecodeError, EncodeError, decode, encode};
use crate::node::{Found, Sought, incarnation};
use crate::remote::Hub;
use crate::sharding::{Declaration, EntityRef, Regions, Router, RouterSettings, Sharded};

/// A node that does not belong to a cluster by then, or knows no leader of it, is of no use to a client.
const USELESS_AFTER: Duration = Duration::from_millis(1_500);

/// Where no node was of any use lately, the next is given more and more time, up to this.
const USELESS_AFTER_LONGEST: Duration = Duration::from_secs(24);

/// A program that calls the entities, singletons and actors of a cluster, and is no node of it: it holds nothing, votes
/// nowhere, needs no address, and comes and goes as it likes.
///
/// It is connected to one node, which passes on what is for others. When that node dies, the client goes to another, and sends
/// again what entities have not answered: each request changes state once, and gets its first reply, whichever ways it took.
/// What was asked of actors by way of the lost node ends with [`AskError::Unknown`](crate::AskError::Unknown), as it does for
/// a node whose link breaks. Messages are checked at compile time as everywhere: the client is built with the actors' types.
///
/// A reply that holds an [`EntityRef`] cannot be read by a client, which does not follow what types the cluster has; a message
/// of its own may hold one.
///
/// It is an [`ActorSystem`] too, for actors of its own. References to them may be sent to those that it calls, and work for as
/// long as the client lives, on the nodes that it has called.
///
/// ```no_run
/// # use casty::prelude::*;
/// # #[message] pub struct Deposit { pub amount: u64 }
/// # #[persistent] pub struct Account { balance: u64 }
/// # #[actor] impl Account {
/// #     fn new(_id: EntityId) -> Self { Self { balance: 0 } }
/// #     #[handler] fn deposit(&mut self, msg: Deposit) -> u64 { self.balance += msg.amount; self.balance }
/// # }
/// use casty::{Client, ClientConfig, Tls};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ClientConfig::new(["10.0.0.1:8001", "10.0.0.2:8001"]).tls(Tls::from_pem("ca.pem", "edge.pem", "edge.key"));
/// let client = Client::connect(config).await?;
/// let accounts = client.sharded::<Account>("account").await?;
/// let balance = accounts.entity("user-1").deposit(Deposit { amount: 100 }).await?;
/// # Ok(()) }
/// ```
pub struct Client {
    inner: Arc<Inner>,
    uplink: Arc<Uplink>,
    tasks: JoinSet<()>,
}

impl Client {
    /// Connects to a node, and returns when it has told of the cluster. From then on the client looks for another node by
    /// itself whenever it loses the one that it has.
    pub async fn connect(config: ClientConfig) -> Result<Self, ConnectError> {
        config.check()?;
        let system = ActorSystem::builder(config.name.clone()).ask_timeout(config.ask_timeout).build();
        system.registry()?;
        let seed = config.seed.unwrap_or_else(|| rand::RngExt::random(&mut StdRng::from_rng(&mut rand::rng())));
        let settings = Settings {
            seeds: config.seeds.clone(),
            discovery: config.discovery.clone(),
            tls: config.tls.clone(),
            secret: config.secret.clone(),
            nonces_from_seed: config.replayable,
            incarnation: if config.replayable { seed } else { incarnation() },
            seed,
            ..Settings::new(config.name.clone(), String::new())
        };
        let dispatch = Arc::new(Dispatch::default());
        let uplink = Uplink::start(settings, config.net.clone(), dispatch.clone())?;
        let client = Self::assemble(&config, system, uplink, &dispatch);
        let mut welcome = client.inner.welcome.subscribe();
        if timeout(config.connect_timeout, welcome.wait_for(|welcome| *welcome)).await.is_err() {
            let last =
                client.uplink.failure().unwrap_or_else(|| "a node answered that belongs to no cluster yet".into());
            return Err(ConnectError::Unreachable { cluster: config.name, after: config.connect_timeout, last });
        }
        Ok(client)
    }

    fn assemble(config: &ClientConfig, system: ActorSystem, uplink: Arc<Uplink>, dispatch: &Dispatch) -> Self {
        let me = uplink.me().key;
        let links = Arc::<ClientLinks>::default();
        links.connect(&uplink);
        let (window, ask_timeout) = (config.window, config.ask_timeout);
        let router_settings = RouterSettings { window, ask_timeout, ..RouterSettings::default() };
        let router = Router::new(me, links.clone(), Arc::<Regions>::default(), router_settings, system.env().clone());
        let hub = Hub::new(me, links.clone(), &system);
        let inner = Arc::new(Inner {
            system,
            links,
            router,
            hub,
            questions: Default::default(),
            cluster_id: OnceLock::new(),
            welcome: watch::Sender::new(false),
            introduced: me.0.into(),
            leads: watch::Sender::new(false),
        });
        dispatch.connect(&inner);
        let mut tasks = JoinSet::new();
        tasks.spawn(inner.router.clone().run());
        tasks.spawn(attend(inner.clone(), uplink.clone()));
        tasks.spawn(move_on(inner.clone(), uplink.clone()));
        Self { inner, uplink, tasks }
    }

    /// An entity type that a node has [started](crate::Node::sharded). It waits for one that is not there yet.
    pub fn sharded<A: Registered + Persistent + FromId>(&self, name: impl Into<String>) -> Find<Sharded<A>> {
        Find::new(self.inner.clone(), Sought::Type(name.into()), |inner, name, found| {
            let shards = declared::<A>(name, found, false)?.shards;
            Ok(Sharded::new(inner.router.clone(), name, shards))
        })
    }

    /// A singleton that a node has [started](crate::Node::singleton). It waits for one that is not there yet.
    pub fn singleton<A: Registered + FromId>(&self, name: impl Into<String>) -> Find<EntityRef<A>> {
        Find::new(self.inner.clone(), Sought::Type(name.into()), |inner, name, found| {
            declared::<A>(name, found, true)?;
            Ok(Sharded::<A>::new(inner.router.clone(), name, 1).entity(name))
        })
    }

    /// The living actor of this name, on whichever node it was spawned with [`named`](crate::actor::Spawn::named). It waits for
    /// one that is not there yet.
    pub fn lookup<A: Addressed>(&self, name: impl Into<String>) -> Find<ActorRef<A>> {
        Find::new(self.inner.clone(), Sought::Actor(name.into()), |inner, name, found| {
            let wrong = |found: String| {
                let (name, expected) = (name.to_owned(), format!("a `{}`", A::NAME));
                FindError::WrongType { name, expected, found }
            };
            let Found::Actor(address) = found else { return Err(wrong("no actor".to_owned())) };
            if *address.actor != *A::NAME {
                return Err(wrong(format!("a `{}`", address.actor)));
            }
            let _inside = inner.system.env().enter();
            let reference = encode(&address).ok().and_then(|address| decode(&address).ok());
            reference.ok_or_else(|| wrong("an actor whose address cannot be read".to_owned()))
        })
    }

    /// The address of one of the client's actors as bytes: [`Node::export`](crate::Node::export).
    pub fn export<A: Addressed>(&self, actor: &ActorRef<A>) -> Result<Vec<u8>, EncodeError> {
        encode(actor)
    }

    /// The reference to an actor that a node has [exported](crate::Node::export).
    pub fn import<A: Addressed>(&self, address: &[u8]) -> Result<ActorRef<A>, DecodeError> {
        let _inside = self.inner.system.env().enter();
        decode(address)
    }

    /// The node that serves the client now; `None` while another is looked for.
    pub fn connected_to(&self) -> Option<NodeId> {
        self.uplink.through().map(|member| member.id)
    }

    /// The nodes of the cluster, by id, as far as the client's node has told.
    pub fn members(&self) -> Vec<Member> {
        self.uplink.members()
    }

    /// Stops the client's actors, and ends the connection when all that was queued is written. What waits for an answer gets an
    /// error.
    pub async fn shutdown(mut self) -> ShutdownReport {
        let report = self.inner.system.shutdown().await;
        self.inner.hub.close("the client has been shut down");
        self.inner.router.close("the client has been shut down");
        self.uplink.shutdown().await;
        self.tasks.shutdown().await;
        report
    }
}

impl Deref for Client {
    type Target = ActorSystem;

    fn deref(&self) -> &ActorSystem {
        &self.inner.system
    }
}

/// What was waited for ends: nothing carries it any more.
impl Drop for Client {
    fn drop(&mut self) {
        self.inner.hub.close("the client is gone");
        self.inner.router.close("the client is gone");
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("connected_to", &self.connected_to()).finish_non_exhaustive()
    }
}

/// The declaration that was found, if it is one of `A`, and a singleton's or not.
fn declared<A: Registered>(name: &str, found: Found, single: bool) -> Result<Declaration, FindError> {
    let say = |actor: &str, single: bool| match single {
        true => format!("the singleton `{actor}`"),
        false => format!("the entity type of `{actor}`"),
    };
    let wrong =
        |found: String| Err(FindError::WrongType { name: name.to_owned(), expected: say(A::NAME, single), found });
    match found {
        Found::Type(declaration) if declaration.actor == A::NAME && declaration.single == single => Ok(declaration),
        Found::Type(declaration) => wrong(say(&declaration.actor, declaration.single)),
        _ => wrong("no entity type".to_owned()),
    }
}

/// Says hello to each node that takes the client.
async fn attend(inner: Arc<Inner>, uplink: Arc<Uplink>) {
    let mut through = uplink.watch();
    loop {
        inner.leads.send_replace(false);
        if through.borrow_and_update().is_some() {
            inner.introduce();
        }
        if through.changed().await.is_err() {
            return;
        }
    }
}

/// Leaves a node that is of no use: it is cut off from the others, or has lost them.
async fn move_on(inner: Arc<Inner>, uplink: Arc<Uplink>) {
    let (mut through, mut leads) = (uplink.watch(), inner.leads.subscribe());
    let mut patience = USELESS_AFTER;
    loop {
        let leads_now = *leads.borrow_and_update();
        let useless = through.borrow_and_update().is_some() && !leads_now;
        if leads_now {
            patience = USELESS_AFTER;
        }
        tokio::select! {
            () = sleep(patience), if useless => {
                uplink.elsewhere();
                patience = (2 * patience).min(USELESS_AFTER_LONGEST);
            }
            changed = through.changed() => if changed.is_err() { return },
            changed = leads.changed() => if changed.is_err() { return },
        }
    }
}
