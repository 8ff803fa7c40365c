//! Searches for devices and services, and their answers (UPnP Device Architecture 1.0 §1.2).

use std::net::{Ipv4Addr, SocketAddrV4};

use super::{DESCRIPTION, Device, Identity, PRODUCT, Service};

/// Where searches go.
pub(crate) const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), PORT);
pub(crate) const PORT: u16 = 1900;

/// How long an answer holds, in seconds; §1.2.2 asks for half an hour at least.
const MAX_AGE: u32 = 1800;
/// More lines than any search has.
const MOST_HEADERS: usize = 32;

/// What a search is for: the content of its `ST` line. `None`: it is no search.
pub(crate) fn target(datagram: &[u8]) -> Option<&str> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut search = httparse::Request::new(&mut headers);
    if !search.parse(datagram).ok()?.is_complete() {
        return None;
    }
    let line = |name: &str| {
        let found = search.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok().map(str::trim)
    };
    let is_search = search.method == Some("M-SEARCH")
        && search.path == Some("*")
        && line("MAN").is_some_and(|man| man.trim_matches('"') == "ssdp:discover");
    line("ST").filter(|_| is_search)
}

/// The answers to a search for `target`; none where the router is no such thing.
pub(crate) fn answers(target: &str, identity: Identity) -> Vec<Vec<u8>> {
    let root = identity.udn(Device::Gateway);
    let mut known = vec![("upnp:rootdevice".to_owned(), format!("{root}::upnp:rootdevice"))];
    for device in Device::ALL {
        let udn = identity.udn(device);
        known.push((udn.to_string(), udn.to_string()));
        known.push((device.kind().to_owned(), format!("{udn}::{}", device.kind())));
    }
    for service in Service::ALL {
        let (udn, kind) = (identity.udn(service.device()), service.kind());
        known.push((kind.to_owned(), format!("{udn}::{kind}")));
    }
    known
        .iter()
        .filter(|(kind, _)| target == "ssdp:all" || target == kind)
        .map(|(kind, usn)| answer(kind, usn, identity.at))
        .collect()
}

fn answer(kind: &str, usn: &str, at: SocketAddrV4) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age={MAX_AGE}\r\nEXT:\r\nLOCATION: http://{at}{DESCRIPTION}\r\n\
         SERVER: {PRODUCT}\r\nST: {kind}\r\nUSN: {usn}\r\nCONTENT-LENGTH: 0\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_told_from_what_is_none() {
        let search = "M-SEARCH * HTTP/1.1\r\nHost:239.255.255.250:1900\r\nst: ssdp:all \r\nMan:\"ssdp:discover\"\r\nMX:3\r\n\r\n";
        assert_eq!(target(search.as_bytes()), Some("ssdp:all"));
        for (from, to) in [
            ("M-SEARCH", "NOTIFY"),
            ("ssdp:discover", "ssdp:alive"),
            ("st:", "nt:"),
            (" * ", " / "),
            ("\r\n\r\n", ""),
        ] {
            assert_eq!(target(search.replace(from, to).as_bytes()), None, "{to}");
        }
        assert_eq!(target(&[0xff; 2000]), None);
    }

    #[test]
    fn each_target_has_its_answers() {
        let identity = Identity::new(7, "192.168.1.1:5000".parse().unwrap());
        let count = |target: &str| answers(target, identity).len();
        assert_eq!(count("ssdp:all"), 10);
        assert_eq!(count("upnp:rootdevice"), 1);
        assert_eq!(count("urn:schemas-upnp-org:device:InternetGatewayDevice:1"), 1);
        assert_eq!(count("urn:schemas-upnp-org:device:InternetGatewayDevice:2"), 0);
        let udn = identity.udn(Device::Wan).to_string();
        let text = String::from_utf8(answers(&udn, identity).remove(0)).unwrap();
        assert!(text.contains("\r\nLOCATION: http://192.168.1.1:5000/description.xml\r\n"), "{text}");
        assert!(text.contains(&format!("\r\nST: {udn}\r\nUSN: {udn}\r\n")), "{text}");
    }
}
