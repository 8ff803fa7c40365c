//! What a connection is, by what is said on it: FTP on whatever port, and neither SMTP, POP3 nor NNTP, which look alike.

use crate::session::{Line, Speaker, is_command};

/// Who seems to have said the first octets of a segment.
pub(super) fn speaker(payload: &[u8]) -> Option<Speaker> {
    let end = payload.iter().position(|byte| *byte == b'\n').unwrap_or(payload.len());
    let line = String::from_utf8_lossy(payload.get(..end.min(512)).unwrap_or_default());
    let line = line.trim_end();
    if is_command(line) {
        return Some(Speaker::Client);
    }
    let (code, rest) = line.split_at_checked(3)?;
    let is_reply = code.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(code.as_bytes().first(), Some(b'1'..=b'6'))
        && (rest.is_empty() || rest.starts_with([' ', '-']));
    is_reply.then_some(Speaker::Server)
}

/// What a line says of the connection it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// It is a control connection of FTP.
    Ftp,
    /// It is something else.
    NotFtp,
    /// Nothing.
    Nothing,
}

/// What `line`, the one of this number, tells.
pub(super) fn tells(line: &Line, is_first: bool) -> Tells {
    match line.by {
        Speaker::Client => of_command(&line.text),
        // POP3 and IMAP; and a greeting of NNTP (RFC 3977 §5.1).
        Speaker::Server if line.text.starts_with(['+', '*']) => Tells::NotFtp,
        Speaker::Server if is_first && matches!(line.code(), Some(200 | 201)) => Tells::NotFtp,
        Speaker::Server => Tells::Nothing,
    }
}

fn of_command(line: &str) -> Tells {
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" | "HELO" | "LHLO" | "MAIL" | "RCPT" | "CAPA" | "APOP" | "CAPABILITIES" | "GROUP"
        | "AUTHINFO" => Tells::NotFtp,
        // Other protocols have these too.
        "AUTH" => {
            let method = argument.trim().to_ascii_uppercase();
            let is_ftp = ["TLS", "SSL", "TLS-C", "TLS-P", "GSSAPI", "KERBEROS_V4"].contains(&method.as_str());
            if is_ftp { Tells::Ftp } else { Tells::Nothing }
        }
        "QUIT" | "NOOP" | "HELP" | "STAT" | "LIST" | "MODE" => Tells::Nothing,
        _ if is_command(line) => Tells::Ftp,
        _ => Tells::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_known_by_what_they_say() {
        for (payload, who) in [
            (&b"220 Welcome to FTP\r\n"[..], Some(Speaker::Server)),
            (b"220-Welcome\r\n more\r\n220 x\r\n", Some(Speaker::Server)),
            (b"port 1,2,3,4,5,6\r\n", Some(Speaker::Client)),
            (b"USER a\r\n", Some(Speaker::Client)),
            (b"GET / HTTP/1.1\r\n", None),
            (b"HTTP/1.1 200 OK\r\n", None),
            (b"\x16\x03\x01", None),
            (b"2200 x", None),
            (b"", None),
        ] {
            assert_eq!(speaker(payload), who, "{}", String::from_utf8_lossy(payload));
        }
    }

    #[test]
    fn mail_and_news_are_no_ftp() {
        let line = |by, text| tells(&Line::new(None, by, text), true);
        assert_eq!(line(Speaker::Client, "EHLO me"), Tells::NotFtp);
        assert_eq!(line(Speaker::Server, "+OK POP3 ready"), Tells::NotFtp);
        assert_eq!(line(Speaker::Server, "200 news.example ready"), Tells::NotFtp);
        assert_eq!(line(Speaker::Client, "AUTH PLAIN"), Tells::Nothing);
        assert_eq!(line(Speaker::Client, "AUTH TLS"), Tells::Ftp);
        assert_eq!(line(Speaker::Client, "PORT 1,2,3,4,5,6"), Tells::Ftp);
    }
}
