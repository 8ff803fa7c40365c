#!/bin/sh
# with_syslog.sh FILE PROGRAM [ARGUMENT…]: runs a program whose only log is syslog's, and writes that to FILE as a syslog
# daemon would. To be started in a mount namespace of its own, since it gives itself a /dev of its own.
set -eu
log="$1"
shift
dev="$log.dev"
mkdir -p "$dev"
mount -t tmpfs none "$dev"
for device in null zero random urandom; do
    : >"$dev/$device"
    mount --bind "/dev/$device" "$dev/$device"
done
mount --rbind "$dev" /dev
python3 - "$log" <<'PYTHON' &
import os, re, socket, sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("/dev/log")
os.chmod("/dev/log", 0o666)
with open(sys.argv[1], "a") as file:
    while True:
        text = server.recv(65536).decode("utf-8", "replace").rstrip("\0\n")
        when, what = re.match(r"<\d+>(\w+ +\d+ [\d:]+) (.*)", text, re.DOTALL).groups()
        file.write(f"{when} server {what}\n")
        file.flush()
PYTHON
tries=0
while [ ! -S /dev/log ] && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
exec "$@"
