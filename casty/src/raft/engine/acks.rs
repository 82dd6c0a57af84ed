//! Which acknowledgements of appends may be passed on to the leader's core.

use std::collections::VecDeque;

use super::types::LogId;

/// The appends of one session that wait for a reply, and those that would be taken for acknowledged by mistake.
///
/// The library remembers when it made each append, and takes an acknowledgement of entry n for one of every append
/// that ends at or before n. An append without entries, made to tell of a commit, ends where the append before it
/// ended. If that one's reply arrives late, the leader would believe that the follower heard of it at the time of the
/// second append, when it may have elected another leader in between: leases and read indexes would be wrong. So a
/// reply is withheld while a later append without entries could be taken for acknowledged by it. No reply is missed:
/// the reply to that append, or to one after it, says at least as much.
#[derive(Default)]
pub(super) struct Acks {
    made: u64,
    /// Serial numbers of the appends that were sent and have no reply.
    sent: VecDeque<u64>,
    /// Appends without entries, by serial number and the entry they end at. One for each end: not more than there
    /// are appends in flight, and one.
    empty: VecDeque<(u64, Option<LogId>)>,
}

impl Acks {
    /// The library made an append and gives it to the session. The serial number is for [`Acks::sent`].
    pub(super) fn made(&mut self, without_entries_at: Option<Option<LogId>>) -> u64 {
        self.made += 1;
        if let Some(at) = without_entries_at {
            // The later of two with the same end also stands for the earlier one.
            if self.empty.back().is_some_and(|(_, last)| *last == at) {
                self.empty.pop_back();
            }
            self.empty.push_back((self.made, at));
        }
        self.made
    }

    /// An append was sent.
    pub(super) fn sent(&mut self, serial: u64) {
        self.sent.push_back(serial);
    }

    /// The reply to the oldest sent append came, and says that the follower's log agrees up to `matching`. Whether it
    /// may be passed on.
    pub(super) fn acknowledge(&mut self, matching: Option<LogId>) -> bool {
        let Some(serial) = self.sent.pop_front() else { return false };
        self.empty.retain(|(empty, _)| *empty > serial);
        self.empty.iter().all(|(_, at)| *at > matching)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> Option<LogId> {
        Some(LogId::new(1.into(), index))
    }

    #[test]
    fn replies_in_order_pass() {
        let mut acks = Acks::default();
        for index in 10..20 {
            let serial = acks.made(None);
            acks.sent(serial);
            let serial = acks.made(Some(at(index)));
            let entries = acks.made(None);
            acks.sent(entries);
            assert!(!acks.acknowledge(at(index)), "the append {serial} without entries was never sent");
            assert!(acks.acknowledge(at(index + 1)));
        }
    }

    #[test]
    fn a_reply_does_not_pass_for_one_to_a_later_append_without_entries() {
        let mut acks = Acks::default();
        let entries = acks.made(None);
        acks.sent(entries);
        let commit = acks.made(Some(at(10)));
        acks.sent(commit);
        assert!(!acks.acknowledge(at(10)), "the follower may have sent this before the second append was made");
        assert!(acks.acknowledge(at(10)));
    }

    #[test]
    fn a_reply_to_fewer_entries_passes() {
        let mut acks = Acks::default();
        for _ in 0..2 {
            let entries = acks.made(None);
            acks.sent(entries);
        }
        acks.made(Some(at(12)));
        assert!(acks.acknowledge(at(11)));
        assert!(!acks.acknowledge(at(12)));
    }
}
