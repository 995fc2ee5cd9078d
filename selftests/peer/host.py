# SPDX-License-Identifier: GPL-2.0
"""A host of its own behind a TUN device: what the kernel sends there reaches Python, which answers with whole IP packets."""
import contextlib
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import time

import packet as p

PROTOCOL = 253
ICMP, ICMP6 = 1, 58
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000
NOT_ECT, ECT0, CE = 0, 2, 3
# IP version: the kernel's address, ours
KERNEL = {4: "192.0.2.2", 6: "2001:db8::2"}
OURS = {4: "192.0.2.1", 6: "2001:db8::1"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
IP_HEADER = {4: 20, 6: 40}
MTU = 1500


class Datagram:
    """What an IP packet carried: a Haul packet or the bytes of an ICMP message, and IP's marks"""

    def __init__(self, version, protocol, ecn, data):
        self.version, self.protocol, self.ecn, self.data = version, protocol, ecn, data
        self.packet = None


def raw_address(version, text):
    return socket.inet_pton(FAMILY[version], text)


def ip_packet(version, protocol, data, ecn=NOT_ECT, fragment=0x4000):
    """from us to the kernel"""
    addresses = raw_address(version, OURS[version]) + raw_address(version, KERNEL[version])
    if version == 6:
        return struct.pack("!IHBB", 6 << 28 | ecn << 20, len(data), protocol, 64) + addresses + data
    header = struct.pack("!BBHHHBBH", 0x45, ecn, 20 + len(data), 1, fragment, 64, protocol, 0) + addresses
    return header[:10] + struct.pack("!H", p.checksum(header)) + header[12:] + data


def ip_parse(data):
    """A Datagram from the kernel's host; None: it is not for us, or a fragment"""
    version = data[0] >> 4
    if version == 4:
        header, length = (data[0] & 15) * 4, struct.unpack("!H", data[2:4])[0]
        if data[16:20] != raw_address(4, OURS[4]) or struct.unpack("!H", data[6:8])[0] & 0x3fff:
            return None
        return Datagram(4, data[9], data[1] & 3, data[header:length])
    length = struct.unpack("!H", data[4:6])[0]
    if data[24:40] != raw_address(6, OURS[6]):
        return None
    return Datagram(6, data[6], data[1] >> 4 & 3, data[40:40 + length])


class Host:
    """Connections and listeners are found by kind, IP version and ports; others' packets are "matches nothing"."""

    def __init__(self, seed=1):
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH", b"peer0", IFF_TUN | IFF_NO_PI))
        self.random = random.Random(seed)
        self.secret = self.random.getrandbits(64)
        # the part of the packets that is lost: each so many, not by chance, so that some are lost in any transfer
        self.loss_in = self.loss_out = 0.0
        self.due = {}
        self.flows, self.listeners, self.timers = {}, {}, []
        self.seen, self.sent, self.malformed = [], [], []
        self.silent = False
        self.number = 0

    # time and packets

    def now(self):
        return time.monotonic()

    def after(self, seconds, function):
        """Call it then; what it returns cancels it"""
        self.number += 1
        timer = [self.now() + seconds, self.number, function]
        heapq.heappush(self.timers, timer)
        return timer

    @staticmethod
    def cancel(timer):
        if timer:
            timer[2] = None

    def run(self, until, seconds=30):
        """Be a host until that is true; an AssertionError when it does not come true"""
        end = self.now() + seconds
        while not until():
            if self.now() > end:
                raise AssertionError("%s did not come true in %d s" % (until.__doc__ or "what was waited for", seconds))
            self.turn(0.02)

    def rest(self, seconds):
        """Be a host for that long: to see that nothing more comes"""
        end = self.now() + seconds
        while self.now() < end:
            self.turn(0.02)

    def turn(self, longest):
        wait = max(min(longest, self.timers[0][0] - self.now()), 0) if self.timers else longest
        if select.select([self.tun], [], [], wait)[0]:
            # a bound, so that the timers have their turn
            for _ in range(64):
                try:
                    self.receive(os.read(self.tun, 65536))
                except BlockingIOError:
                    break
        while self.timers and self.timers[0][0] <= self.now():
            function = heapq.heappop(self.timers)[2]
            if function:
                function()

    def lost(self, way, part, packet):
        """Is it the packet's turn to be lost? Those with payload and those without are counted apart"""
        what = way, bool(packet.payload)
        self.due[what] = self.due.get(what, 0.0) + part
        if self.due[what] < 1:
            return False
        self.due[what] = 0.0
        return True

    def send(self, version, packet, ecn=NOT_ECT):
        self.sent.append(packet)
        if not self.lost("out", self.loss_out, packet):
            self.send_bytes(version, packet.pack(), ecn)

    def send_bytes(self, version, data, ecn=NOT_ECT):
        os.write(self.tun, ip_packet(version, PROTOCOL, data, ecn))

    def send_fragments(self, version, data, size=1280):
        """IPv4's: each but the last a multiple of 8 bytes"""
        assert version == 4
        for at in range(0, len(data), size):
            more = 0x2000 if at + size < len(data) else 0
            os.write(self.tun, ip_packet(4, PROTOCOL, data[at:at + size], fragment=more | at // 8))

    def receive(self, data):
        datagram = ip_parse(data)
        if not datagram:
            return
        if datagram.protocol == PROTOCOL:
            try:
                datagram.packet = p.Packet.parse(datagram.data)
            except p.Malformed as why:
                self.malformed.append(why)
                return
            if self.lost("in", self.loss_in, datagram.packet):
                return
        self.seen.append(datagram)
        if datagram.packet and not self.silent:
            self.dispatch(datagram)

    def dispatch(self, datagram):
        packet = datagram.packet
        key = (packet.kind, datagram.version, packet.dest, packet.source)
        if key in self.flows:
            self.flows[key].receive(packet, datagram.ecn)
        elif packet.kind != p.DATAGRAM:
            listener = self.listeners.get((packet.kind, packet.dest))
            if not (listener and listener.receive(datagram)):
                self.no_match(datagram.version, packet)

    # section 4.2: what matches nothing

    def no_match(self, version, packet):
        if packet.flags & p.RST or (not packet.tag and packet.flags & p.ACK):
            return
        if packet.flags & p.SYN and not packet.flags & p.ACK:
            if packet.init and not packet.tag:
                self.send(version, p.Packet(packet.kind, packet.dest, packet.source, 0, p.RST | p.ACK, tag=packet.init.tag,
                                            ack=add(packet.seq, packet.length())))
        else:
            self.send(version, reflected(packet))

    # what the tests look at

    def packets(self, since=0):
        """Haul's, from the kernel"""
        return [datagram.packet for datagram in self.seen[since:] if datagram.packet]

    def mark(self):
        return len(self.seen)


def reflected(packet):
    """The RST that answers a packet of no connection"""
    return p.Packet(packet.kind, packet.dest, packet.source, packet.ack, p.RST | p.REFLECTED, tag=packet.tag)


def add(number, more):
    return (number + more) & 0xffffffff


def sub(a, b):
    """a - b as the signed distance of two numbers of 32 bits"""
    return ((a - b) + (1 << 31)) % (1 << 32) - (1 << 31)


def module_socket(version, kind=socket.SOCK_STREAM, port=0):
    """A socket of the module's, that does not block"""
    sock = socket.socket(FAMILY[version], kind, PROTOCOL)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((KERNEL[version], port))
    sock.setblocking(False)
    return sock


def listening(version, kind, port, backlog=5):
    sock = module_socket(version, kind, port)
    sock.listen(backlog)
    return sock


def connecting(version, kind, port, own_port=0):
    """The module's own connect to us; it is under way when this returns"""
    sock = module_socket(version, kind, own_port)
    with contextlib.suppress(BlockingIOError):
        sock.connect((OURS[version], port))
    return sock
