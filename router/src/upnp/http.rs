//! As much of HTTP/1.1 (RFC 9112) as descriptions and controls need: one request a connection, with a length.

use super::PRODUCT;

/// The longest request that is read, head and body, in bytes. One for a port takes about a thousand.
pub(crate) const LONGEST: usize = 8192;
/// More lines than any control point sends.
const MOST_HEADERS: usize = 32;

/// A whole request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// What the action is called, without quotes.
    pub(crate) soap_action: Option<String>,
    pub(crate) body: String,
}

/// Why there is no request, or none that is answered with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    LengthRequired,
    TooLarge,
    /// What a SOAP fault comes with (UPnP Device Architecture 1.0 §3.2.2).
    Fault,
}

impl Status {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::LengthRequired => "411 Length Required",
            Self::TooLarge => "413 Content Too Large",
            Self::Fault => "500 Internal Server Error",
        }
    }
}

/// Reads a request off the beginning of what has come in. `Ok(None)`: more is to come.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Request>, Status> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let parsed = head.parse(bytes).map_err(|_| Status::BadRequest)?;
    let httparse::Status::Complete(body_at) = parsed else { return too_large_or_wait(bytes) };
    let line = |name: &str| {
        let found = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| std::str::from_utf8(header.value).unwrap_or_default().trim())
    };
    if line("Transfer-Encoding").is_some() {
        return Err(Status::LengthRequired);
    }
    let method = head.method.unwrap_or_default();
    let length = match line("Content-Length") {
        Some(number) => number.parse::<usize>().map_err(|_| Status::BadRequest)?,
        None if method == "POST" => return Err(Status::LengthRequired),
        None => 0,
    };
    if length > LONGEST - body_at.min(LONGEST) {
        return Err(Status::TooLarge);
    }
    let Some(body) = bytes.get(body_at..body_at + length) else { return Ok(None) };
    Ok(Some(Request {
        method: method.to_owned(),
        path: head.path.unwrap_or_default().to_owned(),
        soap_action: line("SOAPAction").map(|action| action.trim_matches('"').to_owned()),
        body: String::from_utf8(body.to_vec()).map_err(|_| Status::BadRequest)?,
    }))
}

fn too_large_or_wait(bytes: &[u8]) -> Result<Option<Request>, Status> {
    if bytes.len() >= LONGEST { Err(Status::TooLarge) } else { Ok(None) }
}

/// A response, after which the connection closes.
pub(crate) fn response(status: Status, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {}\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nContent-Length: {}\r\nConnection: close\r\n\
         Server: {PRODUCT}\r\nExt:\r\n\r\n{body}",
        status.line(),
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "POST /control/wan-ip HTTP/1.1\r\nHost: 192.168.1.1:5000\r\nContent-Length: 4\r\n\
                           SOAPACTION: \"urn:x#Do\"\r\n\r\nbody";

    #[test]
    fn a_request_is_read_once_all_of_it_is_there() {
        for end in 0..REQUEST.len() {
            assert_eq!(read(&REQUEST.as_bytes()[..end]), Ok(None), "{end} bytes");
        }
        let request = read(REQUEST.as_bytes()).unwrap().unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/control/wan-ip"));
        assert_eq!((request.soap_action.as_deref(), request.body.as_str()), (Some("urn:x#Do"), "body"));
    }

    #[test]
    fn what_is_no_request_has_its_status() {
        for (from, to, status) in [
            ("POST /", "POST\r\n/", Status::BadRequest),
            ("Content-Length: 4", "Content-Length: four", Status::BadRequest),
            ("Content-Length: 4", "Content-Length: 8192", Status::TooLarge),
            ("Content-Length: 4", "Content-Length: 18446744073709551615", Status::TooLarge),
            ("Content-Length: 4", "Transfer-Encoding: chunked", Status::LengthRequired),
            ("Content-Length: 4\r\n", "", Status::LengthRequired),
        ] {
            assert_eq!(read(REQUEST.replace(from, to).as_bytes()), Err(status), "{to}");
        }
        let endless = "GET / HTTP/1.1\r\nA: ".to_owned() + &"a".repeat(LONGEST);
        assert_eq!(read(endless.as_bytes()), Err(Status::TooLarge));
        let lines = "GET / HTTP/1.1\r\n".to_owned() + &"A: a\r\n".repeat(MOST_HEADERS + 1);
        assert_eq!(read(lines.as_bytes()), Err(Status::BadRequest));
        let not_text = [REQUEST.replace("body", "").as_bytes(), &[0xff; 4]].concat();
        assert_eq!(read(&not_text), Err(Status::BadRequest));
    }
}
