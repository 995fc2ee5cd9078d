# SPDX-License-Identifier: GPL-2.0
"""Haul's packets as Documentation/protocol.rst, section 1, has them: to bytes and back, and what is malformed."""
import struct

VERSION = 1
STREAM, MESSAGE, DATAGRAM = 1, 2, 3
FIXED = {STREAM: 36, MESSAGE: 36, DATAGRAM: 16}
HEADER_MAX = 320
FIN, SYN, RST, PSH, ACK, EOM, REFLECTED, STATELESS = (1 << bit for bit in range(8))
INIT, SACK, FASTOPEN = 1, 2, 3
INIT_LEN = 16
INIT_ECN = 1
MSS_MIN, MSS_NONE = 88, 536


class Malformed(Exception):
    """A packet that is dropped; the argument is section 1.6's word for why."""


def checksum(data):
    """RFC 1071, without a pseudo header"""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Init:
    """What a side chose for a connection"""

    def __init__(self, mss, tag, isn, flags=0):
        self.mss, self.tag, self.isn, self.flags = mss, tag, isn, flags

    def __eq__(self, other):
        return isinstance(other, Init) and vars(self) == vars(other)

    def pack(self):
        return struct.pack("!BBHIIHH", INIT, INIT_LEN, self.mss, self.tag, self.isn, self.flags, 0)

    @classmethod
    def parse(cls, value):
        if len(value) + 2 < INIT_LEN:
            raise Malformed("option")
        init = cls(*struct.unpack("!HIIH", value[:12]))
        if not init.tag:
            raise Malformed("option")
        return init

    def payload(self):
        """the bytes that its sender takes in one packet"""
        return max(self.mss, MSS_MIN) if self.mss else MSS_NONE


def parse_sack(value):
    blocks, rest = divmod(len(value) - 2, 8)
    if rest or not 1 <= blocks <= 31:
        raise Malformed("option")
    return [struct.unpack("!II", value[2 + 8 * at:10 + 8 * at]) for at in range(blocks)]


def pack_sack(blocks):
    return struct.pack("!BBH", SACK, 4 + 8 * len(blocks), 0) + b"".join(struct.pack("!II", *block) for block in blocks)


def parse_fastopen(value):
    if len(value) - 2 not in (0, 4, 8, 12, 16):
        raise Malformed("option")
    return value[2:]


def pack_fastopen(cookie):
    return struct.pack("!BBH", FASTOPEN, 4 + len(cookie), 0) + cookie


class Packet:
    """One packet: fields by name. options: unknown ones, as (type, value); fastopen: the cookie, empty when it is asked for"""

    def __init__(self, kind=STREAM, source=0, dest=0, seq=0, flags=0, **fields):
        self.kind, self.source, self.dest, self.seq, self.flags = kind, source, dest, seq, flags
        self.ce = self.tag = self.ack = self.window = self.tsval = self.tsecr = 0
        self.init, self.sack, self.options, self.payload = None, [], [], b""
        self.fastopen = None
        for name, value in fields.items():
            if not hasattr(self, name):
                raise TypeError(name)
            setattr(self, name, value)

    def length(self):
        """SEG.LEN"""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

    def has(self, flags):
        return self.flags & flags == flags

    def pack(self):
        options = self.init.pack() if self.init else b""
        if self.fastopen is not None:
            options += pack_fastopen(self.fastopen)
        for kind, value in self.options:
            options += struct.pack("!BB", kind, len(value) + 2) + value + bytes(-(len(value) + 2) % 4)
        if self.sack:
            options += pack_sack(self.sack)
        words = (FIXED[self.kind] + len(options)) // 4
        data = struct.pack("!HHIBBHHH", self.source, self.dest, self.seq, VERSION << 4 | self.kind, words, self.flags,
                           self.ce, 0)
        if self.kind != DATAGRAM:
            data += struct.pack("!IIIII", self.tag, self.ack, self.window, self.tsval, self.tsecr)
        data += options + self.payload
        return data[:14] + struct.pack("!H", checksum(data)) + data[16:]

    @classmethod
    def parse(cls, data):
        """The packet, or Malformed"""
        header = check_header(data)
        packet = cls(data[8] & 15, *struct.unpack("!HHI", data[:8]))
        packet.flags, packet.ce = struct.unpack("!HH", data[10:14])
        fixed = FIXED[packet.kind]
        if packet.kind != DATAGRAM:
            packet.tag, packet.ack, packet.window, packet.tsval, packet.tsecr = struct.unpack("!IIIII", data[16:36])
            packet.window = min(packet.window, 1 << 30)
        packet.payload = data[header:]
        if not packet.source or not packet.dest:
            raise Malformed("port")
        if packet.kind == DATAGRAM and packet.seq:
            raise Malformed("header")
        packet.check_flags()
        if checksum(data):
            raise Malformed("checksum")
        packet.take_options(data[fixed:header])
        return packet

    def check_flags(self):
        """Section 1.3: what excludes each other; the upper eight bits are ignored"""
        flags, payload = self.flags & 0xff, self.payload
        wrong = [
            self.kind == DATAGRAM and flags,
            self.kind != DATAGRAM and not flags & (SYN | RST | ACK),
            self.has(SYN | FIN), self.has(SYN | RST), self.has(FIN | RST),
            flags & RST and payload,
            flags & REFLECTED and not flags & RST,
            flags & STATELESS and not self.has(SYN | ACK),
            flags & EOM and (self.kind != MESSAGE or not payload),
        ]
        if any(wrong):
            raise Malformed("flags")

    def take_options(self, data):
        seen = set()
        while data:
            kind, length = data[0], data[1]
            if not 2 <= length <= len(data):
                raise Malformed("option")
            self.take_option(kind, data[2:length], seen)
            data = data[length + -length % 4:]

    def take_option(self, kind, value, seen):
        if self.kind == DATAGRAM or kind not in (INIT, SACK, FASTOPEN):
            self.options.append((kind, value))
            return
        if kind in seen:
            raise Malformed("option")
        seen.add(kind)
        if kind == INIT:
            self.init = Init.parse(value)
        elif kind == FASTOPEN:
            self.fastopen = parse_fastopen(value)
        else:
            self.sack = parse_sack(value)


def check_header(data):
    """The length of the header in bytes, after what section 1.6 looks at first"""
    if len(data) < 16:
        raise Malformed("short")
    if data[8] >> 4 != VERSION:
        raise Malformed("version")
    if data[8] & 15 not in FIXED:
        raise Malformed("kind")
    header = data[9] * 4
    if not FIXED[data[8] & 15] <= header <= HEADER_MAX:
        raise Malformed("header")
    if header > len(data):
        raise Malformed("short")
    return header
