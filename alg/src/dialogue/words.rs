//! The commands of FTP.

/// Those of the registry of FTP commands and extensions (RFC 5797), and those in use that never came into it, in order.
const COMMANDS: &[&[u8]] = &[
    b"ABOR", b"ACCT", b"ADAT", b"ALLO", b"APPE", b"AUTH", b"AVBL", b"CCC", b"CDUP", b"CLNT", b"COMB",
    b"CONF", b"CSID", b"CWD", b"DELE", b"DSIZ", b"ENC", b"EPRT", b"EPSV", b"FEAT", b"HASH", b"HELP", b"HOST",
    b"LANG", b"LIST", b"LPRT", b"LPSV", b"MACB", b"MDTM", b"MFCT", b"MFF", b"MFMT", b"MIC", b"MKD", b"MLSD",
    b"MLST", b"MODE", b"NLST", b"NOOP", b"OPTS", b"PASS", b"PASV", b"PBSZ", b"PORT", b"PROT", b"PWD",
    b"QUIT", b"RANG", b"REIN", b"REST", b"RETR", b"RMD", b"RMDA", b"RNFR", b"RNTO", b"SITE", b"SIZE",
    b"SMNT", b"SPSV", b"STAT", b"STOR", b"STOU", b"STRU", b"SYST", b"THMB", b"TYPE", b"USER", b"XAUT",
    b"XCRC", b"XCUP", b"XCWD", b"XMD5", b"XMKD", b"XPWD", b"XRMD", b"XSHA",
];

/// Whether `word`, in upper case, is one.
pub(super) fn is_command(word: &[u8]) -> bool {
    COMMANDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_order_so_that_each_is_found() {
        assert!(COMMANDS.is_sorted());
        assert!(COMMANDS.iter().all(|word| is_command(word)));
        assert!(!is_command(b"POST") && !is_command(b"GET") && !is_command(b""));
    }
}
