//! UPnP-IGD: a host searches for the router, reads what it is, and asks it for ports.

use proptest::prelude::{any, prop, prop_assert, proptest};
use quirknat_router::event::{Answer, EventKind, OpeningEnd, OpeningRefusal, Origin};
use quirknat_router::profile::{Leases, Profile};
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, OTHER_PC, PC, Seen, WAN, Web, at, soap_request, tcp, udp, with_ttl};

const SERVER: &str = "192.168.1.1:5000";
const WAN_IP: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

fn upnp_with(change: impl FnOnce(&mut Profile)) -> Lab {
    Lab::with(|profile, _| {
        profile.services.upnp_igd.value = true;
        profile.services.upnp_igd_forwards.value = 2;
        change(profile);
    })
}

fn upnp() -> Lab {
    upnp_with(|_| {})
}

fn search(target: &str) -> Vec<u8> {
    let text = format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nST: {target}\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n\r\n"
    );
    with_ttl(2, udp(&format!("{PC}:40000"), "239.255.255.250:1900", text.as_bytes()))
}

/// The status line's number, and the body.
fn split(response: &str) -> (u16, &str) {
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

fn get(lab: &mut Lab, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {SERVER}\r\n\r\n");
    let response = Web::ask(lab, &format!("{PC}:41000"), SERVER, &request);
    let (status, body) = split(&response);
    (status, body.to_owned())
}

/// What an action gives, or the number of its fault.
fn call(lab: &mut Lab, host: &str, action: &str, arguments: &str) -> Result<String, u16> {
    let request = soap_request(WAN_IP, "/control/wan-ip", action, arguments);
    let response = Web::ask(lab, &format!("{host}:41000"), SERVER, &request);
    match split(&response) {
        (200, body) => Ok(body.to_owned()),
        (500, body) => Err(element(body, "errorCode").parse().unwrap()),
        (status, _) => panic!("{status}: {response}"),
    }
}

fn element<'a>(body: &'a str, name: &str) -> &'a str {
    let from = body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{name} in {body}")).1;
    from.split_once(&format!("</{name}>")).unwrap().0
}

/// A port as it is asked for.
struct Ask<'a> {
    external: &'a str,
    internal: &'a str,
    host: &'a str,
    lease: &'a str,
    enabled: &'a str,
    remote: &'a str,
    protocol: &'a str,
}

const WEB: Ask<'static> = Ask {
    external: "8080",
    internal: "80",
    host: PC,
    lease: "600",
    enabled: "1",
    remote: "",
    protocol: "TCP",
};

fn add_from(lab: &mut Lab, from: &str, ask: &Ask<'_>) -> Result<(), u16> {
    let Ask { external, internal, host, lease, enabled, remote, protocol } = ask;
    let arguments = format!(
        "<NewRemoteHost>{remote}</NewRemoteHost><NewExternalPort>{external}</NewExternalPort>\
         <NewProtocol>{protocol}</NewProtocol><NewInternalPort>{internal}</NewInternalPort>\
         <NewInternalClient>{host}</NewInternalClient><NewEnabled>{enabled}</NewEnabled>\
         <NewPortMappingDescription>a &amp; b</NewPortMappingDescription><NewLeaseDuration>{lease}</NewLeaseDuration>"
    );
    call(lab, from, "AddPortMapping", &arguments).map(drop)
}

fn add(lab: &mut Lab, ask: &Ask<'_>) -> Result<(), u16> {
    add_from(lab, PC, ask)
}

fn named(external: &str, protocol: &str) -> String {
    format!(
        "<NewRemoteHost></NewRemoteHost><NewExternalPort>{external}</NewExternalPort><NewProtocol>{protocol}</NewProtocol>"
    )
}

fn knock(from: u16, port: u16) -> Vec<u8> {
    tcp(&format!("198.51.100.9:{from}"), &format!("203.0.113.7:{port}")).syn().packet()
}

