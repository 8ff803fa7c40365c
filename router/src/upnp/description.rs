//! The documents that describe the devices, their services, and their services' actions.

use std::fmt::Write as _;

use super::{DESCRIPTION, Device, Identity, Service};

/// The document at `path`.
pub(crate) fn document(path: &str, identity: Identity) -> Option<String> {
    if path == DESCRIPTION {
        return Some(devices(identity));
    }
    Service::ALL.into_iter().find(|service| service.description_path() == path).map(actions)
}

/// InternetGatewayDevice:1 §2: a WAN device in it, a WAN connection device in that.
fn devices(identity: Identity) -> String {
    let connection = device(Device::WanConnection, identity, "");
    let wan = device(Device::Wan, identity, &format!("<deviceList>{connection}</deviceList>"));
    let gateway = device(Device::Gateway, identity, &format!("<deviceList>{wan}</deviceList>"));
    format!(
        "<?xml version=\"1.0\"?>\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\">\
         <specVersion><major>1</major><minor>0</minor></specVersion>{gateway}</root>\r\n"
    )
}

fn device(device: Device, identity: Identity, inner: &str) -> String {
    let (kind, udn) = (device.kind(), identity.udn(device));
    let services: String =
        Service::ALL.into_iter().filter(|own| own.device() == device).map(service).collect();
    format!(
        "<device><deviceType>{kind}</deviceType><friendlyName>quirknat</friendlyName>\
         <manufacturer>quirknat</manufacturer><modelName>quirknat</modelName><UDN>{udn}</UDN>\
         <serviceList>{services}</serviceList>{inner}</device>"
    )
}

/// Nothing is evented: UPnP Device Architecture 1.0 §2.1 wants the element all the same.
fn service(service: Service) -> String {
    let (kind, id) = (service.kind(), service.id());
    let (description, control) = (service.description_path(), service.control_path());
    format!(
        "<service><serviceType>{kind}</serviceType><serviceId>{id}</serviceId><SCPDURL>{description}</SCPDURL>\
         <controlURL>{control}</controlURL><eventSubURL></eventSubURL></service>"
    )
}

/// An argument of an action: its name, and the state variable that has its type.
type Argument = (&'static str, &'static str);

/// An action: its name, what goes in, what comes out.
struct Action {
    name: &'static str,
    takes: &'static [Argument],
    gives: &'static [Argument],
}

const LAYER3_FORWARDING: &[Action] = &[Action {
    name: "GetDefaultConnectionService",
    takes: &[],
    gives: &[("NewDefaultConnectionService", "DefaultConnectionService")],
}];

const WAN_COMMON: &[Action] = &[Action {
    name: "GetCommonLinkProperties",
    takes: &[],
    gives: &[
        ("NewWANAccessType", "WANAccessType"),
        ("NewLayer1UpstreamMaxBitRate", "Layer1UpstreamMaxBitRate"),
        ("NewLayer1DownstreamMaxBitRate", "Layer1DownstreamMaxBitRate"),
        ("NewPhysicalLinkStatus", "PhysicalLinkStatus"),
    ],
}];

const REMOTE_HOST: Argument = ("NewRemoteHost", "RemoteHost");
const EXTERNAL_PORT: Argument = ("NewExternalPort", "ExternalPort");
const PROTOCOL: Argument = ("NewProtocol", "PortMappingProtocol");
const INTERNAL_PORT: Argument = ("NewInternalPort", "InternalPort");
const INTERNAL_CLIENT: Argument = ("NewInternalClient", "InternalClient");
const ENABLED: Argument = ("NewEnabled", "PortMappingEnabled");
const DESCRIBED: Argument = ("NewPortMappingDescription", "PortMappingDescription");
const LEASE: Argument = ("NewLeaseDuration", "PortMappingLeaseDuration");

