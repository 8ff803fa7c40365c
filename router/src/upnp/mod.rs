//! UPnP's InternetGatewayDevice:1 on the wire: searches (SSDP), descriptions, controls (SOAP over HTTP). Bytes in, bytes
//! out: what an action does to the router is in `core/upnp_igd.rs`.

pub(crate) mod description;
pub(crate) mod http;
pub(crate) mod server;
pub(crate) mod soap;
pub(crate) mod ssdp;

use std::fmt;
use std::net::SocketAddrV4;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// What the device is called: operating system, UPnP version, product (UPnP Device Architecture 1.0 §1.2.3).
const PRODUCT: &str = "quirknat/1.0 UPnP/1.0 quirknat/1.0";

/// Where the description is.
const DESCRIPTION: &str = "/description.xml";

/// A device of the three that stand in one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Device {
    /// The root.
    Gateway,
    /// In it.
    Wan,
    /// In that.
    WanConnection,
}

impl Device {
    pub(crate) const ALL: [Self; 3] = [Self::Gateway, Self::Wan, Self::WanConnection];

    /// Its type.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Gateway => "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
            Self::Wan => "urn:schemas-upnp-org:device:WANDevice:1",
            Self::WanConnection => "urn:schemas-upnp-org:device:WANConnectionDevice:1",
        }
    }
}

/// A service of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// Of the gateway.
    Layer3Forwarding,
    /// Of the WAN device.
    WanCommon,
    /// Of the WAN connection device.
    WanIp,
}

impl Service {
    pub(crate) const ALL: [Self; 3] = [Self::Layer3Forwarding, Self::WanCommon, Self::WanIp];

    /// Its type.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Layer3Forwarding => "urn:schemas-upnp-org:service:Layer3Forwarding:1",
            Self::WanCommon => "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1",
            Self::WanIp => "urn:schemas-upnp-org:service:WANIPConnection:1",
        }
    }

    /// Its name in the description.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Layer3Forwarding => "urn:upnp-org:serviceId:L3Forwarding1",
            Self::WanCommon => "urn:upnp-org:serviceId:WANCommonIFC1",
            Self::WanIp => "urn:upnp-org:serviceId:WANIPConn1",
        }
    }

    /// The device it is of.
    pub(crate) fn device(self) -> Device {
        match self {
            Self::Layer3Forwarding => Device::Gateway,
            Self::WanCommon => Device::Wan,
            Self::WanIp => Device::WanConnection,
        }
    }

    /// Where its actions are described.
    pub(crate) fn description_path(self) -> &'static str {
        match self {
            Self::Layer3Forwarding => "/layer3-forwarding.xml",
            Self::WanCommon => "/wan-common.xml",
            Self::WanIp => "/wan-ip.xml",
        }
    }

    /// Where its actions are called.
    pub(crate) fn control_path(self) -> &'static str {
        match self {
            Self::Layer3Forwarding => "/control/layer3-forwarding",
            Self::WanCommon => "/control/wan-common",
            Self::WanIp => "/control/wan-ip",
        }
    }
}

/// A router as UPnP sees it: where its documents are, and the names of its devices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    /// Its LAN address and the port of its descriptions.
    pub(crate) at: SocketAddrV4,
    name: u128,
}

impl Identity {
    /// The same names for the same seed and address.
    pub(crate) fn new(seed: u64, at: SocketAddrV4) -> Self {
        let mut random = Pcg64::new(u128::from(seed), u128::from(u32::from(*at.ip())));
        let name = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
        Self { at, name }
    }

    /// The device's own name.
    pub(crate) fn udn(self, device: Device) -> Udn {
        let index = match device {
            Device::Gateway => 0,
            Device::Wan => 1,
            Device::WanConnection => 2,
        };
        Udn(self.name & !3 | index)
    }
}

/// A unique device name; of the form of a random UUID (RFC 9562 §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Udn(u128);

impl fmt::Display for Udn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const VERSION: u128 = 0xf << 76;
        const VARIANT: u128 = 0x3 << 62;
        let name = self.0 & !VERSION & !VARIANT | 4 << 76 | 2 << 62;
        let part = |shift: u32, bits: u32| name >> shift & ((1 << bits) - 1);
        write!(
            out,
            "uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 32),
            part(80, 16),
            part(64, 16),
            part(48, 16),
            part(0, 48)
        )
    }
}
