//! A control connection through a router: a client on the LAN, a server on the WAN.

use super::lab::Lab;
use super::seen::Seen;
use super::{PC, SERVER, tcp};

/// Both ends' sequence numbers, as each end counts its own.
pub(crate) struct Control {
    pub(crate) client: String,
    pub(crate) server: String,
    /// The client as the server sees it.
    pub(crate) outside: String,
    /// The next sequence number of the client's, as the client counts.
    pub(crate) sent: u32,
    /// The next sequence number of the server's.
    pub(crate) replied: u32,
}

impl Control {
    /// Connects the PC, from port 1024, to the server's `port`.
    pub(crate) fn open(lab: &mut Lab, port: u16) -> Self {
        Self::between(lab, &format!("{PC}:1024"), &format!("{SERVER}:{port}"))
    }

    pub(crate) fn between(lab: &mut Lab, client: &str, server: &str) -> Self {
        let outside = lab.connect(client, server);
        let (client, server) = (client.to_owned(), server.to_owned());
        let mut control = Self { client, server, outside, sent: 1000, replied: 5000 };
        control.reply(lab, "220 ready\r\n");
        control.say(lab, "USER anonymous\r\n");
        lab.events();
        control
    }

    /// The segment that would carry `text` next.
    pub(crate) fn segment(&self, text: impl AsRef<[u8]>) -> Vec<u8> {
        self.again(self.sent, text)
    }

    /// A segment of the client's at any sequence number.
    pub(crate) fn again(&self, sequence: u32, text: impl AsRef<[u8]>) -> Vec<u8> {
        tcp(&self.client, &self.server).seq(sequence).ack(self.replied).data(text).packet()
    }

    /// The client sends `text`; gives back what leaves.
    pub(crate) fn say(&mut self, lab: &mut Lab, text: impl AsRef<[u8]>) -> Seen {
        let seen = lab.from_lan(self.segment(text.as_ref()));
        self.sent += u32::try_from(text.as_ref().len()).unwrap();
        seen
    }

    /// The server sends `text` and acknowledges nothing new; gives back what leaves.
    pub(crate) fn reply(&mut self, lab: &mut Lab, text: &str) -> Seen {
        let segment = tcp(&self.server, &self.outside).seq(self.replied).ack(1000).data(text);
        self.replied += u32::try_from(text.len()).unwrap();
        lab.from_wan(segment.packet())
    }

    /// The server acknowledges up to `number`, as it counts; gives back what the client gets.
    pub(crate) fn acknowledge(&self, lab: &mut Lab, number: u32) -> Seen {
        lab.from_wan(tcp(&self.server, &self.outside).seq(self.replied).ack(number).packet())
    }
}
