//! Which of two identities of one node counts.

use foca::Identity;

use crate::base::NodeId;
use crate::wire::Member;

/// The node's name is what foca calls the address: it outlives restarts, also those that change where others dial.
impl Identity for Member {
    type Addr = NodeId;

    /// A life that was declared down comes back with the next bump.
    fn renew(&self) -> Option<Self> {
        Some(Self { bump: self.bump.checked_add(1)?, ..self.clone() })
    }

    fn addr(&self) -> NodeId {
        self.id.clone()
    }

    /// The later life counts, then the later bump. Two processes with one name and one incarnation are a mistake;
    /// what they say of themselves decides then, so that all nodes agree on which of them they see.
    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        let by_life = self.incarnation.cmp(&adversary.incarnation);
        let by_bump = || self.bump.cmp(&adversary.bump);
        let rest = |member: &Self| (member.addr.clone(), member.role, member.labels.clone());
        let by_rest = || rest(self).cmp(&rest(adversary));
        by_life.then_with(by_bump).then_with(by_rest).is_gt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    #[test]
    fn a_later_life_counts_more_than_any_bump_and_a_renewed_one_more_than_before() {
        let old = Member::new("a".into(), 1, "h:1", Role::Replica);
        let new = Member::new("a".into(), 2, "h:2", Role::Replica);
        let mut bumped = old.clone();
        for _ in 0..10 {
            let renewed = bumped.renew().unwrap();
            assert!(renewed.win_addr_conflict(&bumped) && !bumped.win_addr_conflict(&renewed));
            assert!(new.win_addr_conflict(&renewed));
            bumped = renewed;
        }
        assert!(!old.win_addr_conflict(&old));
    }
}
