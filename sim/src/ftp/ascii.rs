//! The line ends of type A (RFC 959 §3.1.1.1): CRLF on the wire, LF in a stored file.
//!
//! Every LF gets a CR before it on the way out, and loses one on the way in, so that any bytes at all come back as
//! they were. A bare CR, and a bare LF of a careless peer, stay as they are.

/// A stored file as it stands on the wire.
pub(super) fn to_wire(stored: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(wire_len(stored));
    for &byte in stored {
        if byte == b'\n' {
            wire.push(b'\r');
        }
        wire.push(byte);
    }
    wire
}

/// How many bytes [`to_wire`] makes of it.
pub(super) fn wire_len(stored: &[u8]) -> usize {
    stored.iter().map(|&byte| if byte == b'\n' { 2 } else { 1 }).sum()
}

/// A file from the wire as it is stored.
pub(super) fn from_wire(wire: &[u8]) -> Vec<u8> {
    let mut stored: Vec<u8> = Vec::with_capacity(wire.len());
    // Looked at on the wire rather than in what is stored, where the CR of CR CR LF would be removed twice.
    let mut after_cr = false;
    for &byte in wire {
        if byte == b'\n' && after_cr {
            stored.pop();
        }
        stored.push(byte);
        after_cr = byte == b'\r';
    }
    stored
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_ends_in_crlf_on_the_wire_and_in_lf_on_disk() {
        assert_eq!(to_wire(b"one\ntwo\n"), b"one\r\ntwo\r\n");
        assert_eq!(from_wire(b"one\r\ntwo\r\n"), b"one\ntwo\n");
    }

    #[test]
    fn lone_carriage_returns_and_line_feeds_from_the_wire_stay() {
        assert_eq!(from_wire(b"a\rb\nc\r\r\n\r"), b"a\rb\nc\r\n\r");
    }

    proptest! {
        #[test]
        fn any_file_survives_the_way_there_and_back(file: Vec<u8>) {
            let wire = to_wire(&file);
            prop_assert_eq!(wire.len(), wire_len(&file));
            prop_assert_eq!(from_wire(&wire), file);
        }
    }
}
