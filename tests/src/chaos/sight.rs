//! What the running nodes say of the groups.

use std::time::Duration;

use futures_util::future::join_all;

use super::damage::Damage;
use crate::processes::node::{Answer, Order, Status};
use crate::processes::{HarnessError, Processes};

/// How long a node may take to say how it sees the groups. One that takes longer is looked at the next time.
const LOOK_LIMIT: Duration = Duration::from_millis(500);

/// Reckons with the nodes again that were lost, if their present lives hold everything that they should. Gives how many these
/// are.
pub(super) async fn look(processes: &Processes, damage: &mut Damage) -> Result<usize, HarnessError> {
    let mut back = Vec::new();
    for node in damage.lost() {
        // Ready comes first: what is seen then is no older than its admission.
        if processes.process(node)?.is_ready() {
            back.push(node);
        }
    }
    if back.is_empty() {
        return Ok(0);
    }
    let nodes = processes.running().into_iter().filter(|node| damage.is_up(*node));
    let seen = join_all(nodes.map(|node| processes.tell_within(node, Order::Status, LOOK_LIMIT))).await;
    let status = |answer: Result<Answer, HarnessError>| match answer {
        Ok(Answer::Status(status)) => Some(status),
        _ => None,
    };
    if !is_settled(&seen.into_iter().map(status).collect::<Vec<_>>(), damage.replicas()) {
        return Ok(0);
    }
    back.iter().for_each(|node| damage.count_on(*node));
    Ok(back.len())
}

/// Whether all that were asked have answered, and say that every group is where it is to be, with so many replicas or more.
///
/// Some may say what was true once, since they are cut off. A node that has just come back knows of its own admission, so
/// it does not take what was before it for the present.
fn is_settled(seen: &[Option<Status>], replicas: usize) -> bool {
    let settled = |status: &Option<Status>| status.as_ref().is_some_and(|at| at.settled && at.fewest >= replicas);
    seen.iter().all(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_says_otherwise_or_nothing_is_enough() {
        let status = |settled, fewest| Some(Status { settled, fewest, ..Status::default() });
        assert!(is_settled(&[status(true, 3), status(true, 3)], 3) && is_settled(&[status(true, 5)], 3));
        for other in [status(false, 3), status(true, 2), None] {
            assert!(!is_settled(&[status(true, 3), other], 3));
        }
    }
}