const WAN_IP: &[Action] = &[
    Action {
        name: "GetConnectionTypeInfo",
        takes: &[],
        gives: &[
            ("NewConnectionType", "ConnectionType"),
            ("NewPossibleConnectionTypes", "PossibleConnectionTypes"),
        ],
    },
    Action {
        name: "GetStatusInfo",
        takes: &[],
        gives: &[
            ("NewConnectionStatus", "ConnectionStatus"),
            ("NewLastConnectionError", "LastConnectionError"),
            ("NewUptime", "Uptime"),
        ],
    },
    Action {
        name: "GetNATRSIPStatus",
        takes: &[],
        gives: &[("NewRSIPAvailable", "RSIPAvailable"), ("NewNATEnabled", "NATEnabled")],
    },
    Action {
        name: "GetExternalIPAddress",
        takes: &[],
        gives: &[("NewExternalIPAddress", "ExternalIPAddress")],
    },
    Action {
        name: "AddPortMapping",
        takes: &[
            REMOTE_HOST,
            EXTERNAL_PORT,
            PROTOCOL,
            INTERNAL_PORT,
            INTERNAL_CLIENT,
            ENABLED,
            DESCRIBED,
            LEASE,
        ],
        gives: &[],
    },
    Action { name: "DeletePortMapping", takes: &[REMOTE_HOST, EXTERNAL_PORT, PROTOCOL], gives: &[] },
    Action {
        name: "GetSpecificPortMappingEntry",
        takes: &[REMOTE_HOST, EXTERNAL_PORT, PROTOCOL],
        gives: &[INTERNAL_PORT, INTERNAL_CLIENT, ENABLED, DESCRIBED, LEASE],
    },
    Action {
        name: "GetGenericPortMappingEntry",
        takes: &[("NewPortMappingIndex", "PortMappingNumberOfEntries")],
        gives: &[
            REMOTE_HOST,
            EXTERNAL_PORT,
            PROTOCOL,
            INTERNAL_PORT,
            INTERNAL_CLIENT,
            ENABLED,
            DESCRIBED,
            LEASE,
        ],
    },
];

/// The type of a state variable, where it is not a string.
fn type_of(variable: &str) -> &'static str {
    match variable {
        "ExternalPort" | "InternalPort" | "PortMappingNumberOfEntries" => "ui2",
        "PortMappingEnabled" | "RSIPAvailable" | "NATEnabled" => "boolean",
        "PortMappingLeaseDuration" | "Uptime" | "Layer1UpstreamMaxBitRate" | "Layer1DownstreamMaxBitRate" => {
            "ui4"
        }
        _ => "string",
    }
}

/// The document that says what a service does.
fn actions(service: Service) -> String {
    let actions = match service {
        Service::Layer3Forwarding => LAYER3_FORWARDING,
        Service::WanCommon => WAN_COMMON,
        Service::WanIp => WAN_IP,
    };
    let mut list = String::new();
    let mut variables: Vec<&str> = Vec::new();
    for Action { name, takes, gives } in actions {
        // Writing into a string cannot fail.
        let _ = write!(list, "<action><name>{name}</name><argumentList>");
        let directed = takes.iter().map(|one| (one, "in")).chain(gives.iter().map(|one| (one, "out")));
        for ((name, variable), direction) in directed {
            let _ = write!(
                list,
                "<argument><name>{name}</name><direction>{direction}</direction>\
                 <relatedStateVariable>{variable}</relatedStateVariable></argument>"
            );
            if !variables.contains(variable) {
                variables.push(variable);
            }
        }
        list += "</argumentList></action>";
    }
    let variable = |name: &&str| {
        let kind = type_of(name);
        format!(
            "<stateVariable sendEvents=\"no\"><name>{name}</name><dataType>{kind}</dataType></stateVariable>"
        )
    };
    let variables: String = variables.iter().map(variable).collect();
    format!(
        "<?xml version=\"1.0\"?>\r\n<scpd xmlns=\"urn:schemas-upnp-org:service-1-0\">\
         <specVersion><major>1</major><minor>0</minor></specVersion>\
         <actionList>{list}</actionList><serviceStateTable>{variables}</serviceStateTable></scpd>\r\n"
    )
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;

    #[test]
    fn every_document_that_is_named_is_there_and_is_well_formed() {
        let identity = Identity::new(7, "192.168.1.1:5000".parse().unwrap());
        let devices = document(DESCRIPTION, identity).unwrap();
        let mut paths = vec![DESCRIPTION];
        for service in Service::ALL {
            assert!(devices.contains(&format!("<SCPDURL>{}</SCPDURL>", service.description_path())));
            paths.push(service.description_path());
        }
        for path in paths {
            let text = document(path, identity).unwrap();
            let mut reader = Reader::from_str(&text);
            while reader.read_event().expect("well-formed") != Event::Eof {}
        }
        assert_eq!(document("/", identity), None);
    }
}
