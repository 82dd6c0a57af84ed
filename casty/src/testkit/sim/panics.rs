//! Panics within a simulation: those of handlers are part of the trace, those of casty itself are violations.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Once};

use super::trace::Trace;

thread_local! {
    static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
}

struct Watched {
    trace: Arc<Trace>,
    own: Option<String>,
}

/// Watches the panics of this thread for as long as the guard lives. They are not printed.
pub(super) fn watch(trace: Arc<Trace>) -> Guard {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info) {
                before(info);
            }
        }));
    });
    WATCHED.set(Some(Watched { trace, own: None }));
    Guard
}

/// The first panic of casty itself on this thread.
pub(super) fn own() -> Option<String> {
    WATCHED.with_borrow(|watched| watched.as_ref()?.own.clone())
}

pub(super) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        WATCHED.take();
    }
}

fn note(info: &PanicHookInfo<'_>) -> bool {
    let noted = WATCHED.try_with(|watched| {
        let mut watched = watched.try_borrow_mut().ok()?;
        let watched = watched.as_mut()?;
        let text = info.to_string();
        watched.trace.say(text.clone());
        if info.location().is_some_and(|location| is_own(location.file())) {
            watched.own.get_or_insert(text);
        }
        Some(())
    });
    matches!(noted, Ok(Some(())))
}

/// Whether a source file is one of casty's, and not of its test kit: actors of tests may panic.
fn is_own(file: &str) -> bool {
    let source = file!().strip_suffix("testkit/sim/panics.rs").unwrap_or_default();
    file.strip_prefix(source).is_some_and(|file| !file.starts_with("testkit/") && !file.contains("/tests"))
}
