//! When a request to an entity is answered.

/// When a request that changed an entity is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// As soon as its handler has run, before anybody but the leader of the entity's group has the change. A change that
    /// was answered is lost if the leader is lost within the next moment, and a leader that was cut off, and does not
    /// know yet, answers with what is lost later; reads do not ask either whether it leads still. What is kept is kept in
    /// order and once, and what handlers send to others leaves when a majority has it, as ever.
    Leader,
    /// Once a majority of the replicas has it, on their disks as their settings say. Reads and writes are linearizable.
    Quorum,
}
