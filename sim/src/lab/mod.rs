//! The namespace lab: a scenario's hosts as Linux network namespaces. Each host has the kernel end of one TUN device and
//! nothing else; this process holds the other ends, and its links and routers move the packets between them.
//!
//! A process calls [`enter`] once before it starts a thread. Each lab has one thread, which goes to its [`Nowhere`]
//! first: an empty namespace, so that nothing in that thread can reach the machine's own network. It makes its hosts
//! with [`open_host`], and enters one for a moment to make a socket or start a [`Program`] there. All of it is held by
//! descriptors: there is no name in /run/netns, and the kernel takes everything away when the process ends, however.

pub mod access;
mod backend;
pub mod control;
mod failure;
pub mod keeper;
mod kernel_stack;
pub mod namespace;
pub mod netlink;
pub mod program;
pub mod registry;

pub use access::{Missing, enter};
pub use backend::{Lab, play};
pub use failure::LabFailure;
pub use kernel_stack::KernelStack;
pub use namespace::{LabError, Namespace, Nowhere, close_devices, open_host};
pub use netlink::NetlinkError;
pub use program::{Ending, Program, ProgramError, ProgramOutcome, ProgramSpec};
