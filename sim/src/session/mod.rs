//! An FTP session as it is seen from outside: its control connection's dialogue and its data connections, on one wire.
//! It judges nothing.

mod account;
mod announcement;
mod connection;
mod dialogue;
mod fate;
mod stream;
mod view;

pub use account::{Account, DataAttempt, End};
pub use announcement::Announcement;
pub use connection::{Connection, Reading, Segment, connections, endpoints};
pub use dialogue::{Dialogue, Line, Speaker, is_command};
pub use fate::{Ending, Fate};
pub(crate) use stream::begins_tls;
pub use view::{View, beyond_routers};
