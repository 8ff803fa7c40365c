//! What a home router's FTP application level gateway does with the bytes of a control connection.
//!
//! Pure: no packet, no clock, no device. The caller keeps a [`Dialogue`] for each control connection and hands it every
//! [`Segment`] (the bytes, who sent them, the ports) with a [`Dialect`] (the firmware's behaviour as data); out comes a
//! [`Decision`] with a typed reason, also when the bytes are left alone. Choosing an external port, keeping forwards and moving TCP sequence numbers are the
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
mod dialogue;
mod incomplete;
mod keyword;
mod reason;
mod replacement;
mod syntax;
#[cfg(test)]
mod testing;

pub use acting::{
    BeginsAnew, ControlOutlives, DataPort, DataPortConflict, NoDataPort, PortTaken, Reassembly, Repeated,
    SequenceNumbers,
};
pub use announcement::{Announcement, Command, Mask, Role};
pub use decide::{Decision, Masking, Opening, Segment, Side};
pub use dialect::{
    AfterAuthTls, AllowedPeer, AnnouncedAddress, AnnouncementsFrom, Argument, BeforeAnswer, ControlPortEnd,
    CutKeyword, Dialect, EmptyNumbers, ExtendedAddress, ExtendedDelimiter, ExtendedPortZero, ForeignLines,
    Gaps, KeywordPosition, LeadingZeros, LetterCase, LineEnd, LongLine, Malformed, MaskCommandsFrom, Octets,
    Oversize, PortZero, Range, Reaches, RefusedPort, RepliesRead, ReplyEnd, ReplyScan, RestOfSegment,
    Strictness, Terms, ThirdParty, WrongRole,
};
pub use dialogue::Dialogue;
pub use keyword::may_announce;
pub use reason::{LeftAlone, Refused, SyntaxFault};
pub use replacement::{Replacement, ReplacementText};
