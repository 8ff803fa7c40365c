//! GRE's header, as far as it tells conversations apart (RFC 2784, and RFC 2637 §4.1 for PPTP).

use super::bytes::read_u16;

/// What a GRE header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gre {
    /// Version 0, in which nothing tells conversations apart.
    Plain,
    /// Version 1, PPTP's: the ID that the receiver has given the call.
    Enhanced { call_id: u16 },
    /// Version 1 with something else than PPP in it.
    UnknownContent,
    /// A version that nobody has defined.
    UnknownVersion,
}

/// As much as version 1 has at least.
const HEADER: usize = 8;

impl Gre {
    /// The header at the beginning of `content`; none where that is too short.
    pub(crate) fn read(content: &[u8]) -> Option<Self> {
        const VERSION: u16 = 0x0007;
        const PPP: u16 = 0x880b;
        let header = content.get(..HEADER)?;
        Some(match read_u16(header, 0) & VERSION {
            0 => Self::Plain,
            1 if read_u16(header, 2) == PPP => Self::Enhanced { call_id: read_u16(header, 6) },
            1 => Self::UnknownContent,
            _ => Self::UnknownVersion,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        assert_eq!(Gre::read(&[0x20, 0, 8, 0, 0, 0, 0, 9]), Some(Gre::Plain));
        let call = [0x30, 1, 0x88, 0x0b, 0, 4, 0x12, 0x34, 0, 0, 0, 1];
        assert_eq!(Gre::read(&call), Some(Gre::Enhanced { call_id: 0x1234 }));
        assert_eq!(Gre::read(&[0x30, 1, 8, 0, 0, 4, 0, 1]), Some(Gre::UnknownContent));
        assert_eq!(Gre::read(&[0x30, 2, 0x88, 0x0b, 0, 4, 0, 1]), Some(Gre::UnknownVersion));
        assert_eq!(Gre::read(&call[..7]), None);
    }
}
