//! Logs of FTP servers: several sessions at a time, told apart by a number.

pub(super) mod filezilla_server;
pub(super) mod proftpd;
pub(super) mod pure_ftpd;
pub(super) mod pyftpdlib;
pub(super) mod vsftpd;
