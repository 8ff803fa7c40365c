//! Logs of FTP clients: who says what is the same everywhere, how it is written is not.

pub(super) mod bsd;
pub(super) mod curl;
pub(super) mod filezilla;
pub(super) mod ftplib;
pub(super) mod lftp;
pub(super) mod ncftp;
pub(super) mod wget;
pub(super) mod winscp;

/// These programs log one session after the other.
const ONLY: &str = "";
