//! State that a program takes out of its actor and puts back by itself, and fields that are rebuilt.

use casty::actor::{State, state};
use casty::prelude::*;
use casty_tests::cluster::Cluster;

/// Keeps words, and finds them by their length.
#[persistent(except(by_length), after_restore = Self::index)]
struct Words {
    words: Vec<String>,
    by_length: Vec<Vec<usize>>,
}

#[actor(name = "state.Words")]
impl Words {
    fn new(_: EntityId) -> Self {
        Self { words: Vec::new(), by_length: Vec::new() }
    }

    fn index(&mut self) {
        self.by_length.clear();
        for (place, word) in self.words.iter().enumerate() {
            if self.by_length.len() <= word.len() {
                self.by_length.resize(word.len() + 1, Vec::new());
            }
            self.by_length[word.len()].push(place);
        }
    }

    #[message]
    fn add(&mut self, word: String) {
        self.words.push(word);
        self.index();
    }

    #[message]
    fn fail(&mut self) {
        self.words.push("never".to_owned());
        panic!("as it should");
    }

    #[message]
    fn of_length(&self, length: usize) -> Vec<String> {
        let places = self.by_length.get(length).cloned().unwrap_or_default();
        places.into_iter().map(|place| self.words[place].clone()).collect()
    }
}

/// Counts in a way of its own, and keeps a number.
struct Tally {
    strokes: String,
}

#[persistent]
struct Strokes {
    count: u32,
}

impl State for Tally {
    type Kept = Strokes;

    fn get_state(&self) -> Strokes {
        Strokes { count: self.strokes.len() as u32 }
    }

    fn set_state(&mut self, kept: Strokes) {
        self.strokes = "|".repeat(kept.count as usize);
    }
}

#[actor(name = "state.Tally")]
impl Tally {
    fn new(_: EntityId) -> Self {
        Self { strokes: String::new() }
    }

    #[message]
    fn stroke(&mut self) -> String {
        self.strokes.push('|');
        self.strokes.clone()
    }

    #[message]
    fn stumble(&mut self) {
        self.strokes.clear();
        panic!("as it should");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_state_is_rebuilt_after_a_restore() {
    let cluster = Cluster::start(3).await;
    let words = &cluster.sharded::<Words>("words").await[0];
    let some = words.entity("some");
    some.add("one".to_owned()).await.unwrap();
    some.add("three".to_owned()).await.unwrap();
    some.add("two".to_owned()).await.unwrap();
    some.fail().await.unwrap_err();
    assert_eq!(some.of_length(3).await.unwrap(), ["one", "two"]);
    assert_eq!(some.of_length(5).await.unwrap(), ["three"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hand_written_state_is_kept_and_put_back() {
    let cluster = Cluster::start(3).await;
    let tallies = &cluster.sharded::<Tally>("tally").await[0];
    let tally = tallies.entity("some");
    tally.stroke().await.unwrap();
    tally.stroke().await.unwrap();
    tally.stumble().await.unwrap_err();
    assert_eq!(tally.stroke().await.unwrap(), "|||");
}

#[test]
fn hand_written_state_is_written_as_what_is_kept() {
    let tally = Tally { strokes: "||".to_owned() };
    let saved = state::save(&tally).unwrap();
    assert_eq!(saved, state::save(&Strokes { count: 2 }).unwrap());
    let mut other = Tally { strokes: String::new() };
    state::restore(&mut other, saved).unwrap();
    assert_eq!(other.strokes, "||");
}
