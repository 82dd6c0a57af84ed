//! Short names for types on the wire.

/// The wire tag of a name: FNV-1a, 32 bits (Fowler, Noll, Vo). Usable in constants.
///
/// Two messages of one actor with the same tag are found when the program starts.
pub const fn tag(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let mut hash = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

/// The wire tag of a version of a name: that of the name in version 1, another in each other version. Usable in constants.
pub const fn tag_of_version(name: &str, version: u32) -> u32 {
    if version == 1 {
        return tag(name);
    }
    let bytes = version.to_le_bytes();
    let (mut hash, mut at) = (tag(name), 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    #[test]
    fn tags_follow_the_published_vectors() {
        assert_eq!(super::tag(""), 0x811c_9dc5);
        assert_eq!(super::tag("foobar"), 0xbf9c_f968);
    }

    #[test]
    fn versions_have_tags_of_their_own_and_the_first_that_of_the_name() {
        assert_eq!(super::tag_of_version("foobar", 1), super::tag("foobar"));
        assert_eq!(super::tag_of_version("foobar", 2), super::tag("foobar\u{2}\0\0\0"));
    }
}
