#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Encodes the test vectors of Documentation/protocol.rst.

An encoder of its own, written from protocol.rst: it shares nothing with module/core/wire.c, so that the two check
each other (selftests/core/test_vectors.c feeds these bytes to the module's parser and compares what it builds).

    scripts/vectors.py --check     fail if protocol.rst or selftests/core/vectors.txt differ from what is computed
    scripts/vectors.py --write     write both
    scripts/vectors.py --print     only print
"""
import argparse
import difflib
import pathlib
import struct
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
TEXT = TOP / "selftests/core/vectors.txt"
PAGE = TOP / "Documentation/protocol.rst"
BEGIN, END = ".. vectors begin\n", ".. vectors end\n"

KINDS = {"stream": 1, "message": 2, "datagram": 3}
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "EOM": 32, "REFLECTED": 64, "STATELESS": 128}
INIT, SACK, FASTOPEN = 1, 2, 3
INIT_ECN = 1

CLIENT_PORT, SERVER_PORT = 49152, 7
C_ISN, C_TAG = 0x01020304, 0xc1c2c3c4
S_ISN, S_TAG = 0xfffffffe, 0x51525354


def checksum(data):
    """RFC 1071 over all of data; an odd last byte is padded with zero."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def init(tag, isn, mss=1444, flags=0):
    return struct.pack("!BBHIIHH", INIT, 16, mss, tag, isn, flags, 0)


def sack(*blocks):
    return struct.pack("!BBH", SACK, 4 + 8 * len(blocks), 0) + b"".join(struct.pack("!II", *b) for b in blocks)


def fastopen(cookie=b""):
    return struct.pack("!BBH", FASTOPEN, 4 + len(cookie), 0) + cookie


def pad(option):
    return option + bytes(-len(option) % 4)


class Packet:
    """One packet; to_server tells which side sends it, and with that ports and the tag it carries."""

    def __init__(self, name, what, flags="", to_server=True, kind="stream", seq=0, ack=0, window=0, tsval=0, tsecr=0,
                 ce=0, tag=None, options=(), payload=b"", version=1, words=None, error=None, raw=None, ports=None,
                 spoil=0):
        self.name, self.what, self.error, self.kind = name, what, error, kind
        self.flags, self.options, self.payload = flags.split(), list(options), payload
        self.source, self.dest = (CLIENT_PORT, SERVER_PORT) if to_server else (SERVER_PORT, CLIENT_PORT)
        if ports:
            self.source, self.dest = ports
        self.tag = (S_TAG if to_server else C_TAG) if tag is None else tag
        self.seq, self.ack, self.window = seq & 0xffffffff, ack & 0xffffffff, window
        self.tsval, self.tsecr, self.ce = tsval, tsecr, ce
        self.version, self.words, self.raw, self.spoil = version, words, raw, spoil

    def bits(self):
        return sum(int(f, 0) if f.startswith("0x") else FLAGS[f] for f in self.flags)

    def encode(self):
        if self.raw is not None:
            return self.raw
        kind = KINDS.get(self.kind, self.kind)
        options = b"".join(pad(o) for o in self.options)
        fixed = 16 if kind == KINDS["datagram"] else 36
        words = (fixed + len(options)) // 4 if self.words is None else self.words
        head = struct.pack("!HHIBBHHH", self.source, self.dest, self.seq, self.version << 4 | kind, words,
                           self.bits(), self.ce, 0)
        if fixed == 36:
            head += struct.pack("!IIIII", self.tag, self.ack, self.window, self.tsval, self.tsecr)
        data = head + options + self.payload
        return data[:14] + struct.pack("!H", checksum(data) ^ self.spoil) + data[16:]

    def fields(self):
        yield "kind", self.kind
        yield "source", self.source
        yield "dest", self.dest
        yield "seq", f"0x{self.seq:08x}"
        yield "flags", " ".join(self.flags) or "none"
        if self.kind != "datagram":
            yield "ce", self.ce
            yield "tag", f"0x{self.tag:08x}"
            yield "ack", f"0x{self.ack:08x}"
            yield "window", self.window
            yield "tsval", self.tsval
            yield "tsecr", self.tsecr
        for option in self.options:
            if option[0] == INIT:
                mss, tag, isn, flags = struct.unpack("!HIIH", option[2:14])
                yield "init", f"mss {mss} tag 0x{tag:08x} isn 0x{isn:08x} flags 0x{flags:04x}"
            elif option[0] == SACK:
                edges = struct.unpack(f"!{(len(option) - 4) // 4}I", option[4:])
                for start, end in zip(edges[::2], edges[1::2]):
                    yield "sack", f"0x{start:08x} 0x{end:08x}"
            elif option[0] == FASTOPEN:
                yield "fastopen", option[4:].hex() or "none"
            else:
                yield "unknown", f"type {option[0]} value {option[2:].hex()}"
        if self.payload:
            yield "payload", self.payload.hex()

    def text(self):
        lines = ["malformed " + self.name if self.error else "packet " + self.name, "  what      " + self.what]
        if self.error:
            lines.append("  error     " + self.error)
        else:
            lines += [f"  {key:<9} {value}" for key, value in self.fields()]
        data = self.encode()
        if len(data) >= 16:
            lines.append(f"  checksum  0x{int.from_bytes(data[14:16], 'big'):04x}")
        for at in range(0, len(data), 16):
            row = data[at:at + 16]
            lines.append("  hex       " + " ".join(row[i:i + 4].hex() for i in range(0, len(row), 4)))
        return "\n".join(lines + ["end", ""])


def handshake():
    c_init = init(C_TAG, C_ISN, flags=INIT_ECN)
    yield Packet("syn", "step 1: the client asks for a stream, and would use ECN", "SYN", seq=C_ISN, tag=0, window=65535,
                 tsval=1000000, options=[c_init])
    yield Packet("syn-ack", "step 2", "SYN ACK", False, seq=S_ISN, ack=C_ISN + 1, window=1 << 30, tsval=4294967290,
                 tsecr=1000000, options=[init(S_TAG, S_ISN, 1424, INIT_ECN)])
    yield Packet("third-step", "step 3 repeats INIT; the server's numbers wrap", "ACK", seq=C_ISN + 1, ack=S_ISN + 1,
                 window=65535, tsval=1010000, tsecr=4294967290, options=[c_init])
    yield Packet("syn-ack-cookie", "step 2 from a server that keeps no state", "SYN ACK STATELESS", False, seq=S_ISN,
                 ack=C_ISN + 1, window=65535, tsval=5, tsecr=1000000, options=[init(S_TAG, S_ISN, 1444)])
    yield Packet("third-step-data", "step 3 with payload of odd length", "PSH ACK", seq=C_ISN + 1, ack=S_ISN + 1,
                 window=65535, tsval=1010000, tsecr=5, options=[init(C_TAG, C_ISN)], payload=b"hello")


def fast_open():
    c_init, cookie = init(C_TAG, C_ISN), bytes.fromhex("0011223344556677")
    yield Packet("syn-cookie-wanted", "fast open: the client asks for a cookie", "SYN", seq=C_ISN, tag=0, window=65535,
                 tsval=1000000, options=[c_init, fastopen()])
    yield Packet("syn-ack-cookie-given", "the server gives one", "SYN ACK", False, seq=S_ISN, ack=C_ISN + 1, window=65535,
                 tsval=5, tsecr=1000000, options=[init(S_TAG, S_ISN), fastopen(cookie)])
    yield Packet("syn-data", "another connection begins with it, and with payload", "SYN PSH", seq=C_ISN, tag=0,
                 window=65535, tsval=2000000, options=[c_init, fastopen(cookie)], payload=b"GET /\n")
    yield Packet("syn-data-message", "a message, whole, under a cookie of 16 bytes", "SYN PSH EOM", kind="message", seq=C_ISN,
                 tag=0, window=65535, tsval=2000000, options=[c_init, fastopen(bytes(range(16)))], payload=b"hi")
    yield Packet("syn-ack-data", "its payload was taken", "SYN ACK", False, seq=S_ISN, ack=C_ISN + 7, window=65529,
                 tsval=1000005, tsecr=2000000, options=[init(S_TAG, S_ISN)])
    yield Packet("rst-refuse-data", "nobody listens: the answer to packet syn-data", "RST ACK", False, seq=0, ack=C_ISN + 7)


def transfer():
    yield Packet("data", "payload, one CE mark seen", "PSH ACK", False, seq=S_ISN + 1, ack=C_ISN + 6, window=131072,
                 tsval=20000, tsecr=1010000, ce=1, payload=b"Haul, world\n")
    yield Packet("ack", "a pure ACK", "ACK", seq=C_ISN + 6, ack=S_ISN + 13, window=65523, tsval=1030000, tsecr=20000)
    yield Packet("ack-sack", "a pure ACK with D-SACK and two blocks", "ACK", seq=C_ISN + 6, ack=S_ISN + 13, window=65523,
                 tsval=1040000, tsecr=20000, ce=65535,
                 options=[sack((0xffffffff, 0x00000005), (0x00001000, 0x00001400), (0x00000800, 0x00000900))])
    yield Packet("ack-sack-31", "as many blocks as an ACK takes", "ACK", seq=C_ISN + 6, ack=S_ISN + 13, window=65523,
                 tsval=1050000, tsecr=20000,
                 options=[sack(*((0x10000 + 0x200 * i, 0x10100 + 0x200 * i) for i in range(31)))])
    yield Packet("data-sack", "payload beside SACK", "ACK", seq=C_ISN + 6, ack=S_ISN + 13, window=65523, tsval=1060000,
                 tsecr=20000, options=[sack((0x1000, 0x1400))], payload=b"GET / HTTP/1.1\r\n\r\n")
    yield Packet("unknown-option", "options that version 1 does not know, with padding, are skipped; so are unknown flags",
                 "ACK 0x8100", seq=C_ISN + 6, ack=S_ISN + 13, window=65523, tsval=1070000, tsecr=20000,
                 options=[bytes([200, 7, 1, 2, 3, 4, 5]), bytes([0, 2]), sack((0x1000, 0x1400))])
    yield Packet("zero-window", "the receiver's buffer is full", "ACK", seq=C_ISN + 24, ack=S_ISN + 13, window=0,
                 tsval=1080000, tsecr=20000)
    yield Packet("probe", "a zero-window or keepalive probe: one number below SND.UNA", "ACK", False, seq=S_ISN + 12,
                 ack=C_ISN + 24, window=131072, tsval=320000, tsecr=1080000)
    yield Packet("message-part", "a message's first segment", "ACK", kind="message", seq=C_ISN + 1, ack=S_ISN + 1,
                 window=65535, tsval=1090000, tsecr=20000, payload=b"one mess")
    yield Packet("message-end", "its last, one byte", "PSH ACK EOM", kind="message", seq=C_ISN + 9, ack=S_ISN + 1,
                 window=65535, tsval=1090001, tsecr=20000, payload=b"e")


def closing():
    yield Packet("fin", "end of one direction", "FIN ACK", seq=C_ISN + 24, ack=S_ISN + 13, window=65535, tsval=1100000,
                 tsecr=320000)
    yield Packet("fin-data", "end of the other, with its last bytes", "FIN PSH ACK", False, seq=S_ISN + 13,
                 ack=C_ISN + 25, window=131071, tsval=330000, tsecr=1100000, payload=b"bye")
    yield Packet("rst-refuse", "nobody listens: the answer to packet syn", "RST ACK", False, seq=0, ack=C_ISN + 1)
    yield Packet("rst-reflected", "the answer to packet ack, by a host that knows nothing of it", "RST REFLECTED", False,
                 tag=S_TAG, seq=S_ISN + 13)
    yield Packet("rst-abort", "the program aborts", "RST ACK", seq=C_ISN + 24, ack=S_ISN + 13, tsval=1110000,
                 tsecr=320000, ce=2)


def datagrams():
    yield Packet("datagram", "a datagram", kind="datagram", payload=b"ping\n")
    yield Packet("datagram-empty", "a datagram without payload", to_server=False, kind="datagram")
    yield Packet("datagram-option", "a datagram with an unknown option", kind="datagram", options=[bytes([9, 4, 0, 1])],
                 payload=b"x")


def malformed():
    def bad(name, what, error, **more):
        more = {"flags": "ACK", "seq": C_ISN + 1, "ack": S_ISN + 1, "window": 65535, "tsval": 1, "tsecr": 1} | more
        return Packet(name, what, error=error, **more)

    whole = bad("", "", None).encode()
    yield bad("empty", "nothing but IP", "short", raw=b"")
    yield bad("cut-in-fixed", "15 bytes", "short", raw=whole[:15])
    yield bad("cut-in-header", "the header ends after 32 of its 36 bytes", "short", raw=whole[:32])
    yield bad("cut-in-options", "ten words claimed, nine there", "short", words=10)
    yield bad("version-0", "version 0", "version", version=0)
    yield bad("version-2", "version 2", "version", version=2)
    yield bad("kind-0", "kind 0", "kind", kind=0)
    yield bad("kind-4", "kind 4", "kind", kind=4)
    yield bad("header-8", "eight words in a stream", "header", words=8)
    yield bad("header-0", "no words", "header", words=0)
    yield bad("header-3-datagram", "three words in a datagram", "header", flags="", kind="datagram", seq=0, words=3)
    yield bad("header-81", "81 words, all there", "header", words=81, payload=bytes([9, 4, 0, 0] * 72))
    yield bad("source-port-0", "source port 0", "port", ports=(0, SERVER_PORT))
    yield bad("dest-port-0", "destination port 0", "port", ports=(CLIENT_PORT, 0))
    yield from malformed_flags(bad)
    yield bad("checksum-bit", "one bit of the checksum is wrong", "checksum", spoil=1)
    yield from malformed_options(bad)


def malformed_flags(bad):
    option = [init(C_TAG, C_ISN)]
    yield bad("flags-none", "none of SYN, RST, ACK", "flags", flags="PSH", payload=b"x")
    yield bad("syn-fin", "SYN with FIN", "flags", flags="SYN FIN", seq=C_ISN, tag=0, ack=0, options=option)
    yield bad("syn-rst", "SYN with RST", "flags", flags="SYN RST", seq=C_ISN, tag=0, ack=0, options=option)
    yield bad("fin-rst", "FIN with RST", "flags", flags="FIN RST ACK")
    yield bad("rst-payload", "RST with payload", "flags", flags="RST ACK", payload=b"x")
    yield bad("reflected-ack", "tag-reflected without RST", "flags", flags="ACK REFLECTED")
    yield bad("stateless-ack", "stateless without SYN", "flags", flags="ACK STATELESS")
    yield bad("stateless-syn", "stateless without ACK", "flags", flags="SYN STATELESS", seq=C_ISN, tag=0, ack=0,
              options=option)
    yield bad("eom-stream", "EOM in a stream", "flags", flags="ACK EOM", payload=b"x")
    yield bad("eom-empty", "EOM without payload", "flags", flags="ACK EOM", kind="message")
    yield bad("datagram-flag", "a datagram with a flag", "flags", flags="PSH", kind="datagram", seq=0)
    yield bad("datagram-seq", "a datagram with a sequence number", "header", flags="", kind="datagram", seq=1)


def malformed_options(bad):
    good = init(C_TAG, C_ISN)
    yield bad("option-length-0", "an option of length 0", "option", options=[bytes([9, 0, 0, 0])])
    yield bad("option-length-1", "an option of length 1", "option", options=[bytes([9, 1, 0, 0])])
    yield bad("option-past-end", "an option of length 5 in the last word", "option", options=[bytes([9, 5, 0, 0])])
    yield bad("init-length-15", "INIT of length 15", "option", options=[good[:1] + b"\x0f" + good[2:]])
    yield bad("init-cut", "INIT of length 16, eight bytes there", "option", options=[good[:8]])
    yield bad("init-tag-0", "INIT with tag 0", "option", options=[init(0, C_ISN)])
    yield bad("init-twice", "two INITs", "option", options=[good, good])
    yield bad("sack-empty", "SACK without a block", "option", options=[sack()])
    yield bad("sack-length-13", "SACK of length 13", "option",
              options=[b"\x02\x0d" + sack((1, 2))[2:] + bytes(4)])
    yield bad("sack-cut", "SACK of two blocks, one there", "option", options=[b"\x02\x14" + sack((1, 2))[2:]])
    yield bad("sack-twice", "two SACKs", "option", options=[sack((1, 2)), sack((3, 4))])
    yield bad("fastopen-length-6", "FASTOPEN of length 6", "option", options=[fastopen(b"12")])
    yield bad("fastopen-length-24", "FASTOPEN with a cookie of 20 bytes", "option", options=[fastopen(bytes(20))])
    yield bad("fastopen-length-2", "FASTOPEN of length 2", "option", options=[bytes([FASTOPEN, 2, 0, 0])])
    yield bad("fastopen-cut", "FASTOPEN of length 12, eight bytes there", "option", options=[fastopen(bytes(8))[:8]])
    yield bad("fastopen-twice", "two FASTOPENs", "option", options=[fastopen(), fastopen(bytes(8))])


def all_text():
    packets = [*handshake(), *fast_open(), *transfer(), *closing(), *datagrams(), *malformed()]
    names = [p.name for p in packets]
    assert len(names) == len(set(names)), "two vectors have one name"
    return "\n".join(p.text() for p in packets)


def in_text(text):
    return ("# SPDX-License-Identifier: GPL-2.0\n# Written by scripts/vectors.py; explained in Documentation/protocol.rst,"
            " section 10.\n\n" + text)


def in_page(page, text):
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    block = "".join("  " + line if line.strip() else line for line in text.splitlines(True))
    return head + BEGIN + "\n::\n\n" + block + "\n" + END + tail


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    for name in ("check", "write", "print"):
        what.add_argument("--" + name, action="store_true")
    args = parser.parse_args()
    text = all_text()
    if args.print:
        sys.stdout.write(text)
        return 0
    wrong = 0
    for path, make in ((TEXT, lambda old: in_text(text)), (PAGE, lambda old: in_page(old, text))):
        old = path.read_text() if path.exists() else ""
        new = make(old)
        if args.write:
            path.write_text(new)
        elif old != new:
            wrong = 1
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), str(path), "computed"))
    if wrong:
        print("vectors.py: the vectors above differ from what is computed; scripts/vectors.py --write, if that is right",
              file=sys.stderr)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
