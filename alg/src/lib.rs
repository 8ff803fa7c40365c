//! What a home router's FTP application level gateway does with the bytes of a control connection.
//!
//! Pure: no packet, no clock, no device. The caller hands in a [`Segment`] (the bytes, who sent them, the control
//! port) and a [`Dialect`] (the firmware's behaviour as data); out comes a [`Decision`] with a typed reason, also
//! when the bytes are left alone. Choosing an external port, keeping forwards and moving TCP sequence numbers are the
//! router's work.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

mod acting;
mod announcement;
mod decide;
mod dialect;
mod reason;
mod syntax;

pub use acting::{DataPort, DataPortConflict, NoDataPort, PortTaken, Repeated, SequenceNumbers};
pub use announcement::{Announcement, Command, ReplacementText, Role};
pub use decide::{Decision, Opening, Segment, Side, may_announce};
pub use dialect::{
    AllowedPeer, Dialect, Gaps, KeywordPosition, LetterCase, LineEnd, LowPorts, Malformed, Octets, Oversize,
    Terms, ThirdParty,
};
pub use reason::{LeftAlone, Refused, SyntaxFault};
