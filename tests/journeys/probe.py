"""Asks the LAN, as a machine does that is about to take a host name, whether it is taken (RFC 6762 section 8.1).

Prints how many milliseconds the first answer about that name took, or ``free``. Arguments: own address, name.
"""

import socket
import struct
import sys
import time

from zeroconf import DNSIncoming  # type: ignore[attr-defined]  # exported, though not listed

_GROUP, _PORT = "224.0.0.251", 5353
_ANY, _A, _UNICAST_IN = 255, 1, 0x8001


def main(address: str, name: str) -> None:
    """Send one probe and wait for a second."""
    own = socket.inet_aton(address)
    encoded = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    question = encoded + struct.pack(">HH", _ANY, _UNICAST_IN)
    proposed = encoded + struct.pack(">HHIH", _A, 1, 120, 4) + own
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind(("", _PORT))
        line.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(_GROUP) + own)
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        began = time.monotonic()
        line.sendto(struct.pack(">6H", 0, 0, 1, 0, 1, 0) + question + proposed, (_GROUP, _PORT))
        while (left_s := began + 1 - time.monotonic()) > 0:
            line.settimeout(left_s)
            try:
                answer = line.recv(9000)
            except TimeoutError:
                break
            heard = DNSIncoming(answer)
            if heard.is_response() and any(record.name == f"{name}." for record in heard.answers()):
                print(round((time.monotonic() - began) * 1000))
                return
    print("free")


if __name__ == "__main__":
    main(*sys.argv[1:])
