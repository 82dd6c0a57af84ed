//! What two nodes that met agree on.

use std::fmt;

use super::Preface;
use crate::wire::HandshakeError;

/// Versions of the protocol that a node speaks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The newest.
    pub(crate) newest: u16,
    /// The oldest.
    pub(crate) oldest: u16,
}

impl Versions {
    /// What this release speaks. With every change of what follows a preface the newest grows by one; the oldest follows a
    /// release later, so that a rolling restart from one release to the next works.
    pub(crate) const CURRENT: Self = Self { newest: 1, oldest: 1 };
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.newest == self.oldest {
            true => write!(f, "{}", self.newest),
            false => write!(f, "{} to {}", self.oldest, self.newest),
        }
    }
}

/// A set of abilities, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features(pub(crate) u64);

impl Features {
    /// Nodes prove that they know a shared secret.
    pub(crate) const SECRET: Self = Self(1);
    /// A node understands compressed frames.
    pub(crate) const LZ4: Self = Self(2);

    const NAMES: [(Self, &str); 2] = [(Self::SECRET, "a shared secret"), (Self::LZ4, "lz4")];

    /// Both sets together.
    #[must_use]
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub(crate) const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` is in this set.
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().filter(|(feature, _)| self.contains(*feature));
        let mut names: Vec<String> = known.map(|(_, name)| (*name).to_owned()).collect();
        let nameless = Self::NAMES.iter().fold(self.0, |rest, (feature, _)| rest & !feature.0);
        names.extend((0..u64::BITS).filter(|bit| nameless >> bit & 1 == 1).map(|bit| format!("feature {bit}")));
        match names.is_empty() {
            true => f.write_str("nothing"),
            false => f.write_str(&names.join(" and ")),
        }
    }
}

/// What two nodes agreed on: the same on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The version of everything that follows.
    pub(crate) version: u16,
    /// What both are able to.
    pub(crate) features: Features,
}

/// Why two nodes cannot agree, seen from one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Version { ours: Versions, theirs: Versions },
    Codec { ours: u8, theirs: u8 },
    Feature { needed: Features, offered: Features, by_us: bool },
}

impl Terms {
    /// Compares two prefaces. Both sides come to the same terms, or both to a mismatch.
    pub(crate) fn agree(ours: &Preface, theirs: &Preface) -> Result<Self, Mismatch> {
        let version = ours.versions.newest.min(theirs.versions.newest);
        if version < ours.versions.oldest || version < theirs.versions.oldest {
            return Err(Mismatch::Version { ours: ours.versions, theirs: theirs.versions });
        }
        if ours.codec != theirs.codec {
            return Err(Mismatch::Codec { ours: ours.codec, theirs: theirs.codec });
        }
        for (needs, offers, by_us) in [(ours.needs, theirs.offers, true), (theirs.needs, ours.offers, false)] {
            if !offers.contains(needs) {
                return Err(Mismatch::Feature { needed: needs, offered: offers, by_us });
            }
        }
        Ok(Self { version, features: ours.offers.common(theirs.offers) })
    }
}

impl From<Mismatch> for HandshakeError {
    fn from(mismatch: Mismatch) -> Self {
        match mismatch {
            Mismatch::Version { ours, theirs } => Self::Version { ours, theirs },
            Mismatch::Codec { ours, theirs } => Self::Codec { ours, theirs },
            Mismatch::Feature { needed, offered, by_us: true } => Self::TheyLack { needed, offered },
            Mismatch::Feature { needed, offered, by_us: false } => Self::WeLack { needed, offered },
        }
    }
}
