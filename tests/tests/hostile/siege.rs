//! A node that strangers attack, and clients that must not notice.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use casty::Sharded;
use casty_tests::bank::{Account, Deposit, GetBalance};
use casty_tests::cluster::{Cluster, DEADLINE, config, node, ready};
use tokio::time::timeout;

/// The name of the cluster, which strangers know too.
pub(crate) const CLUSTER: &str = "casty";

/// How long an ask may take, whatever strangers do.
const ASK_MAX: Duration = Duration::from_secs(5);

/// How long a newcomer may take until it is ready.
const NEWCOMER_MAX: Duration = Duration::from_secs(10);

/// The node that is attacked, and the one that serves the clients: most of what they ask goes over the links of both.
const ATTACKED: usize = 0;
const SERVING: usize = 1;

/// Entities that are asked in turn; the attacked node leads some of them.
const USERS: u64 = 24;

/// What panicked since the last siege, in whatever thread.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A cluster of which one node is attacked.
pub(crate) struct Siege {
    cluster: Cluster,
    accounts: Sharded<Account>,
    rounds: u64,
}

impl Siege {
    pub(crate) async fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
                before(info);
            }));
        });
        let cluster = Cluster::start(3).await;
        let accounts = cluster.sharded::<Account>("account").await.remove(SERVING);
        Self { cluster, accounts, rounds: 0 }
    }

    /// Where the node listens that is attacked.
    pub(crate) fn address(&self) -> String {
        self.cluster.node(ATTACKED).address()
    }

    /// Lets an attack run to its end, while a client asks without a pause and is answered each time.
    pub(crate) async fn during<T>(&mut self, attack: impl Future<Output = T>) -> T {
        let over = AtomicBool::new(false);
        let attack = async {
            let result = timeout(DEADLINE, attack).await;
            over.store(true, Ordering::Relaxed);
            result.expect("the attack has come to its end")
        };
        let client = async {
            while !over.load(Ordering::Relaxed) {
                self.rounds += 1;
                for user in 0..USERS {
                    let account = self.accounts.entity(format!("user-{user}"));
                    let balance = account.deposit(Deposit { amount: 1 }).timeout(ASK_MAX).await;
                    assert_eq!(balance, Ok(self.rounds), "user {user} in round {}", self.rounds);
                }
            }
        };
        tokio::join!(attack, client).0
    }

    /// Has a node come that knows the attacked one only. It must be ready soon, and serve.
    pub(crate) async fn newcomer(&mut self) {
        let newcomer = node(config(4, 3).seeds([self.address()])).await;
        let newcomer = self.cluster.add(newcomer);
        let joined = timeout(NEWCOMER_MAX, ready(self.cluster.node(newcomer))).await;
        assert!(joined.is_ok(), "the newcomer is not ready within {NEWCOMER_MAX:?}");
        let accounts = self.cluster.node(newcomer).sharded::<Account>("account").start().await;
        let balance = accounts.expect("it starts").entity("user-0").balance(GetBalance).timeout(ASK_MAX).await;
        assert!(balance.is_ok(), "{balance:?}");
    }

    /// The attack is over: the node is ready, every deposit counts once, and nothing has panicked.
    pub(crate) async fn end(self) {
        ready(self.cluster.node(ATTACKED)).await;
        for user in 0..USERS {
            let balance = self.accounts.entity(format!("user-{user}")).balance(GetBalance).timeout(ASK_MAX).await;
            assert_eq!(balance, Ok(self.rounds), "user {user}");
        }
        let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner));
        assert!(panics.is_empty(), "something panicked, here or as the siege before ended: {panics:#?}");
    }
}

/// Bytes without meaning, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// How much of this program is in memory, in bytes.
pub(crate) fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kib.trim().trim_end_matches(" kB").parse::<usize>().ok()? << 10)
}
