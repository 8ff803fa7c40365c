//! IPv4 packets as one line of text, both ways, and patterns for packets in the same notation.
//!
//! ```text
//! tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN seq=1000 mss=1460 sack-permitted
//! tcp 192.168.1.100:4321 > 198.51.100.9:21 PSH,ACK seq=1001 ack=5001 "PORT 192,168,1,100,16,225\r\n"
//! udp 10.0.0.1:5000 > 198.51.100.9:53 ttl=5 "hello"
//! icmp 192.168.1.100 > 198.51.100.9 echo-request id=7 seq=1 length=56
//! icmp 203.0.113.1 > 192.168.1.100 time-exceeded quoting (udp 192.168.1.100:4000 > 198.51.100.9:53)
//! ip proto=47 10.0.0.1 > 10.0.0.2 hex "00000800"
//! hex "4500001400000000"
//! ```
//!
//! # Grammar
//!
//! Words are separated by blanks. Behind the endpoints, words stand in any order; TCP's options go into the header
//! in the order in which they are written.
//!
//! ```text
//! line     = packet | "hex" HEX                             octets as they are, with nothing filled in
//! packet   = "tcp"  endpoint ">" endpoint { word }          FLAGS must be among the words
//!          | "udp"  endpoint ">" endpoint { word }
//!          | "icmp" ADDRESS  ">" ADDRESS  { word }          TYPE must be among the words
//!          | "ip" "proto=" NUMBER ADDRESS ">" ADDRESS { word }
//! endpoint = ADDRESS ":" PORT
//! word     = FLAGS | TYPE | key "=" value | option | "df" | "no-df" | payload
//! option   = "mss=" NUMBER | "wscale=" NUMBER | "sack-permitted" | "nop"
//!          | "sack=" LEFT ":" RIGHT { "," LEFT ":" RIGHT } | "timestamps=" VALUE ":" ECHO-REPLY
//! payload  = TEXT | "hex" HEX | "length=" NUMBER | "quoting" "(" packet ")"      at most one
//! FLAGS    = "none" | flag { "," flag }
//! flag     = "FIN" | "SYN" | "RST" | "PSH" | "ACK" | "URG" | "ECE" | "CWR" | "NS"
//! TYPE     = ( NAME | NUMBER ) [ "/" ( NAME | NUMBER ) ]    ICMP's type and code; without a code it is 0
//! NUMBER   = decimal digits | "0x" hexadecimal digits
//! TEXT     = '"' { character | \r | \n | \t | \" | \\ | \* | \xNN } '"'          UTF-8
//! HEX      = '"' pairs of hexadecimal digits, with or without blanks between '"'
//! ```
//!
//! `length=N` is a payload of N octets that count 0, 1, 2 … 255, 0, 1 …. `quoting` is for ICMP errors; a packet
//! quotes a packet at most three deep. It quotes the whole packet: `cut=28` in the quoted packet leaves the header
//! and eight octets, and a tcp line that is cut before its flags does without them. In a packet's text `*` and `\*`
//! are the same.
//!
//! | key | of | value | left out |
//! |---|---|---|---|
//! | `proto` | ip | protocol number, 0–255 | needed |
//! | `seq` | tcp | sequence number, 32 bits | 0 |
//! | `ack` | tcp | acknowledgement number, 32 bits; the flag is separate | 0 |
//! | `win` | tcp | window as in the header, 16 bits | 65535 |
//! | `urg` | tcp | urgent pointer, 16 bits; the flag is separate | 0 |
//! | `mss`, `wscale`, `sack-permitted`, `sack`, `timestamps`, `nop` | tcp | options; padded with zeros to a whole word | none |
//! | `tcp-options` | tcp | all options as `0x…`, whole words, at most 40 octets | none |
//! | `id`, `seq` | icmp echo-request and -reply, timestamp-…, address-mask-… | 16 bits each | 0 |
//! | `mtu` | icmp destination-unreachable/fragmentation-needed | 16 bits | 0 |
//! | `gateway` | icmp redirect | address | 0.0.0.0 |
//! | `pointer` | icmp parameter-problem | 0–255 | 0 |
//! | `rest` | icmp | the header's second word, in place of what stands above for it | 0 |
//! | `udp-length` | udp | the length field | the datagram's |
//! | `checksum` | tcp, udp, icmp | 16 bits, `bad`, `ok`, or in udp `none` | right |
//! | `ttl` | all | time to live, 0–255 | 64 |
//! | `tos` | all | type of service, 0–255: DSCP and ECN | 0 |
//! | `ip-id` | all | identification, 16 bits | 0 |
//! | `df`, `no-df` | all | don't fragment | not set |
//! | `fragment` | all | `OFFSET` in octets, a multiple of 8; `OFFSET+`: more follow | whole |
//! | `ip-options` | all | as `0x…`, whole words, at most 40 octets | none |
//! | `total-length` | all | the length field | the packet's |
//! | `ip-checksum` | all | 16 bits, `bad` or `ok` | right |
//! | `cut` | all | only so many octets of the packet are there; the fields are those of the whole | all |
//!
//! `bad` is one more than the right checksum, and never zero. A checksum is that of the octets that the line has,
//! up to `total-length`, so the first fragment of a longer datagram needs its `checksum` and, in udp, its
//! `udp-length` stated. A fragment with an offset other than 0 has no tcp, udp or icmp header and is written as
//! `ip`. A packet has at most 65535 octets.
//!
//! ICMP's types by name are `echo-reply`, `destination-unreachable`, `source-quench`, `redirect`, `echo-request`,
//! `router-advertisement`, `router-solicitation`, `time-exceeded`, `parameter-problem`, `timestamp-request`,
//! `timestamp-reply`, `address-mask-request` and `address-mask-reply`; codes by name are of
//!
//! - `destination-unreachable`: `network`, `host`, `protocol`, `port`, `fragmentation-needed`,
//!   `source-route-failed`, `network-unknown`, `host-unknown`, `host-isolated`, `network-prohibited`,
//!   `host-prohibited`, `network-tos`, `host-tos`, `administratively-prohibited`, `precedence-violation`,
//!   `precedence-cutoff`;
//! - `redirect`: `network`, `host`, `network-tos`, `host-tos`;
//! - `time-exceeded`: `ttl`, `reassembly`;
//! - `parameter-problem`: `pointer`, `missing-option`, `bad-length`.
//!
//! # The canonical form
//!
//! [`print()`] writes every packet in one way: keys in the order of the table (`rest` first, TCP's options behind
//! `urg`), each left out where leaving it out gives the same octets, the payload last. A payload is `length=` where
//! its octets count as above, `quoting` in an ICMP error where it can be, text where at least three quarters of it
//! are printable, hex otherwise. Names stand for numbers; `tos`, `rest`, checksums and raw options are hexadecimal.
//! A transport header that the notation has no words for (a reserved bit, a data offset that is wrong) is written
//! as the payload of `ip`; such an IPv4 header, and what is no IPv4 packet, as `hex`. So parsing what was printed
//! gives the same octets, always.
//!
//! # Patterns
//!
//! A [`Pattern`] is a line with parts left out. What is written must hold, what is left out is not looked at; both
//! endpoints can be left out together, and a port with its colon.
//!
//! - `*` stands for any address, port, value or type: `tcp 203.0.113.7:* > *`. As the value of an option, of
//!   `fragment`, of `ip-options` and of `tcp-options` it says that there is one.
//! - Flags are exact: `SYN` is not matched by a SYN,ACK. `SYN,*` is matched by both, `*` by any flags.
//! - A type without a code is matched by every code; with one, by this code alone.
//! - Options must be among those of the packet, in any order and with any others.
//! - A `*` in a text stands for any octets: `"227 *\r\n"`; `\*` is a star. `""` is matched by an empty payload.
//! - `length=N` is matched by any payload of N octets.
//! - `checksum=bad` is matched by any wrong checksum, `checksum=ok` by the right one; neither by a part of a
//!   packet, where it cannot be known. A missing UDP checksum is `none` and neither.
//! - `quoting (…)` holds a pattern for the quoted packet, of which what was cut off is not there to match.
//! - A packet matches its own canonical line.
//! - `ip` is matched by every IPv4 packet, and its payload is all that stands behind the IPv4 header.

mod build;
mod decode;
mod draft;
mod error;
mod glob;
mod icmp;
mod key;
mod line;
mod parse;
mod pattern;
mod print;
mod scan;
mod value;

pub use error::{PacketTextError, Problem};
pub use pattern::{Difference, Mismatch, Pattern};

/// The octets of the packet that a line describes, with lengths and checksums filled in where the line does not
/// state them.
pub fn parse(line: &str) -> Result<Vec<u8>, PacketTextError> {
    let form = parse::form(line, parse::Mode::Packet)?;
    build::build_form(&form).map_err(|error| PacketTextError::new(0..line.len(), error.problem))
}

/// The canonical line of any octets: [`parse`] of it gives them back.
pub fn print(bytes: &[u8]) -> String {
    print::form_text(&print::form_of(bytes))
}

#[cfg(test)]
mod tests;
