"""pyftpdlib as the tests run it: ftp_server.py PORT ROOT refuse|permit [ADDRESS FIRST LAST].

refuse or permit a PORT command that names another host; what to announce for PASV.
"""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.log import config_logging
from pyftpdlib.servers import FTPServer


class ImpatientActive(FTPHandler.active_dtp):
    timeout = 3


class ImpatientPassive(FTPHandler.passive_dtp):
    timeout = 5


def main():
    port, root, foreign, *told = sys.argv[1:]
    config_logging(level=logging.DEBUG)
    authorizer = DummyAuthorizer()
    authorizer.add_user("quirk", "nat", root, perm="elradfmw")
    handler = FTPHandler
    handler.authorizer = authorizer
    handler.permit_foreign_addresses = foreign == "permit"
    if told:
        address, first, last = told
        handler.masquerade_address = address
        handler.passive_ports = range(int(first), int(last) + 1)
    handler.active_dtp = ImpatientActive
    handler.passive_dtp = ImpatientPassive
    FTPServer(("0.0.0.0", int(port)), handler).serve_forever()


main()
