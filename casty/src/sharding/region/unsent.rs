//! What a region keeps for a node that takes its words more slowly than they are made.

use std::collections::BTreeMap;

use crate::base::SessionId;
use crate::sharding::protocol::ToRouter;

/// So many bytes of words wait for room in the queue of one connected peer: as many as that queue takes.
const UNSENT_BYTES_MAX: usize = 64 << 20;

/// Keeps the first words for a node, as many as may wait. Those that follow are dropped, and their sessions are to be opened again:
/// requests that are sent again then are answered from the table, or by another read.
pub(super) fn shorten(words: &mut Vec<ToRouter>) {
    let mut bytes = 0;
    let fits = |word: &&ToRouter| {
        bytes += word.bytes();
        bytes <= UNSENT_BYTES_MAX
    };
    let kept = words.iter().take_while(fits).count();
    let dropped = words.split_off(kept);
    if dropped.is_empty() {
        return;
    }
    // A node that is told nothing else asks again, and is told again that the region is closed, or its origin expired.
    let before = words.extract_if(.., |word| matches!(word, ToRouter::Reopen { .. }));
    let again: BTreeMap<SessionId, u64> = before.chain(dropped).filter_map(|word| opened(&word)).collect();
    words.extend(again.into_iter().map(|(session, counter)| ToRouter::Reopen { session, counter }));
}

/// The session that a word belongs to, and which opening of it.
fn opened(word: &ToRouter) -> Option<(SessionId, u64)> {
    match word {
        ToRouter::Answer { session, counter, .. } | ToRouter::Reopen { session, counter } => Some((*session, *counter)),
        ToRouter::Closed { .. } | ToRouter::Expired { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::NodeKey;
    use crate::sharding::protocol::Outcome;

    fn session(shard: u32) -> SessionId {
        SessionId { origin: NodeKey(1), entity_type: 2, shard }
    }

    /// The answers to requests of two sessions in turn, of a mebibyte each, without the bytes.
    fn answers(count: u64) -> Vec<ToRouter> {
        let value = Bytes::from(vec![0; 1 << 20]);
        let answer = |sequence| ToRouter::Answer {
            session: session((sequence % 2) as u32),
            counter: 7,
            sequence,
            outcome: Outcome::Value(value.clone()),
        };
        (0..count).map(answer).collect()
    }

    #[test]
    fn words_that_fit_are_kept_as_they_are() {
        let mut words = answers(20);
        shorten(&mut words);
        assert!(words == answers(20));
    }

    #[test]
    fn sessions_whose_answers_find_no_room_are_to_be_opened_again() {
        let (mut words, reopen) = (answers(1_000), |shard| ToRouter::Reopen { session: session(shard), counter: 7 });
        for _ in 0..3 {
            shorten(&mut words);
            assert!(words[..63] == answers(63));
            assert_eq!(words[63..], [reopen(0), reopen(1)], "however often it is tried again");
            words.extend(answers(1_000));
        }
    }
}
