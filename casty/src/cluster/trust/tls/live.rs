//! Certificates that are replaced while the node runs.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::load::{Contents, Files, Loaded};
use crate::cluster::TlsError;

/// The files are looked at no more often than this, however many links are made.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The certificates that are in use, and the files that they came from.
pub(super) struct Live {
    files: Files,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    loaded: Option<Arc<Loaded>>,
    /// What was read last, whether it could be used or not.
    contents: Option<Contents>,
    looked: Option<Instant>,
    /// What was wrong when the files were looked at last.
    fault: Option<String>,
}

impl Live {
    pub(super) fn new(files: Files) -> Self {
        Self { files, state: Mutex::default() }
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// Reads the files. On an error, what is in use stays in use.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let contents = self.files.read()?;
        let loaded = self.files.load(&contents);
        let mut state = self.state.lock();
        state.contents = Some(contents);
        state.looked = Some(Instant::now());
        state.loaded = Some(Arc::new(loaded?));
        state.fault = None;
        Ok(())
    }

    /// The certificates to use now: those in the files, if they can be used, and else the last that could.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<Loaded>, TlsError> {
        if let Some(loaded) = self.state.lock().fresh(Instant::now()) {
            return Ok(loaded);
        }
        let me = self.clone();
        // It fails when the runtime ends or the look panics, and then what is in use stays in use.
        let _ = tokio::task::spawn_blocking(move || me.look()).await;
        match self.state.lock().loaded.clone() {
            Some(loaded) => Ok(loaded),
            None => Err(TlsError::Empty { what: "usable certificate", path: self.files.cert.clone() }),
        }
    }

    /// Takes the files over if they have changed. Of what cannot be used, the log is told once.
    fn look(&self) {
        let loaded = self.files.read().and_then(|contents| {
            if self.state.lock().contents.as_ref() == Some(&contents) {
                return Ok(None);
            }
            let loaded = self.files.load(&contents);
            self.state.lock().contents = Some(contents);
            loaded.map(Some)
        });
        let mut state = self.state.lock();
        match loaded {
            Ok(None) => {}
            Ok(Some(loaded)) => {
                let cert = self.files.cert.display();
                tracing::info!(%cert, "the certificates have changed; new links use the new ones");
                (state.loaded, state.fault) = (Some(Arc::new(loaded)), None);
            }
            Err(error) => {
                let fault = error.to_string();
                if state.fault.as_ref() != Some(&fault) {
                    tracing::warn!(%error, "the node keeps the certificates that it has");
                }
                state.fault = Some(fault);
            }
        }
    }
}

impl State {
    /// What is in use, if the files need not be looked at. Otherwise whoever asks is the one to look.
    fn fresh(&mut self, now: Instant) -> Option<Arc<Loaded>> {
        let due = self.looked.is_none_or(|looked| now.duration_since(looked) >= LOOK_EVERY);
        if due {
            self.looked = Some(now);
            return None;
        }
        self.loaded.clone()
    }
}
