//! TLS on a session's connections (RFC 4217), without a socket: bytes of the wire in, bytes of the program out, and back.
//!
//! It is rustls, and whoever reads a capture finds TLS 1.3 in it. What makes a handshake differ from one run to the next
//! comes from a seed, so that two runs are the same byte for byte. Hence nothing here is secret, and no certificate is
//! looked at: a lab's servers have one that nobody vouches for.

mod setup;

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, Error, ServerConnection};

use setup::{Random, client_config, drawing_from, server_config};

/// One end of a TLS connection.
pub(super) struct Tls {
    connection: Connection,
    random: Random,
    closing: bool,
}

/// The peer does not speak TLS, or not so that this end understands it.
#[derive(Debug, thiserror::Error)]
#[error("TLS: {0}")]
pub(super) struct TlsFailure(#[from] Error);

impl Tls {
    /// The end that begins, towards a server at this address. `name` tells its random numbers from those of others.
    pub(super) fn client(seed: u64, name: &str, server: Ipv4Addr) -> Result<Self, TlsFailure> {
        let mut random = Random::new(seed, name);
        let to = ServerName::IpAddress(server.into());
        let connection = drawing_from(&mut random, || ClientConnection::new(client_config()?, to))?;
        Ok(Self::new(connection.into(), random))
    }

    /// The end that answers.
    pub(super) fn server(seed: u64, name: &str) -> Result<Self, TlsFailure> {
        let mut random = Random::new(seed, name);
        let connection = drawing_from(&mut random, || ServerConnection::new(server_config()?))?;
        Ok(Self::new(connection.into(), random))
    }

    fn new(mut connection: Connection, random: Random) -> Self {
        // What a program hands over before the handshake is through waits, all of it.
        connection.set_buffer_limit(None);
        Self { connection, random, closing: false }
    }

    /// Takes in bytes of the wire; returns those of the peer's program.
    pub(super) fn take(&mut self, mut wire: &[u8]) -> Result<Vec<u8>, TlsFailure> {
        let Self { connection, random, .. } = self;
        drawing_from(random, || {
            let mut plain = Vec::new();
            while !wire.is_empty() {
                // Reading from a slice does not fail; nothing taken means that the peer has closed.
                if connection.read_tls(&mut wire).is_ok_and(|count| count == 0) {
                    break;
                }
                let state = connection.process_new_packets()?;
                let mut some = vec![0; state.plaintext_bytes_to_read()];
                if connection.reader().read_exact(&mut some).is_ok() {
                    plain.append(&mut some);
                }
            }
            Ok(plain)
        })
    }

    /// Takes in bytes of this end's program.
    pub(super) fn put(&mut self, plain: &[u8]) {
        let Self { connection, random, .. } = self;
        // Without a limit all of it is taken.
        let taken = drawing_from(random, || connection.writer().write_all(plain));
        debug_assert!(taken.is_ok(), "a buffer without limit takes everything");
    }

    /// What is to be sent now.
    pub(super) fn leaving(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.connection.wants_write() && self.connection.write_tls(&mut wire).is_ok() {}
        wire
    }

    /// Whether what was put waits for the handshake.
    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Says, once, that nothing more comes from this end.
    pub(super) fn close(&mut self) {
        if !std::mem::replace(&mut self.closing, true) {
            self.connection.send_close_notify();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that two ends say to each other, and what the server's program was told.
    fn talk(seed: u64) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut client = Tls::client(seed, "client", Ipv4Addr::new(198, 51, 100, 9)).unwrap();
        let mut server = Tls::server(seed, "server").unwrap();
        client.put(b"PORT 192,168,1,100,65,43\r\n");
        let (mut said, mut told) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            for (from, to) in [(true, false), (false, true)] {
                let wire = if from { client.leaving() } else { server.leaving() };
                let plain = if to { client.take(&wire) } else { server.take(&wire) };
                if !to {
                    told.extend(plain.unwrap());
                }
                said.push(wire);
            }
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        (said, told)
    }

    #[test]
    fn what_is_said_is_understood_and_cannot_be_read_on_the_wire() {
        let (said, told) = talk(1);
        assert_eq!(told, b"PORT 192,168,1,100,65,43\r\n");
        assert_eq!(said[0].first_chunk(), Some(&[0x16, 0x03, 0x01]), "a handshake record");
        assert!(!said.concat().windows(4).any(|bytes| bytes == b"PORT"));
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes() {
        assert_eq!(talk(1), talk(1));
        assert_ne!(talk(1).0, talk(2).0);
    }

    #[test]
    fn what_is_no_tls_is_refused_with_an_alert() {
        let mut server = Tls::server(1, "server").unwrap();
        assert!(server.take(b"USER anonymous\r\n").is_err());
        assert_eq!(server.leaving().first(), Some(&0x15));
    }
}
