//! The list of causes. What stands here is what `docs/causes.md` and the schema say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! causes {
    ($($cause:ident = $key:literal {
        says: $says:literal,
        why: $why:literal,
        from: $from:literal,
        source: $source:literal,
    })*) => {
        /// The cause of a failure. Each text is a whole sentence's worth.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema, thiserror::Error,
        )]
        pub enum Cause {
            $(
                #[doc = concat!($says, ".")]
                #[serde(rename = $key)]
                #[error($says)]
                $cause,
            )*
        }

        impl Cause {
            /// All there are, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$cause),*];

            /// The word for it in scenarios and verdicts.
            pub fn key(self) -> &'static str {
                match self { $(Self::$cause => $key),* }
            }

            /// How it comes about, in a few sentences.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$cause => $why),* }
            }

            /// What it is found from.
            pub fn found_from(self) -> &'static str {
                match self { $(Self::$cause => $from),* }
            }

            /// Where it is described: a row of the article, an RFC, or the implementation that does so.
            pub fn source(self) -> &'static str {
                match self { $(Self::$cause => $source),* }
            }
        }
    };
}

causes! {
    ControlPortNotWatched = "control-port-not-watched" {
        says: "the announcement left with the LAN's address in it, because the gateway does not watch that control port",
        why: "A gateway knows FTP by the control connection's port, and this one's list of ports does not have it. It would have rewritten the command on a port that it watches; here the other end is told an address of the LAN, which is reached from nowhere else.",
        from: "the router's event `left alone: not-a-control-port` for that announcement, its list of control ports and of commands, and the announcement as it arrived",
        source: "row `port-other-untouched`",
    }
    NoGateway = "no-gateway" {
        says: "the announcement left with the LAN's address in it, because the router has no gateway for FTP",
        why: "Nothing in the router reads control connections. Whatever port they are on, PORT tells the server an address of the LAN.",
        from: "the router's empty list of control ports, and the announcement as it arrived",
        source: "RFC 3027 §2.1",
    }
    CommandNotRewritten = "command-not-rewritten" {
        says: "the announcement left with the LAN's address in it, because the gateway does not rewrite that command",
        why: "A gateway from before RFC 2428 knows PORT and not EPRT. It passes what it does not know.",
        from: "the router's event `left alone` for that announcement, and its list of commands",
        source: "RFC 2428 §2; assumed of the article's router, which is older",
    }
    KeywordOutOfPlace = "keyword-out-of-place" {
        says: "the announcement left with the LAN's address in it, because its keyword stands where the gateway does not look",
        why: "Gateways that do not put lines together look for the keyword at the first byte of a segment. A client that sends two commands in one segment passes them by.",
        from: "the router's event `left alone: keyword-position`",
        source: "Linux nf_conntrack_ftp, libalias",
    }
    KeywordInOtherLetters = "keyword-in-other-letters" {
        says: "the announcement left with the LAN's address in it, because the gateway knows its keyword in other letters only",
        why: "Commands have no case (RFC 959 §5.3), but some gateways compare the letters as they are.",
        from: "the router's event `left alone: letter-case`",
        source: "RFC 959 §5.3; libslirp, older libalias",
    }
    AnnouncementOverlooked = "announcement-overlooked" {
        says: "the announcement left with the LAN's address in it, because the gateway did not take it for one",
        why: "Some gateways read a command only where the conversation makes it likely: after the login, in a segment of the usual length, on a connection that has spoken nothing but FTP.",
        from: "the router's event `left alone: before-login`, `foreign`, `unasked` or `segment-length`",
        source: "ipfilter ip_ftp_pxy, libalias, OpenBSD ftp-proxy",
    }
    CommandSplit = "command-split" {
        says: "the announcement left with the LAN's address in it, because it came in several segments and the gateway reads each alone",
        why: "TCP may cut a line anywhere, and some clients send a command and its line end apart. A gateway that does not put the stream together sees no whole command.",
        from: "the segments in which the client's line left, and what the router said of them, if anything",
        source: "RFC 3027 §4.1; Suricata 4789",
    }
    AnnouncementMalformed = "announcement-malformed" {
        says: "the announcement left with the LAN's address in it, because the gateway could not read it",
        why: "The server may read what the gateway does not: a space before the line end, a number too large.",
        from: "the router's event `left alone: malformed`, with what is wrong",
        source: "RFC 959 §5.3.2",
    }
    ThirdPartyAnnouncement = "third-party-announcement" {
        says: "the announcement left with the LAN's address in it, because its address is not its sender's and the gateway leaves such alone",
        why: "A careful gateway opens forwards to the sender alone, or it could be made to open one to any host of the LAN.",
        from: "the router's event `left alone: third-party-address`",
        source: "RFC 6384 §7; CVE-2001-0405",
    }
    LowPortAnnounced = "low-port-announced" {
        says: "the announcement left with the LAN's address in it, because its port is one that the gateway opens nothing for",
        why: "Ports below 1024 belong to services. A gateway that opened one would lay open a service of the LAN.",
        from: "the router's event `left alone: refused-port`",
        source: "RFC 2577 §3",
    }
    DataPortTaken = "data-port-taken" {
        says: "the announcement left with the LAN's address in it, because its port is taken on the router and the gateway takes no other",
        why: "The gateway keeps the announced port on its WAN side. Another host's mapping or a forward has it already.",
        from: "the router's event `left alone: data-port-taken`",
        source: "ipfilter ip_ftp_pxy",
    }
    RewriteExceedsMtu = "rewrite-exceeds-mtu" {
        says: "the announcement left with the LAN's address in it, because the rewritten one would be longer than the link takes",
        why: "The router's address may have more digits than the host's. Where the segment has no room for them some gateways leave it as it is.",
        from: "the router's event `left alone: would-exceed-mtu`",
        source: "RFC 3027 §4.1; Open vSwitch",
    }
    AnnouncementDropped = "announcement-dropped" {
        says: "the gateway drops the segment with the announcement, and every repetition of it",
        why: "A strict gateway does not pass what it finds suspicious: another host's address, a low port, a line that it cannot read. The control connection stands still until somebody gives up.",
        from: "the router's drops of the client's segments, with the reason",
        source: "Linux nf_conntrack_ftp, ipfilter; RFC 2577 §3",
    }
    ControlEncrypted = "control-encrypted" {
        says: "the control connection is encrypted, so that no gateway can read or rewrite what is announced on it",
        why: "After AUTH TLS a gateway sees noise. What the hosts announce is an address of their LAN, and no forward is opened.",
        from: "AUTH and its 234 in the dialogue, and a data connection to an address or port that only a gateway could have made true",
        source: "RFC 3027 §4.1, RFC 6384 §5",
    }
    LanAddressInPort = "lan-address-in-port" {
        says: "PORT told the server an address of the client's LAN, which is reached from nowhere else",
        why: "The client announces the address it knows itself by. Somebody on the way would have had to rewrite it; why nobody did is not seen in this material.",
        from: "a private address in PORT or EPRT on a control connection to a public one, and the server's refusal or failed attempt",
        source: "row `port-other-untouched`",
    }
    LanAddressInPassiveReply = "lan-address-in-passive-reply" {
        says: "227 told the client an address of the server's LAN, which is reached from nowhere else",
        why: "The server announces the address it knows itself by. The router before it forwards the control port and does not rewrite the reply.",
        from: "an address in 227 that is not the dialled one and is the server's own or private, and the client's failed attempt at it",
        source: "row `server-pasv-leaks`",
    }
    ForeignAddressRefused = "foreign-address-refused" {
        says: "the server refused an announced address that is not the one the client comes from",
        why: "A careful server dials nobody but its client, or it could be made to dial anyone (FTP bounce). A client that announces a stale or a wrong outside address is refused likewise.",
        from: "the server's 5yz to PORT or EPRT with an address that is neither a LAN's nor the client's as the server sees it",
        source: "RFC 2577 §3; row `port-other-untouched`",
    }
    LowPortRefused = "low-port-refused" {
        says: "the server refused an announced port because it is a low one",
        why: "A careful server dials no port below 1024.",
        from: "the server's 5yz to PORT or EPRT with the client's own address and a port below 1024",
        source: "RFC 2577 §3",
    }
    PassivePeerRefused = "passive-peer-refused" {
        says: "the server turned away the data connection because it came from another host than the client",
        why: "The control connection and the data connection reached the server from two addresses: of two routers, or of somebody who was faster than the client.",
        from: "a connection to the announced port from another address than the control connection's, and the server's 425",
        source: "RFC 2577 §4",
    }
    CommandNotKnown = "command-not-known" {
        says: "the server does not know the command that was to agree on a data connection, and the client tried no other",
        why: "Servers from before RFC 2428 know neither EPSV nor EPRT; some are set up without PASV or without PORT.",
        from: "the server's 500, 502, 504 or 522 to that command, where no address in it can be the reason",
        source: "RFC 959 §4.2, RFC 2428",
    }
    DataPortNotForwarded = "data-port-not-forwarded" {
        says: "the data connection came to a router that forwards no such port",
        why: "What was announced can be reached, as far as the router. It knows nobody to pass the connection on to: the range is not forwarded, and no gateway has opened the port.",
        from: "the SYN of the data connection at that router, and its drop or reset of it",
        source: "rows `client-announces-wan-unforwarded`, `server-pasv-aware-unforwarded`",
    }
    ForwardExpired = "forward-expired" {
        says: "the gateway's forward had expired when the data connection came",
        why: "A gateway keeps a forward open for some minutes at most. A server that starts late finds it closed.",
        from: "the router's event `forward ended: expired`, and its drop of the SYN to that port afterwards",
        source: "forward-lifetime of the profile; Linux and libalias: 300 s",
    }
    ForwardForAnotherPeer = "forward-for-another-peer" {
        says: "the data connection came from another host or port than the gateway's forward is open to",
        why: "A careful gateway opens a forward to the control connection's other end alone, and some to its port 20 alone. A server with several addresses, or one that dials from any port, is shut out.",
        from: "the router's drop of the SYN: the forward is open to another peer",
        source: "RFC 2577 §3; OpenBSD ftp-proxy, Check Point FireWall-1",
    }
    ForwardUsedUp = "forward-used-up" {
        says: "somebody else's connection had used up the gateway's forward when the data connection came",
        why: "A forward is good for one connection. Who connects to it first has it: a scanner, a second attempt.",
        from: "the router's events `forward used` and `forward ended: used-up`, and its drop of the SYN afterwards",
        source: "forward-connections of the profile; Linux and libalias: 1",
    }
    AnnouncedAddressUnknown = "announced-address-unknown" {
        says: "nobody has the announced address",
        why: "The address that a NAT-aware program was set to announce is not the router's any more, or never was.",
        from: "the loss of the data connection's SYN: nobody there",
        source: "row `server-pasv-aware`, with a stale address",
    }
    DataPortClosed = "data-port-closed" {
        says: "the data connection came to a host that does not listen on that port",
        why: "The announcement led to a host, but to the wrong one, or its program was gone by then. Its kernel refused.",
        from: "a reset from the host itself, with no router that turned the SYN away",
        source: "RFC 9293 §3.5.2",
    }
    HairpinningOff = "hairpinning-off" {
        says: "the connection went from a LAN to the outside address of its own router, which does not turn it back inside",
        why: "Both ends are in one home. From there the router's WAN address leads nowhere; the server's LAN address leads to it.",
        from: "the router's drop of the SYN: hairpinning is off",
        source: "RFC 4787 REQ-9",
    }
    ControlPortNotForwarded = "control-port-not-forwarded" {
        says: "the control connection came to a router that forwards no such port",
        why: "The server is behind a router. Its control port must be forwarded to it.",
        from: "the SYN of the control connection at that router, and its drop or reset of it",
        source: "row `server-port-mode`",
    }
    ControlRefused = "control-refused" {
        says: "the control connection was refused: nobody listens on that port",
        why: "The host is there and answers, but no server is on that port.",
        from: "a reset from the host itself in answer to the control connection's SYN",
        source: "RFC 9293 §3.5.2",
    }
    PrivateAddressDialled = "private-address-dialled" {
        says: "the client dialled a private address, which is routed nowhere outside its own network",
        why: "The server's LAN address was given to somebody outside. The router's WAN address is the one to dial.",
        from: "the loss of the control connection's SYN on the public network: a private destination",
        source: "RFC 1918 §3",
    }
    ControlNotAnswered = "control-not-answered" {
        says: "nothing answered the control connection",
        why: "Nobody has the address, or whoever has it keeps silent.",
        from: "a control connection that was dialled and not established, where nothing more is known",
        source: "RFC 9293 §3.8.3",
    }
    TableFull = "table-full" {
        says: "a router had no room for another translation",
        why: "A home router's table has some hundred or thousand entries. Other hosts' connections have filled it.",
        from: "the router's event `no translation: table-full` or `no translation: host-limit` for a connection of the session",
        source: "table of the profile; RFC 5508 §6",
    }
    NoPortLeft = "no-port-left" {
        says: "a router had no external port left",
        why: "Every translation or forward needs a port of the WAN address, and all of the range are taken.",
        from: "the router's event `no translation: no-port-left` or `left alone: no-port-left`",
        source: "ports.range of the profile; RFC 4787 REQ-3",
    }
    IdleControlExpired = "idle-control-expired" {
        says: "the control connection's translation expired while the transfer ran and the control connection was idle",
        why: "During a transfer nothing crosses the control connection. When the transfer is over, the reply that says so finds no translation.",
        from: "the router's event `translation ended: expired` for the control connection, and its drop of a segment of it afterwards",
        source: "RFC 5382 REQ-5; timeouts of the profile",
    }
    TranslationExpired = "translation-expired" {
        says: "a router's translation expired while the connection was still in use",
        why: "Nothing crossed for longer than the router's timeout. What comes afterwards is nobody's.",
        from: "the router's event `translation ended: expired` for the connection, and its drop of a packet of it afterwards",
        source: "RFC 4787 REQ-5, RFC 5382 REQ-5",
    }
    TranslationEvicted = "translation-evicted" {
        says: "a router gave the connection's translation to another one, since its table was full",
        why: "Where a full table gives way, the oldest or the idlest translation ends, whoever uses it.",
        from: "the router's event `translation ended: evicted` for the connection, and its drop of a packet of it afterwards",
        source: "when-full of the profile",
    }
    RouterRestarted = "router-restarted" {
        says: "a router restarted while the connection was in use: it has forgotten it",
        why: "A router's tables are empty after it was off. What comes from outside is unsolicited then.",
        from: "the restart, and the router's drop of a packet of the connection afterwards",
        source: "RFC 5382 §5",
    }
    WanAddressChanged = "wan-address-changed" {
        says: "a router got another WAN address while the connection was in use",
        why: "A provider gives a new address every day or with every dial-in. The other end goes on sending to the old one.",
        from: "the change, and the loss or drop of a packet of the connection afterwards",
        source: "RFC 2993 §5",
    }
    NotForwarded = "not-forwarded" {
        says: "what was sent came to a router that forwards it to nobody",
        why: "An exchange, not an FTP session: no translation and no forward wanted the packet.",
        from: "the router's drop of the request",
        source: "RFC 4787 §5",
    }
    FragmentsDropped = "fragments-dropped" {
        says: "a router dropped fragments",
        why: "Only the first fragment has ports. A router that does not keep account of the others passes none.",
        from: "the router's drop of a fragment between the ends",
        source: "RFC 4787 REQ-14",
    }
    PathMtu = "path-mtu" {
        says: "a segment was too long for a wire on the way and might not be fragmented, and no shorter one followed",
        why: "Its sender was not told, or could not heed it: the same segment was lost again and again.",
        from: "the last packet of a connection's direction, lost or dropped as too long",
        source: "RFC 2923 §2.1, RFC 3027 §4.1",
    }
    PacketsLost = "packets-lost" {
        says: "a wire on the way lost packets",
        why: "The last packet of a conversation was lost on a wire, and no other cause is seen. What is lost and sent again is no cause of anything.",
        from: "the last packet of a connection's direction, lost on a wire",
        source: "RFC 9293 §3.8",
    }
    LoginRefused = "login-refused" {
        says: "the server refused the login; the network is not at fault",
        why: "User name or password is wrong, or the account may not log in.",
        from: "the server's 4yz or 5yz to USER, PASS or ACCT",
        source: "RFC 959 §5.4",
    }
    FileRefused = "file-refused" {
        says: "the server refused the file or directory; the network is not at fault",
        why: "It is not there, may not be read or written, or there is no room for it.",
        from: "the server's 450 to 452 or 550 to 553 to a transfer command",
        source: "RFC 959 §5.4",
    }
    SessionEndedByServer = "session-ended-by-server" {
        says: "the server ended the session",
        why: "It has too many clients, is shut down, or has waited longer than it likes to for the client.",
        from: "the server's 421",
        source: "RFC 959 §5.4",
    }
}
