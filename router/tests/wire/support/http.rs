//! A TCP client of the router's own server, segment by segment.

use smoltcp::wire::TcpPacket;

use super::lab::{LAN, Lab};
use super::seen::Seen;
use super::{Tcp, tcp};

/// A connection to the router, as its client counts.
pub(crate) struct Web {
    client: String,
    server: String,
    sent: u32,
    received: u32,
    /// What has come, in order.
    pub(crate) text: String,
    /// Whether the router closed it.
    pub(crate) is_closed: bool,
    /// Whether the router broke it off.
    pub(crate) is_reset: bool,
}

impl Web {
    /// The handshake; `None` where the router answers with a reset.
    pub(crate) fn connect(lab: &mut Lab, client: &str, server: &str) -> Option<Self> {
        let mut left = lab.send(LAN, tcp(client, server).seq(999).syn().packet());
        assert_eq!(left.len(), 1, "one answer to a SYN: {left:?}");
        let answer = left.remove(0);
        if answer.tcp().rst() {
            return None;
        }
        assert!(answer.tcp().syn() && answer.acknowledgement() == 1000, "{answer:?}");
        let received = answer.sequence().wrapping_add(1);
        let (client, server) = (client.to_owned(), server.to_owned());
        let mut web = Self {
            client,
            server,
            sent: 1000,
            received,
            text: String::new(),
            is_closed: false,
            is_reset: false,
        };
        web.send(lab, |segment| segment);
        Some(web)
    }

    fn send(&mut self, lab: &mut Lab, shape: impl FnOnce(Tcp) -> Tcp) {
        let segment = tcp(&self.client, &self.server).seq(self.sent).ack(self.received);
        let left = lab.send(LAN, shape(segment).packet());
        self.take(left);
    }

    /// Reads what the router has sent.
    pub(crate) fn take(&mut self, segments: Vec<Seen>) {
        for seen in segments {
            let tcp: TcpPacket<&[u8]> = seen.tcp();
            self.is_reset |= tcp.rst();
            if seen.sequence() != self.received || self.is_closed {
                continue;
            }
            let text = seen.text();
            self.received = self.received.wrapping_add(u32::try_from(text.len()).unwrap());
            self.text += &text;
            if tcp.fin() {
                self.received = self.received.wrapping_add(1);
                self.is_closed = true;
            }
        }
    }

    /// Sends `text` in segments of `size` bytes.
    pub(crate) fn say(&mut self, lab: &mut Lab, text: &str, size: usize) {
        for part in text.as_bytes().chunks(size) {
            self.send(lab, |segment| segment.data(part));
            self.sent = self.sent.wrapping_add(u32::try_from(part.len()).unwrap());
        }
    }

    /// Acknowledges what comes until nothing does.
    pub(crate) fn listen(&mut self, lab: &mut Lab) {
        for _ in 0..100 {
            let before = self.received;
            self.send(lab, |segment| segment);
            if self.received == before {
                break;
            }
        }
    }

    /// Closes this side, too.
    pub(crate) fn close(&mut self, lab: &mut Lab) {
        self.send(lab, Tcp::fin);
        self.sent = self.sent.wrapping_add(1);
    }

    /// A request and its response, on a connection of its own.
    pub(crate) fn ask(lab: &mut Lab, client: &str, server: &str, request: &str) -> String {
        let mut web = Self::connect(lab, client, server).expect("the router accepts");
        web.say(lab, request, 400);
        web.listen(lab);
        assert!(web.is_closed && !web.is_reset, "the router closes after its response: {}", web.text);
        web.close(lab);
        web.text
    }
}

/// A request that calls an action.
pub(crate) fn soap_request(service: &str, path: &str, action: &str, arguments: &str) -> String {
    let body = format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:{action} xmlns:u=\"{service}\">\
         {arguments}</u:{action}></s:Body></s:Envelope>"
    );
    format!(
        "POST {path} HTTP/1.1\r\nHost: 192.168.1.1:5000\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\
         SOAPAction: \"{service}#{action}\"\r\n\r\n{body}",
        body.len()
    )
}
