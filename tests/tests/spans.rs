//! Spans, as those see them who install a subscriber. A program of its own: a subscriber that is set for one thread misses
//! spans of places in the code that another thread came by first.

#![cfg(test)]

use std::io;
use std::sync::{Arc, Mutex};

use casty::prelude::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Talker;

#[actor(local)]
impl Talker {
    #[message]
    fn say(&mut self, what: &'static str) {
        tracing::info!(what, "said");
    }

    #[message]
    async fn think(&mut self, what: &'static str) {
        tokio::task::yield_now().await;
        tracing::info!(what, "thought");
    }
}

async fn talk(filter: &str) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let system = ActorSystem::new("test");
    let talker = system.spawn(Talker).named("parrot").await.unwrap();
    talker.say("hello").await.unwrap();
    talker.think("hm").await.unwrap();
    lines.text()
}

#[tokio::test(start_paused = true)]
async fn what_an_actor_logs_says_which_actor_it_is_and_which_message_only_where_that_is_wanted() {
    let text = talk("info").await;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, what) in lines.iter().zip(["said what=\"hello\"", "thought what=\"hm\""]) {
        assert!(line.contains("actor{actor=\"spans::Talker\" name=\"parrot\" number=0}"), "{line}");
        assert!(line.contains(what) && !line.contains("handle{"), "{line}");
    }

    let text = talk("info,casty::message=trace").await;
    let lines: Vec<_> = text.lines().collect();
    for (line, message) in lines.iter().zip(["Say", "Think"]) {
        assert!(line.contains("name=\"parrot\"") && line.contains("handle{"), "{line}");
        assert!(line.contains(&format!("message_type=\"spans::{message}\"")), "{line}");
    }
    assert_eq!(lines.len(), 2, "{text}");

    // Who wants no spans of actors has none.
    assert!(!talk("info,casty::actor=warn").await.contains("parrot"));
}
