//! What nodes tell those who operate them: log lines, and metrics.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use casty_tests::cluster::{DEADLINE, eventually};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tracing_subscriber::EnvFilter;

/// Every warning of this process.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static METRICS: OnceLock<Snapshotter> = OnceLock::new();

/// Failed handshakes by cluster, side and reason.
static FAILED: Mutex<BTreeMap<(String, String, String), u64>> = Mutex::new(BTreeMap::new());

/// Begins to listen to the nodes of this process. To be called before the first of them starts.
pub(crate) fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let recorder = DebuggingRecorder::new();
        METRICS.set(recorder.snapshotter()).ok().unwrap();
        recorder.install().unwrap();
        let filter = EnvFilter::new("warn,openraft=error");
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Log).init();
    });
}

/// Waits until a node has warned of this.
pub(crate) async fn warned(text: &str) {
    eventually(DEADLINE, &format!("a log line with {text:?}, but:\n{}", log()), || log().contains(text)).await;
}

/// Waits until handshakes of the cluster have failed on this side for this reason.
pub(crate) async fn counted(cluster: &str, side: &str, reason: &str) {
    let key = (cluster.to_owned(), side.to_owned(), reason.to_owned());
    eventually(DEADLINE, &format!("{key:?} to be counted"), || failed().contains_key(&key)).await;
}

fn log() -> String {
    String::from_utf8_lossy(&lock(&LOG)).into_owned()
}

/// A snapshot takes what was counted away, so it is added up here.
fn failed() -> MutexGuard<'static, BTreeMap<(String, String, String), u64>> {
    let mut failed = lock(&FAILED);
    for (key, _, _, value) in METRICS.get().unwrap().snapshot().into_vec() {
        let DebugValue::Counter(count @ 1..) = value else { continue };
        if key.key().name() == "casty_handshakes_failed_total" {
            let label = |name| key.key().labels().find(|label| label.key() == name).unwrap().value().to_owned();
            *failed.entry((label("system"), label("side"), label("reason"))).or_default() += count;
        }
    }
    failed
}

fn lock<T>(of: &'static Mutex<T>) -> MutexGuard<'static, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&LOG).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
