//! Real FTP clients and servers with `quirknat router --profile linksys-befsr41-1.39` between them. Each row is
//! judged by the bytes that arrived and by what tcpdump and tshark saw on the wires on both sides of the router.
//!
//! `.ci/install-real-programs` brings the programs.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use support::client::Client::{Curl, Ftplib, Lftp, Ncftp, Tnftp, Wget};
use support::client::Mode::{Pasv, Port};
use support::evidence::Outcome::{
    ClientDials, DialsLan, DialsWan, LeaksLan, Refused, Rewritten, ServerDialsOut,
};
use support::server::Server;
use support::session::{Behind, play, row};

const LARGE: usize = 5_000_003;
const SMALL: usize = 200_001;

#[test]
fn behind_the_router_port_works_on_21_only_and_vsftpd_refuses_it_elsewhere() {
    let rows = [
        row(21, Curl, Port, Rewritten),
        row(21, Lftp, Port, Rewritten),
        row(21, Curl, Pasv, ClientDials),
        row(21, Lftp, Pasv, ClientDials),
        row(2121, Curl, Port, Refused),
        row(2121, Lftp, Port, Refused),
        row(2121, Curl, Pasv, ClientDials),
        row(2121, Lftp, Pasv, ClientDials),
    ];
    play(Behind::Client, Server::Vsftpd, LARGE, &rows);
}

#[test]
fn behind_the_router_port_works_on_21_only_and_pyftpdlib_refuses_it_elsewhere() {
    let rows = [
        row(21, Curl, Port, Rewritten),
        row(21, Lftp, Port, Rewritten),
        row(21, Curl, Pasv, ClientDials),
        row(21, Lftp, Pasv, ClientDials),
        row(2121, Curl, Port, Refused),
        row(2121, Lftp, Port, Refused),
        row(2121, Curl, Pasv, ClientDials),
        row(2121, Lftp, Pasv, ClientDials),
    ];
    play(Behind::Client, Server::Pyftpdlib, LARGE, &rows);
}

#[test]
fn a_server_that_permits_foreign_addresses_dials_the_lan_address_in_vain() {
    let rows = [
        row(21, Curl, Port, Rewritten),
        row(2121, Curl, Port, DialsLan),
        row(2121, Lftp, Port, DialsLan),
        row(2121, Ftplib, Port, DialsLan),
        row(2121, Ftplib, Pasv, ClientDials),
    ];
    play(Behind::Client, Server::PyftpdlibPermitting, SMALL, &rows);
}

#[test]
fn a_server_that_believes_any_port_command_answers_200_and_then_425() {
    let rows =
        [row(21, Curl, Port, Rewritten), row(2121, Curl, Port, DialsLan), row(2121, Wget, Port, DialsLan)];
    play(Behind::Client, Server::VsftpdPromiscuous, SMALL, &rows);
}

#[test]
fn every_client_behind_the_router_meets_the_same_with_vsftpd() {
    let rows = [
        row(21, Ncftp, Port, Rewritten),
        row(21, Wget, Port, Rewritten),
        row(21, Tnftp, Port, Rewritten),
        row(21, Ftplib, Port, Rewritten),
        row(21, Ncftp, Pasv, ClientDials),
        row(21, Wget, Pasv, ClientDials),
        row(21, Tnftp, Pasv, ClientDials),
        row(21, Ftplib, Pasv, ClientDials),
        row(2121, Ncftp, Port, Refused),
        row(2121, Wget, Port, Refused),
        row(2121, Tnftp, Port, Refused),
        row(2121, Ftplib, Port, Refused),
        row(2121, Ncftp, Pasv, ClientDials),
        row(2121, Wget, Pasv, ClientDials),
        row(2121, Tnftp, Pasv, ClientDials),
        row(2121, Ftplib, Pasv, ClientDials),
    ];
    play(Behind::Client, Server::Vsftpd, SMALL, &rows);
}

#[test]
fn proftpd_replaces_the_private_address_and_meets_a_closed_port() {
    let rows = [
        row(21, Curl, Port, Rewritten),
        row(21, Tnftp, Port, Rewritten),
        row(21, Curl, Pasv, ClientDials),
        row(2121, Curl, Port, DialsWan),
        row(2121, Wget, Port, DialsWan),
        row(2121, Ncftp, Pasv, ClientDials),
    ];
    play(Behind::Client, Server::Proftpd, SMALL, &rows);
}

#[test]
fn pure_ftpd_meets_the_same() {
    let rows = [
        row(21, Curl, Port, Rewritten),
        row(21, Ncftp, Port, Rewritten),
        row(21, Curl, Pasv, ClientDials),
        row(2121, Curl, Port, Refused),
        row(2121, Lftp, Port, Refused),
        row(2121, Tnftp, Pasv, ClientDials),
    ];
    play(Behind::Client, Server::PureFtpd, SMALL, &rows);
}

#[test]
fn vsftpd_behind_the_router_serves_port_and_leaks_its_address_in_pasv() {
    let rows = [
        row(21, Curl, Port, ServerDialsOut),
        row(21, Lftp, Port, ServerDialsOut),
        row(2121, Curl, Port, ServerDialsOut),
        row(2121, Ncftp, Port, ServerDialsOut),
        row(21, Curl, Pasv, LeaksLan),
        row(2121, Curl, Pasv, LeaksLan),
        row(2121, Lftp, Pasv, LeaksLan),
    ];
    play(Behind::Server, Server::Vsftpd, SMALL, &rows);
}

#[test]
fn pyftpdlib_behind_the_router_serves_port_and_leaks_its_address_in_pasv() {
    let rows = [
        row(21, Curl, Port, ServerDialsOut),
        row(2121, Ftplib, Port, ServerDialsOut),
        row(21, Curl, Pasv, LeaksLan),
        row(2121, Ftplib, Pasv, LeaksLan),
    ];
    play(Behind::Server, Server::Pyftpdlib, SMALL, &rows);
}
