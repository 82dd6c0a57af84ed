//! What holds of every decoder of a whole body.

/// Bytes that nobody has sent, to be put behind a body.
const MORE: [u8; 3] = [0, 1, 0xff];

/// Decodes a body and encodes what it holds; asserts that these bytes mean the same, and that no byte may follow.
pub(super) fn whole<T>(bytes: &[u8], decode: impl Fn(&[u8]) -> Option<T>, encode: impl Fn(&T) -> Vec<u8>) -> bool {
    if !same(bytes, &decode, encode) {
        return false;
    }
    let mut longer = bytes.to_vec();
    for more in MORE {
        longer.push(more);
        assert!(decode(&longer).is_none(), "a body was taken with {more} left over: {longer:?}");
        longer.pop();
    }
    true
}

/// Decodes a body and encodes what it holds; asserts that these bytes mean the same. The spelling may differ from the one
/// that came, since a number can be written with more bytes than it needs.
pub(super) fn same<T>(bytes: &[u8], decode: impl Fn(&[u8]) -> Option<T>, encode: impl Fn(&T) -> Vec<u8>) -> bool {
    let Some(value) = decode(bytes) else { return false };
    let spelled = encode(&value);
    let again = decode(&spelled).map(|value| encode(&value));
    assert!(again.as_ref() == Some(&spelled), "{bytes:?} was taken, and means {spelled:?}, which means {again:?}");
    true
}

/// Encodes a value of casty's own, which the codec always takes.
pub(super) fn spelled<T: serde::Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let spelled = crate::codec::encode(value);
    assert!(spelled.is_ok(), "the codec refused a value of casty's own: {spelled:?}");
    spelled.unwrap_or_default()
}
