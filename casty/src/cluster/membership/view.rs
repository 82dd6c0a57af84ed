//! What changed between two views of the membership.

use crate::wire::Member;

/// Members by id: the order of every view.
pub(super) fn sorted(mut members: Vec<Member>) -> Vec<Member> {
    members.sort_by(|a, b| (&a.id, a.incarnation).cmp(&(&b.id, b.incarnation)));
    members
}

/// The members that are in `after` and not in `before`. A life that was declared down and came back at once was never
/// gone.
pub(super) fn joined<'a>(before: &'a [Member], after: &'a [Member]) -> impl Iterator<Item = &'a Member> {
    after.iter().filter(|member| !before.iter().any(|known| known.key == member.key))
}

/// The members that are in `before` and not in `after`.
pub(super) fn gone<'a>(before: &'a [Member], after: &'a [Member]) -> impl Iterator<Item = &'a Member> {
    joined(after, before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    #[test]
    fn a_later_life_is_another_member_and_a_bump_is_not() {
        let old = Member::new("a".into(), 1, "h:1", Role::Replica);
        let new = Member::new("a".into(), 2, "h:1", Role::Replica);
        let bumped = Member { bump: 1, ..old.clone() };
        assert_eq!(joined(std::slice::from_ref(&old), &[bumped]).count(), 0);
        assert!(joined(std::slice::from_ref(&old), std::slice::from_ref(&new)).eq([&new]));
        assert!(gone(std::slice::from_ref(&old), &[new]).eq([&old]));
    }
}
