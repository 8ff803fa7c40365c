"""Python's ftplib: ftp_client.py HOST PORT USER PASSWORD port|pasv|own|own-active get|put REMOTE LOCAL."""

import ftplib
import sys

host, port, user, password, mode, direction, remote, local = sys.argv[1:]
ftp = ftplib.FTP(timeout=8)
if not mode.startswith("own"):
    # By default ftplib replaces the address of a 227 by the server's own.
    ftp.trust_server_pasv_ipv4_address = True
ftp.connect(host, int(port))
ftp.login(user, password)
if mode != "own":
    ftp.set_pasv(mode == "pasv")
if direction == "get":
    with open(local, "wb") as file:
        ftp.retrbinary(f"RETR {remote}", file.write)
else:
    with open(local, "rb") as file:
        ftp.storbinary(f"STOR {remote}", file)
ftp.quit()
