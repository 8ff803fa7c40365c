//! An FTP session as it is seen from outside: its control connection's dialogue and its data connections, on one wire.
//! It judges nothing.

mod account;
mod announcement;
mod connection;
mod dialogue;
mod fate;
mod view;

pub use account::{Account, DataAttempt, End};
pub use announcement::Announcement;
pub use connection::{Connection, connections};
pub use dialogue::{Dialogue, Line, Speaker};
pub use fate::Fate;
pub use view::{View, beyond_routers};