#[test]
fn a_search_is_answered_with_where_the_description_is() {
    let mut lab = upnp();
    let answers = lab.send(LAN, search("urn:schemas-upnp-org:device:InternetGatewayDevice:1"));
    let text = |seen: &Seen| String::from_utf8(seen.content()[8..].to_vec()).unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].on, answers[0].from(), answers[0].to()),
        (LAN, at("192.168.1.1:1900"), at("192.168.1.100:40000"))
    );
    assert!(text(&answers[0]).contains("\r\nLOCATION: http://192.168.1.1:5000/description.xml\r\n"));
    assert!(lab.events().contains(&EventKind::PacketAnswered { answer: Answer::Ssdp, to: *at(PC).ip() }));
    assert_eq!(lab.send(LAN, search("ssdp:all")).len(), 10);
    let to_the_router = udp(&format!("{PC}:40000"), "192.168.1.1:1900", &search("upnp:rootdevice")[28..]);
    assert_eq!(lab.send(LAN, to_the_router).len(), 1, "a search may go to the router alone");
    assert_eq!(lab.dropped(LAN, search("urn:schemas-upnp-org:device:MediaServer:1")), DropReason::NoService);
    let notify = udp(&format!("{PC}:1900"), "239.255.255.250:1900", b"NOTIFY * HTTP/1.1\r\n\r\n");
    assert_eq!(lab.dropped(LAN, notify), DropReason::UnreadableRequest);
    let other_group = udp(&format!("{PC}:5353"), "224.0.0.251:5353", b"");
    assert_eq!(lab.dropped(LAN, other_group), DropReason::NotUnicast);
    let stranger = udp("192.168.2.9:40000", "239.255.255.250:1900", &search("ssdp:all")[28..]);
    assert_eq!(lab.dropped(LAN, stranger), DropReason::NotUnicast);
    let from_outside = udp("198.51.100.9:40000", "239.255.255.250:1900", &search("ssdp:all")[28..]);
    assert_eq!(lab.dropped(WAN, from_outside), DropReason::NotUnicast);
}

#[test]
fn a_router_without_the_service_has_neither_searches_nor_a_port() {
    let mut lab = Lab::new();
    assert_eq!(lab.dropped(LAN, search("ssdp:all")), DropReason::NotUnicast);
    assert!(Web::connect(&mut lab, "192.168.1.100:41000", SERVER).is_none(), "a reset");
    let mut lab = upnp();
    assert!(Web::connect(&mut lab, "192.168.1.100:41000", "192.168.1.1:5001").is_none(), "another port");
    assert_eq!(lab.dropped(WAN, knock(1, 5000)), DropReason::Unsolicited);
}

