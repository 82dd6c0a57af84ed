//! The words of one connection, each bound to all that were said before.

use ring::hmac;

use super::{Preface, Secret, Terms};
use crate::wire::{HandshakeError, Kind};

/// The length of a proof, in bytes.
pub(crate) const PROOF_BYTES: usize = 32;

/// Bytes that only the two ends of a TLS connection know; zeros without TLS.
pub(crate) type Channel = [u8; 32];

/// What a proof begins with, so that it is a proof of nothing else.
const CONTEXT: &[u8] = b"casty handshake";

/// One side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Dialler,
    Acceptor,
}

/// A connection whose prefaces are said.
pub(crate) struct Exchange {
    me: Side,
    secret: Secret,
    terms: Terms,
    /// All that was said so far, by both sides. It is bounded by the handshake's frames, of which there are four.
    said: Vec<u8>,
}

impl Exchange {
    /// Both prefaces are said. An error means that the nodes cannot agree, and both know it.
    pub(crate) fn begin(
        me: Side,
        secret: Option<&Secret>,
        channel: Channel,
        ours: &Preface,
        theirs: &Preface,
    ) -> Result<Self, HandshakeError> {
        let terms = Terms::agree(ours, theirs)?;
        let (dialler, acceptor) = match me {
            Side::Dialler => (ours, theirs),
            Side::Acceptor => (theirs, ours),
        };
        let said = [&channel[..], &dialler.encode(), &acceptor.encode()].concat();
        Ok(Self { me, secret: secret.cloned().unwrap_or_else(Secret::none), terms, said })
    }

    /// What the two sides agreed on.
    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    /// Puts the proof before a word that this side says.
    pub(crate) fn prove(&mut self, kind: Kind, word: &[u8]) -> Vec<u8> {
        let proof = hmac::sign(self.secret.key(), &self.proven(self.me, kind, word));
        let body = [proof.as_ref(), word].concat();
        self.remember(kind, &body);
        body
    }

    /// The word that the other side said, if what stands before it proves that it may. Nothing of it was decoded.
    pub(crate) fn check<'a>(&mut self, kind: Kind, body: &'a [u8]) -> Result<&'a [u8], HandshakeError> {
        let (proof, word) = body.split_at_checked(PROOF_BYTES).ok_or(HandshakeError::Unproven)?;
        let proven = self.proven(self.me.other(), kind, word);
        // In constant time: how much of a proof is right must not be told.
        hmac::verify(self.secret.key(), &proven, proof).map_err(|_| HandshakeError::Unproven)?;
        self.remember(kind, body);
        Ok(word)
    }

    /// What a proof is over. All parts but the last have a fixed length or their length before them.
    fn proven(&self, side: Side, kind: Kind, word: &[u8]) -> Vec<u8> {
        [CONTEXT, &[side.number()], &(self.said.len() as u64).to_le_bytes(), &self.said, &[kind.0], word].concat()
    }

    fn remember(&mut self, kind: Kind, body: &[u8]) {
        self.said.extend_from_slice(&[kind.0]);
        self.said.extend_from_slice(&(body.len() as u64).to_le_bytes());
        self.said.extend_from_slice(body);
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Acceptor,
            Self::Acceptor => Self::Dialler,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Dialler => 1,
            Self::Acceptor => 2,
        }
    }
}
