//! Actions called and their results (UPnP Device Architecture 1.0 §3.2).

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesRef, Event};

use super::Service;

/// An action that is called, with its arguments in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) action: String,
    arguments: Vec<(String, String)>,
}

/// What a result is made of.
pub(crate) type Results = Vec<(&'static str, String)>;

/// Why an action is not done: UPnP Device Architecture 1.0 §3.2.2, and WANIPConnection:1 §2.4.16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u16)]
pub(crate) enum Fault {
    #[error("Invalid Action")]
    InvalidAction = 401,
    #[error("Invalid Args")]
    InvalidArguments = 402,
    #[error("Action Failed")]
    ActionFailed = 501,
    #[error("Action not authorized")]
    NotAuthorized = 606,
    #[error("SpecifiedArrayIndexInvalid")]
    NoSuchIndex = 713,
    #[error("NoSuchEntryInArray")]
    NoSuchEntry = 714,
    #[error("WildCardNotPermittedInExtPort")]
    AnyExternalPort = 716,
    #[error("ConflictInMappingEntry")]
    Conflict = 718,
    #[error("OnlyPermanentLeasesSupported")]
    PermanentOnly = 725,
    #[error("RemoteHostOnlySupportsWildcard")]
    OneRemoteHost = 726,
}

impl Call {
    /// Reads the body of a request to `service`; its head has to name the same action.
    pub(crate) fn read(service: Service, soap_action: Option<&str>, body: &str) -> Result<Self, Fault> {
        let named = soap_action.and_then(|named| named.split_once('#'));
        let Some((_, named)) = named.filter(|(kind, _)| *kind == service.kind()) else {
            return Err(Fault::InvalidAction);
        };
        let (action, arguments) = read(body)?;
        if action != named {
            return Err(Fault::InvalidAction);
        }
        Ok(Self { service, action, arguments })
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Fault> {
        let found = self.arguments.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.trim()).ok_or(Fault::InvalidArguments)
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Fault> {
        self.text(name)?.parse().map_err(|_| Fault::InvalidArguments)
    }

    /// UPnP Device Architecture 1.0 §2.3: 0 and 1, and words for them.
    pub(crate) fn truth(&self, name: &str) -> Result<bool, Fault> {
        match self.text(name)? {
            "1" | "true" | "yes" => Ok(true),
            "0" | "false" | "no" => Ok(false),
            _ => Err(Fault::InvalidArguments),
        }
    }
}

/// The elements that the reader is in: `Envelope`, `Body`, an action, an argument.
const IN_BODY: usize = 2;
const IN_ACTION: usize = 3;
const IN_ARGUMENT: usize = 4;

/// The first element of a body is the action, its children are the arguments.
fn read(body: &str) -> Result<(String, Vec<(String, String)>), Fault> {
    let mut reader = Reader::from_str(body);
    let (mut depth, mut in_body) = (0_usize, false);
    let mut action = None;
    let mut arguments: Vec<(String, String)> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|_| Fault::InvalidArguments)?;
        match event {
            Event::Start(ref element) | Event::Empty(ref element) => {
                let name = element.local_name().into_inner();
                match depth {
                    1 => in_body = name == "Body",
                    IN_BODY if in_body && action.is_none() => action = Some(name.to_owned()),
                    IN_ACTION if in_body => arguments.push((name.to_owned(), String::new())),
                    _ => {}
                }
                match event {
                    Event::Start(_) => depth += 1,
                    // An action without arguments.
                    _ if depth == IN_BODY && action.is_some() => break,
                    _ => {}
                }
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                // Whatever follows the action is no concern of it.
                if depth == IN_BODY && action.is_some() {
                    break;
                }
            }
            Event::Text(text) => append(&mut arguments, depth, &text),
            Event::CData(text) => append(&mut arguments, depth, &text),
            Event::GeneralRef(reference) => {
                let letter = letter(&reference).ok_or(Fault::InvalidArguments)?;
                append(&mut arguments, depth, letter.encode_utf8(&mut [0; 4]));
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    Ok((action.ok_or(Fault::InvalidAction)?, arguments))
}

fn append(arguments: &mut [(String, String)], depth: usize, text: &str) {
    if depth == IN_ARGUMENT
        && let Some((_, value)) = arguments.last_mut()
    {
        value.push_str(text);
    }
}

/// The letter that a reference stands for; a document has no entities of its own here.
fn letter(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok()?,
    }
}

/// The body that tells what came of a call.
pub(crate) fn answer(call: &Call, results: &Results) -> String {
    let mut arguments = String::new();
    for (name, value) in results {
        // Writing into a string cannot fail.
        let _ = write!(arguments, "<{name}>{}</{name}>", escape(value.as_str()));
    }
    let (action, kind) = (&call.action, call.service.kind());
    envelope(&format!("<u:{action}Response xmlns:u=\"{kind}\">{arguments}</u:{action}Response>"))
}

/// The body that tells why nothing did.
pub(crate) fn fault(fault: Fault) -> String {
    envelope(&format!(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
         <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{}</errorCode>\
         <errorDescription>{fault}</errorDescription></UPnPError></detail></s:Fault>",
        fault as u16
    ))
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>{body}</s:Body></s:Envelope>\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(inner: &str) -> Result<Call, Fault> {
        let body = envelope(inner);
        Call::read(Service::WanIp, Some("urn:schemas-upnp-org:service:WANIPConnection:1#Do"), &body)
    }

    #[test]
    fn arguments_are_read_with_what_stands_for_letters() {
        let call = call(
            "<u:Do xmlns:u='x'><A>1</A><B>a &amp; &#98;&lt;<![CDATA[<c>]]></B><C/><D><E>no</E></D></u:Do>",
        )
        .unwrap();
        assert_eq!((call.action.as_str(), call.text("B"), call.text("C")), ("Do", Ok("a & b<<c>"), Ok("")));
        assert_eq!((call.number("A"), call.truth("A")), (Ok(1_u16), Ok(true)));
        assert_eq!(call.number::<u16>("B"), Err(Fault::InvalidArguments));
        assert_eq!(call.text("E"), Err(Fault::InvalidArguments), "an argument's own children are none");
    }

    #[test]
    fn what_is_no_call_is_refused() {
        assert_eq!(call("<u:Other xmlns:u='x'/>"), Err(Fault::InvalidAction), "the head names another");
        assert_eq!(call(""), Err(Fault::InvalidAction));
        assert_eq!(call("<u:Do><A>&unknown;</A></u:Do>"), Err(Fault::InvalidArguments));
        assert_eq!(call("<u:Do><A></u:Do>"), Err(Fault::InvalidArguments));
        assert_eq!(Call::read(Service::WanIp, None, ""), Err(Fault::InvalidAction));
        let elsewhere = Some("urn:schemas-upnp-org:service:Layer3Forwarding:1#Do");
        assert_eq!(Call::read(Service::WanIp, elsewhere, &envelope("<Do/>")), Err(Fault::InvalidAction));
    }

    #[test]
    fn results_are_escaped() {
        let call = call("<Do/>").unwrap();
        let answer = answer(&call, &vec![("A", "<&>".to_owned())]);
        assert!(answer.contains(":WANIPConnection:1\"><A>&lt;&amp;&gt;</A></u:DoResponse>"), "{answer}");
        assert!(fault(Fault::Conflict).contains("<errorCode>718</errorCode>"));
    }
}