#[test]
fn the_description_leads_to_the_services_and_what_is_not_there_is_said_so() {
    let mut lab = upnp();
    let (status, body) = get(&mut lab, "/description.xml");
    assert_eq!(
        (status, element(&body, "deviceType")),
        (200, "urn:schemas-upnp-org:device:InternetGatewayDevice:1")
    );
    for path in body.split("<SCPDURL>").skip(1).map(|rest| rest.split('<').next().unwrap()) {
        let (status, actions) = get(&mut lab, path);
        assert!(status == 200 && actions.contains("<actionList><action>"), "{path}: {actions}");
    }
    assert_eq!(get(&mut lab, "/nothing").0, 404);
    let ask = |lab: &mut Lab, text: &str| split(&Web::ask(lab, "192.168.1.100:41000", SERVER, text)).0;
    assert_eq!(ask(&mut lab, "SUBSCRIBE /event HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_eq!(ask(&mut lab, "POST /control/wan-ip HTTP/1.1\r\nHost: x\r\n\r\n"), 411);
    assert_eq!(ask(&mut lab, "no request at all\r\n\r\n"), 400);
}

#[test]
fn what_the_router_is_like_is_told() {
    let mut lab = upnp();
    let tell = |lab: &mut Lab, action: &str, name: &str| {
        element(&call(lab, PC, action, "").unwrap(), name).to_owned()
    };
    assert_eq!(tell(&mut lab, "GetExternalIPAddress", "NewExternalIPAddress"), "203.0.113.7");
    assert_eq!(tell(&mut lab, "GetStatusInfo", "NewConnectionStatus"), "Connected");
    assert_eq!(tell(&mut lab, "GetStatusInfo", "NewUptime"), "100");
    assert_eq!(tell(&mut lab, "GetConnectionTypeInfo", "NewConnectionType"), "IP_Routed");
    assert_eq!(tell(&mut lab, "GetNATRSIPStatus", "NewNATEnabled"), "1");
    assert_eq!(call(&mut lab, PC, "ForceTermination", ""), Err(401));
    let common = "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1";
    let forwarding = "urn:schemas-upnp-org:service:Layer3Forwarding:1";
    let mut ask = |service, path, action| {
        split(&Web::ask(&mut lab, "192.168.1.100:41000", SERVER, &soap_request(service, path, action, "")))
            .1
            .to_owned()
    };
    let link = ask(common, "/control/wan-common", "GetCommonLinkProperties");
    assert_eq!(element(&link, "NewPhysicalLinkStatus"), "Up");
    let default = ask(forwarding, "/control/layer3-forwarding", "GetDefaultConnectionService");
    assert!(element(&default, "NewDefaultConnectionService").ends_with(",urn:upnp-org:serviceId:WANIPConn1"));
    let wrong_place = ask(common, "/control/wan-ip", "GetCommonLinkProperties");
    assert_eq!(element(&wrong_place, "errorCode"), "401");
}

#[test]
fn a_port_that_was_asked_for_leads_to_the_host_until_its_lease_is_over() {
    let mut lab = upnp();
    assert_eq!(lab.dropped(WAN, knock(1, 8080)), DropReason::Unsolicited);
    assert_eq!(add(&mut lab, &WEB), Ok(()));
    let opened = lab.events().into_iter().find_map(|event| match event {
        EventKind::PortsOpened { target, origin, expires_s, .. } => Some((target, origin, expires_s)),
        _ => None,
    });
    assert_eq!(opened, Some((at("192.168.1.100:80"), Origin::UpnpIgd, Some(701))));
    assert_eq!(lab.from_wan(knock(2, 8080)).to(), at("192.168.1.100:80"));
    assert_eq!(lab.translations()[0].origin, Origin::UpnpIgd);
    lab.wait_seconds(300);
    assert_eq!(add(&mut lab, &WEB), Ok(()), "asked for again, it lives again");
    lab.wait_seconds(599);
    assert_eq!(lab.from_wan(knock(3, 8080)).to(), at("192.168.1.100:80"));
    lab.events();
    lab.wait_seconds(2);
    assert!(lab.events().contains(&EventKind::PortsClosed { opening: 1, reason: OpeningEnd::Expired }));
    assert_eq!(lab.dropped(WAN, knock(4, 8080)), DropReason::Unsolicited);
}

#[test]
fn a_lease_of_nothing_is_for_good_and_can_be_made_short_again() {
    let mut lab = upnp();
    assert_eq!(add(&mut lab, &Ask { lease: "0", ..WEB }), Ok(()));
    assert!(lab.events().contains(&EventKind::PortsOpened {
        opening: 1,
        protocol: quirknat_router::packet::Protocol::Tcp,
        ports: quirknat_router::profile::PortRange { first: 8080, last: 8080 },
        target: at("192.168.1.100:80"),
        origin: Origin::UpnpIgd,
        expires_s: None,
    }));
    lab.wait_seconds(100_000);
    assert_eq!(lab.from_wan(knock(1, 8080)).on, LAN);
    assert_eq!(add(&mut lab, &Ask { lease: "10", ..WEB }), Ok(()));
    lab.wait_seconds(12);
    assert_eq!(lab.dropped(WAN, knock(2, 8080)), DropReason::Unsolicited);
}

#[test]
fn entries_are_told_by_port_and_by_index() {
    let mut lab = upnp();
    add(&mut lab, &WEB).unwrap();
    add(
        &mut lab,
        &Ask { external: "9000", internal: "9000", protocol: "UDP", lease: "0", enabled: "0", ..WEB },
    )
    .unwrap();
    lab.wait_seconds(100);
    let specific = call(&mut lab, PC, "GetSpecificPortMappingEntry", &named("8080", "TCP")).unwrap();
    let told = [
        "NewInternalPort",
        "NewInternalClient",
        "NewEnabled",
        "NewPortMappingDescription",
        "NewLeaseDuration",
    ]
    .map(|name| element(&specific, name));
    assert_eq!(told, ["80", PC, "1", "a &amp; b", "500"]);
    assert_eq!(call(&mut lab, PC, "GetSpecificPortMappingEntry", &named("8080", "UDP")), Err(714));
    let generic = |lab: &mut Lab, index: &str| {
        call(
            lab,
            PC,
            "GetGenericPortMappingEntry",
            &format!("<NewPortMappingIndex>{index}</NewPortMappingIndex>"),
        )
    };
    let second = generic(&mut lab, "1").unwrap();
    let told = ["NewExternalPort", "NewProtocol", "NewEnabled", "NewLeaseDuration"]
        .map(|name| element(&second, name));
    assert_eq!(told, ["9000", "UDP", "0", "0"]);
    assert_eq!((generic(&mut lab, "2"), generic(&mut lab, "-1")), (Err(713), Err(402)));
}

#[test]
fn a_port_that_is_not_enabled_lets_nothing_in_and_is_nobody_else_s() {
    let mut lab = upnp_with(|profile| profile.services.nat_pmp.value = true);
    add(&mut lab, &Ask { enabled: "0", ..WEB }).unwrap();
    assert_eq!(lab.dropped(WAN, knock(1, 8080)), DropReason::Unsolicited);
    let port = lab.from_lan(tcp("192.168.1.101:8080", "198.51.100.9:80").syn().packet()).from().port();
    assert_ne!(port, 8080, "a mapping of another host does not get it");
    add(&mut lab, &WEB).unwrap();
    assert_eq!(lab.from_wan(knock(2, 8080)).to(), at("192.168.1.100:80"));
}

#[test]
fn whoever_has_a_port_can_put_another_of_its_own_behind_it_or_close_it() {
    let mut lab = upnp();
    add(&mut lab, &WEB).unwrap();
    lab.events();
    add(&mut lab, &Ask { internal: "81", ..WEB }).unwrap();
    assert!(lab.events().contains(&EventKind::PortsClosed { opening: 1, reason: OpeningEnd::Replaced }));
    assert_eq!(lab.from_wan(knock(1, 8080)).to(), at("192.168.1.100:81"));
    assert_eq!(call(&mut lab, OTHER_PC, "DeletePortMapping", &named("8080", "TCP")), Err(606));
    assert_eq!(call(&mut lab, PC, "DeletePortMapping", &named("8080", "TCP")).map(drop), Ok(()));
    assert_eq!(call(&mut lab, PC, "DeletePortMapping", &named("8080", "TCP")), Err(714));
    assert_eq!(lab.dropped(WAN, knock(2, 8080)), DropReason::Unsolicited);
}

#[test]
fn what_cannot_be_granted_is_answered_with_its_error() {
    let mut lab = upnp_with(|profile| profile.services.nat_pmp.value = true);
    lab.from_lan(tcp("192.168.1.101:7000", "198.51.100.9:80").syn().packet());
    add(&mut lab, &WEB).unwrap();
    lab.events();
    for (ask, error) in [
        (Ask { external: "0", ..WEB }, 716),
        (Ask { external: "65536", ..WEB }, 402),
        (Ask { internal: "0", ..WEB }, 402),
        (Ask { host: "192.168.1.1", ..WEB }, 402),
        (Ask { host: "198.51.100.9", ..WEB }, 402),
        (Ask { protocol: "SCTP", ..WEB }, 402),
        (Ask { enabled: "maybe", ..WEB }, 402),
        (Ask { remote: "198.51.100.9", ..WEB }, 726),
    ] {
        assert_eq!(add(&mut lab, &ask), Err(error));
    }
    assert_eq!(call(&mut lab, PC, "AddPortMapping", ""), Err(402), "without arguments");
    let refused = |lab: &mut Lab| {
        lab.events().into_iter().find_map(|event| match event {
            EventKind::PortsRefused { reason, .. } => Some(reason),
            _ => None,
        })
    };
    assert_eq!(refused(&mut lab), None, "what cannot be read is no request for a port");
    let of_other = Ask { host: OTHER_PC, ..WEB };
    assert_eq!(add(&mut lab, &of_other), Err(606));
    assert_eq!(refused(&mut lab), Some(OpeningRefusal::ForAnotherHost));
    assert_eq!(add_from(&mut lab, OTHER_PC, &of_other), Err(718));
    assert_eq!(refused(&mut lab), Some(OpeningRefusal::PortTaken));
    assert_eq!(add(&mut lab, &Ask { external: "7000", ..WEB }), Err(718), "a mapping has it");
    assert_eq!(
        add_from(&mut lab, OTHER_PC, &Ask { external: "7000", internal: "7000", host: OTHER_PC, ..WEB }),
        Ok(())
    );
    assert_eq!(add(&mut lab, &Ask { external: "8081", ..WEB }), Err(501));
    assert!(lab.events().iter().any(|event| matches!(
        event,
        EventKind::PortsRefused { wanted: 8081, reason: OpeningRefusal::TooMany, .. }
    )));
}

#[test]
fn a_profile_can_grant_leases_for_good_alone_and_ports_for_other_hosts() {
    let mut lab = upnp_with(|profile| {
        profile.services.upnp_igd_leases.value = Leases::Permanent;
        profile.services.upnp_igd_other_hosts.value = true;
    });
    assert_eq!(add(&mut lab, &WEB), Err(725));
    assert_eq!(add(&mut lab, &Ask { host: OTHER_PC, lease: "0", ..WEB }), Ok(()));
    assert_eq!(lab.from_wan(knock(1, 8080)).to(), at("192.168.1.101:80"));
    assert_eq!(call(&mut lab, PC, "DeletePortMapping", &named("8080", "TCP")).map(drop), Ok(()));
}

#[test]
fn connections_are_bounded_in_number_time_and_size() {
    let mut lab = upnp();
    let connect = |lab: &mut Lab, port: u16| Web::connect(lab, &format!("{PC}:{port}"), SERVER);
    let mut silent: Vec<Web> = (0..).map_while(|port| connect(&mut lab, 30_000 + port)).take(100).collect();
    assert_eq!(silent.len(), 16, "one more is refused");
    lab.wait_seconds(31);
    let resets = lab.transmitted();
    assert!(resets.iter().filter(|seen| seen.tcp().rst()).count() == 16, "{resets:?}");
    silent.clear();
    assert!(connect(&mut lab, 31_000).is_some(), "there is room again");
    let mut large = connect(&mut lab, 31_001).unwrap();
    large.say(&mut lab, &format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(10_000)), 1000);
    large.listen(&mut lab);
    assert_eq!(split(&large.text).0, 413);
    lab.wait_seconds(3600);
    lab.transmitted();
    assert_eq!(lab.router.poll_timeout(), None, "nothing is left to be done");
}

#[test]
fn many_requests_one_after_the_other_find_room() {
    let mut lab = upnp();
    for port in 0..100 {
        let request = format!("GET /description.xml HTTP/1.1\r\nHost: {SERVER}\r\n\r\n");
        let response = Web::ask(&mut lab, &format!("{PC}:{}", 30_000 + port), SERVER, &request);
        assert_eq!(split(&response).0, 200);
    }
}

proptest! {
    #[test]
    fn no_segment_and_no_request_is_too_much(
        parts in prop::collection::vec((any::<u16>(), any::<u32>(), 0_u8..64, prop::collection::vec(any::<u8>(), 0..200)), 1..20),
        text in "(GET|POST|M-SEARCH) (/[a-z./-]{0,20}|\\*) HTTP/1.1\r\n([A-Za-z-]{1,12}: [ -~]{0,20}\r\n){0,4}\r\n(<[a-zA-Z:/&;!\\[\\]-]{0,40}>?){0,6}",
    ) {
        let mut lab = upnp();
        let mut web = Web::connect(&mut lab, "192.168.1.100:41000", SERVER).unwrap();
        web.say(&mut lab, &text, 50);
        let datagram = udp("192.168.1.100:40000", "239.255.255.250:1900", text.as_bytes());
        lab.send(LAN, datagram);
        for (source, sequence, flags, data) in parts {
            let segment = tcp(&format!("{PC}:{}", 30_000 + source % 4), SERVER).seq(sequence);
            let segment = if flags & 1 != 0 { segment.syn() } else { segment };
            let segment = if flags & 2 != 0 { segment.fin() } else { segment };
            let segment = if flags & 4 != 0 { segment.rst() } else { segment };
            let segment = if flags & 8 != 0 { segment.ack(sequence ^ 7) } else { segment };
            let segment = if flags & 16 != 0 { segment.urgent(source) } else { segment };
            lab.send(LAN, segment.data(data).packet());
            lab.wait_millis(u64::from(source));
        }
        lab.wait_seconds(120);
        lab.transmitted();
        prop_assert!(lab.router.poll_timeout().is_none(), "every connection comes to its end");
    }
}
