"""Brings out what an FTP server does: ftp_probe.py HOST PORT USER PASSWORD FILE PROBE [WORD…].

known: EPSV and EPRT. source: a transfer by PORT. no-command: one without PORT and PASV. foreign-port OTHER: PORT that names
OTHER. announced FIRST LAST: PASV, which must name a port of this range. foreign-peer OTHER: PASV, with the data connection
from OTHER, where `ftp_probe.py peer` runs.
"""

import ftplib
import re
import socket
import sys

MEETING = 9000


def peer():
    """Dials where it is told to, and reads what comes."""
    with socket.create_server(("", MEETING)) as here:
        here.settimeout(20)
        pc, _ = here.accept()
    with pc, pc.makefile("rw") as talk:
        host, port = talk.readline().split()
        with socket.create_connection((host, int(port)), timeout=8) as data:
            print("dialled", file=talk, flush=True)
            try:
                while data.recv(65536):
                    pass
            except OSError:
                pass


def main():
    host, port, user, password, file, probe, *words = sys.argv[1:]
    ftp = ftplib.FTP(timeout=12)
    ftp.connect(host, int(port))
    ftp.login(user, password)
    own = ftp.sock.getsockname()[0]

    def say(command):
        try:
            return ftp.sendcmd(command)
        except ftplib.Error as error:
            return str(error)

    def fetch():
        if say("RETR " + file).startswith("1"):
            try:
                ftp.voidresp()
            except ftplib.Error:
                pass

    def announce(address):
        """Listens, and says that it is at this address."""
        here = socket.create_server(("", 0))
        here.settimeout(8)
        number = here.getsockname()[1]
        return here, say(f"PORT {address.replace('.', ',')},{number // 256},{number % 256}")

    def passive():
        *_, high, low = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", say("PASV")).groups()
        return int(high) * 256 + int(low)

    say("TYPE I")
    if probe == "known":
        say("EPSV")
        with socket.create_server(("", 0)) as here:
            say(f"EPRT |1|{own}|{here.getsockname()[1]}|")
    elif probe == "source":
        here, _ = announce(own)
        # Some servers dial before they answer, others once they are asked for a file.
        ftp.putcmd("RETR " + file)
        data, _ = here.accept()
        while data.recv(65536):
            pass
        data.close()
        ftp.getresp()
        ftp.voidresp()
    elif probe == "no-command":
        fetch()
    elif probe == "foreign-port":
        here, reply = announce(words[0])
        if reply.startswith("2"):
            fetch()
    elif probe == "announced":
        first, last = map(int, words)
        is_told = first <= passive() <= last
        ftp.quit()
        sys.exit(not is_told)
    elif probe == "foreign-peer":
        number = passive()
        with socket.create_connection((words[0], MEETING), timeout=8) as meeting:
            with meeting.makefile("rw") as talk:
                print(host, number, file=talk, flush=True)
                talk.readline()
                fetch()
    ftp.quit()


if sys.argv[1] == "peer":
    peer()
else:
    main()
