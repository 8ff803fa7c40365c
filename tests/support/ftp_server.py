"""pyftpdlib as the tests run it: ftp_server.py PORT ROOT refuse|permit (a PORT command that names another host)."""

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
    port, root, foreign = sys.argv[1:]
    config_logging(level=logging.DEBUG)
    authorizer = DummyAuthorizer()
    authorizer.add_user("quirk", "nat", root, perm="elradfmw")
    handler = FTPHandler
    handler.authorizer = authorizer
    handler.permit_foreign_addresses = foreign == "permit"
    handler.active_dtp = ImpatientActive
    handler.passive_dtp = ImpatientPassive
    FTPServer(("0.0.0.0", int(port)), handler).serve_forever()


main()
