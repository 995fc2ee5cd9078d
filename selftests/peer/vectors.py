# SPDX-License-Identifier: GPL-2.0
"""The test vectors of Documentation/protocol.rst, section 10, read from that page itself."""
import os
import re

import packet as p

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(TREE, "Documentation", "protocol.rst")
KINDS = {"stream": p.STREAM, "message": p.MESSAGE, "datagram": p.DATAGRAM}
NUMBERS = ("source", "dest", "seq", "ce", "tag", "ack", "window", "tsval", "tsecr")


class Vector:
    """One block: a packet with its fields, or a malformed one with the reason"""

    def __init__(self, name):
        self.name, self.data, self.error, self.checksum = name, b"", None, None
        self.packet = p.Packet()

    def line(self, word, rest):
        packet = self.packet
        if word == "hex":
            self.data += bytes.fromhex(rest)
        elif word == "error":
            self.error = rest
        elif word == "checksum":
            self.checksum = int(rest, 0)
        elif word == "kind":
            packet.kind = KINDS[rest]
        elif word in NUMBERS:
            setattr(packet, word, int(rest, 0))
        elif word == "flags":
            packet.flags = sum(getattr(p, flag, 0) or int(flag, 0) for flag in rest.split() if flag != "none")
        elif word == "payload":
            packet.payload = bytes.fromhex(rest)
        elif word == "init":
            mss, tag, isn, flags = (int(number, 0) for number in rest.split()[1::2])
            packet.init = p.Init(mss, tag, isn, flags)
        elif word == "fastopen":
            packet.fastopen = bytes.fromhex(rest.replace("none", ""))
        elif word == "sack":
            packet.sack.append(tuple(int(number, 0) for number in rest.split()))
        elif word == "unknown":
            kind, value = re.fullmatch(r"type (\d+) value ?(\w*)", rest).groups()
            packet.options.append((int(kind), bytes.fromhex(value)))
        elif word != "what":
            raise ValueError("a line of %s: %s %s" % (self.name, word, rest))


def read():
    """All of them, in the page's order"""
    vectors, begun = [], False
    with open(PAGE, encoding="utf-8") as lines:
        for text in lines:
            begun = begun or text.startswith(".. vectors begin")
            word, _, rest = text.strip().partition(" ")
            if not begun or not text.startswith("  "):
                continue
            if word in ("packet", "malformed"):
                vectors.append(Vector(rest))
            elif word != "end":
                vectors[-1].line(word, rest.strip())
    return vectors
