# SPDX-License-Identifier: GPL-2.0
"""What the peer and the module do with each other. A scene is a function of a Host and an IP version that raises AssertionError."""
import contextlib
import errno
import os
import socket
import struct

import connection as c
import host as h
import packet as p
import vectors

PORT, OURS = 7, 49152
SOCKET_TYPE = {p.STREAM: socket.SOCK_STREAM, p.MESSAGE: socket.SOCK_SEQPACKET, p.DATAGRAM: socket.SOCK_DGRAM}


def equal(got, want):
    assert got == want, "%r, not %r" % (got, want)


def setting(name, value):
    with open("/proc/sys/net/haul/" + name, "w", encoding="ascii") as file:
        file.write(str(value))


def counters():
    """All of /proc/net/haul/snmp by name"""
    with open("/proc/net/haul/snmp", encoding="ascii") as file:
        lines = [line.split() for line in file]
    return {name: int(value) for names, values in zip(lines[::2], lines[1::2]) for name, value in zip(names[1:], values[1:])}


class Module:
    """A socket of the module's and what its program has read"""

    def __init__(self, sock):
        self.sock, self.read, self.messages, self.ended, self.waiting = sock, b"", [], False, b""

    def turn(self, most=1 << 20):
        """Read and write what goes without waiting"""
        with contextlib.suppress(BlockingIOError):
            while self.waiting:
                self.waiting = self.waiting[self.sock.send(self.waiting):]
        with contextlib.suppress(BlockingIOError):
            while not self.ended:
                data = self.sock.recv(most)
                self.read += data
                self.messages.append(data)
                self.ended = not data


def pattern(size, step=7):
    return bytes(at * step % 251 for at in range(size))


def accepted(host, listener):
    """The module's program accepts"""
    got = []

    def there():
        """an accepted connection"""
        with contextlib.suppress(BlockingIOError):
            got.append(listener.accept()[0])
        return got
    host.run(there)
    got[0].setblocking(False)
    return Module(got[0])


def open_to(host, version, kind=p.STREAM, rcvbuf=None, ours=OURS, **options):
    """We connect to a listener of the module's: our connection and its socket"""
    listener = h.module_socket(version, SOCKET_TYPE[kind], PORT)
    if rcvbuf:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    listener.listen(5)
    connection = c.Connection(host, version, kind, ours, PORT, **options)
    connection.connect()
    host.run(lambda: connection.state == c.ESTABLISHED)
    module = accepted(host, listener)
    listener.close()
    return connection, module


def open_from(host, version, kind=p.STREAM, sndbuf=None, **options):
    """The module connects to us: the same"""
    listener = c.Listener(host, kind, OURS, **options)
    sock = h.connecting(version, SOCKET_TYPE[kind], OURS)
    if sndbuf:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
    host.run(lambda: listener.connections and listener.connections[0].state == c.ESTABLISHED)
    del host.listeners[(kind, OURS)]
    return listener.connections[0], Module(sock)


def quiet(host, connection):
    """Until all that both sides sent is acknowledged, and a delayed ACK has had its time"""
    host.run(lambda: not connection.segments)
    host.rest(0.3)


def over(host, connection):
    host.run(lambda: connection.state in (c.CLOSED, c.TIME_WAIT))


def finish(host, connection, module):
    """Both close, in the ordinary way; nothing stays behind"""
    connection.close()
    host.run(lambda: module.turn() or module.ended)
    module.sock.close()
    over(host, connection)
    connection.ended(None)


# Packets

def vectors_pack_and_parse(_host, _version):
    """Each packet of the page says what its fields say, both ways; each malformed one is refused for its reason"""
    blocks = vectors.read()
    assert len(blocks) > 50
    for block in blocks:
        try:
            packet, error = p.Packet.parse(block.data), None
        except p.Malformed as why:
            packet, error = None, why.args[0]
        assert error == block.error, "%s: %s, not %s" % (block.name, error, block.error)
        if packet:
            assert vars(packet) == vars(block.packet), "%s reads as %s" % (block.name, vars(packet))
            assert packet.pack() == block.data == block.packet.pack(), block.name
            equal(struct.unpack("!H", block.data[14:16])[0], block.checksum)


def malformed_are_refused_by_the_module(host, version):
    """Never answered, and counted under the reason that the page gives"""
    names = {"short": "DropShort", "version": "DropVersion", "kind": "DropKind", "header": "DropHeader", "port": "DropPort",
             "flags": "DropFlags", "checksum": "DropChecksum", "option": "DropOption"}
    for block in vectors.read():
        if not block.error:
            continue
        before, mark = counters(), host.mark()
        host.send_bytes(version, block.data)
        host.rest(0.01)
        equal(host.packets(mark), [])
        changed = {name for name, value in counters().items() if value != before[name] and name.startswith("Drop")}
        assert changed == {names[block.error]}, "%s: %s" % (block.name, changed)


# Opening

def we_connect(host, version):
    mark = host.mark()
    connection, module = open_to(host, version)
    syn_ack = host.packets(mark)[0]
    assert syn_ack.has(p.SYN | p.ACK) and not syn_ack.flags & p.STATELESS
    equal((syn_ack.tag, syn_ack.ack), (connection.own.tag, h.add(connection.own.isn, 1)))
    equal((syn_ack.init.isn, syn_ack.init.payload()), (syn_ack.seq, c.IP_MSS[version]))
    equal(syn_ack.tsecr, host.sent[-2].tsval)
    assert connection.unconfirmed
    connection.send(b"first")
    equal(host.sent[-1].init, connection.own)
    host.run(lambda: module.turn() or module.read == b"first")
    host.run(lambda: not connection.segments)
    assert not connection.unconfirmed
    module.sock.send(b"second")
    host.run(lambda: connection.received == b"second")
    finish(host, connection, module)


def the_module_connects(host, version):
    mark = host.mark()
    connection, module = open_from(host, version)
    syn, third = host.packets(mark)[:2]
    equal((syn.flags, syn.tag, syn.ack, syn.tsecr, syn.init.isn), (p.SYN, 0, 0, 0, syn.seq))
    equal((third.seq, third.ack), (h.add(syn.seq, 1), h.add(connection.own.isn, 1)))
    assert third.init == syn.init, "the third step repeats INIT"
    mark = host.mark()
    module.sock.send(b"unconfirmed")
    host.run(lambda: connection.received == b"unconfirmed")
    equal(host.packets(mark)[0].init, syn.init)
    quiet(host, connection)
    mark = host.mark()
    # an ACK alone has confirmed it
    module.sock.send(b", confirmed")
    host.run(lambda: len(connection.received) == 22)
    equal(host.packets(mark)[0].init, None)
    connection.send(b"answer")
    host.run(lambda: module.turn() or module.read == b"answer")
    finish(host, connection, module)


def lost_steps(host, version):
    """A SYN and a SYN-ACK are lost: the same numbers again, after a second"""
    listener = c.Listener(host, p.STREAM, OURS)
    host.loss_in = 1.0
    sock = h.connecting(version, socket.SOCK_STREAM, OURS)
    host.rest(0.3)
    host.loss_in, host.loss_out = 0.0, 1.0
    host.run(lambda: listener.connections)
    host.loss_out = 0.0
    connection = listener.connections[0]
    host.run(lambda: connection.state == c.ESTABLISHED)
    first, second = [packet for packet in host.sent if packet.has(p.SYN | p.ACK)][:2]
    equal((first.seq, first.init), (second.seq, second.init))
    del host.listeners[(p.STREAM, OURS)]
    finish(host, connection, Module(sock))


def both_connect(host, version):
    """A simultaneous open: the module's SYN is answered by ours"""
    host.silent = True
    mark = host.mark()
    sock = h.connecting(version, socket.SOCK_STREAM, OURS, PORT)
    host.run(lambda: host.packets(mark))
    host.silent = False
    connection = c.Connection(host, version, p.STREAM, OURS, PORT)
    connection.connect()
    connection.receive(host.packets(mark)[0], h.NOT_ECT)
    host.run(lambda: connection.state == c.ESTABLISHED)
    module = Module(sock)
    connection.send(b"from us")
    host.run(lambda: module.turn() or module.read == b"from us")
    module.sock.send(b"from the module")
    host.run(lambda: connection.received == b"from the module")
    finish(host, connection, module)


def cookies(host, version):
    """The server keeps nothing until the third step; one that is lost is sent again, and so a server that speaks first is heard"""
    setting("syncookies", 2)
    listener = h.listening(version, socket.SOCK_STREAM, PORT)
    connection = c.Connection(host, version, p.STREAM, OURS, PORT)
    connection.connect()
    host.loss_out = 1.0
    host.run(lambda: connection.state == c.ESTABLISHED)
    assert connection.stateless
    host.loss_out, mark = 0.0, host.mark()
    module = accepted(host, listener)
    # the server answers the first valid packet at once
    host.run(lambda: not connection.unconfirmed, 1)
    assert host.packets(mark)[0].flags & 0xff == p.ACK
    module.sock.send(b"I speak first")
    host.run(lambda: connection.received == b"I speak first")
    finish(host, connection, module)
    listener.close()
    mark = host.mark()
    host.send(version, p.Packet(p.STREAM, OURS, PORT, 5, p.ACK, tag=77, ack=99, init=p.Init(1400, 7, 4)))
    host.run(lambda: host.packets(mark))
    equal((host.packets(mark)[0].flags, host.packets(mark)[0].tag), (p.RST | p.REFLECTED, 77))


# Data

def both_ways(host, connection, module, size, seconds=60):
    """size bytes each way at once"""
    ours, theirs = pattern(size), pattern(size, 11)
    module.waiting = theirs
    connection.send(ours)

    def arrived():
        """what was sent, both ways"""
        module.turn()
        return len(module.read) >= size and len(connection.received) >= size
    host.run(arrived, seconds)
    assert module.read == ours, "the module's program reads something else"
    assert connection.received == theirs, "we read something else"


def bulk(host, version):
    for opened in (open_to, open_from):
        connection, module = opened(host, version)
        before = counters()["DsacksSent"]
        both_ways(host, connection, module, 150000)
        quiet(host, connection)
        # nothing was lost: what we sent again, as on a slow machine, the module had already, and said so
        equal(counters()["DsacksSent"] - before, connection.retransmitted)
        finish(host, connection, module)


def bulk_with_loss(host, version):
    for opened in (open_to, open_from):
        connection, module = opened(host, version)
        before, mark = counters(), host.mark()
        host.loss_in = host.loss_out = 0.03
        both_ways(host, connection, module, 120000)
        host.loss_in = host.loss_out = 0.0
        assert connection.retransmitted > 0
        assert counters()["RetransSegs"] > before["RetransSegs"]
        assert any(packet.sack for packet in host.packets(mark)), "no SACK came"
        finish(host, connection, module)


def segments_fit(host, version):
    """What the peer's MSS allows after the fixed header, options included"""
    connection, module = open_from(host, version, mss=500)
    mark = host.mark()
    module.waiting = pattern(20000)
    module.turn()
    host.run(lambda: len(connection.received) == 20000)
    sizes = {len(packet.payload) + (16 if packet.init else 0) for packet in host.packets(mark) if packet.payload}
    equal(max(sizes), 500)
    finish(host, connection, module)


def sack_blocks(host, version):
    """What is held: the block that came last first, duplicates reported once, all gone when the hole is filled"""
    connection, module = open_to(host, version)
    connection.send(b"confirm")
    quiet(host, connection)
    base, data = connection.nxt, pattern(5000)

    def sent(start, end):
        mark = host.mark()
        host.send(version, connection.packet(h.add(base, start), p.ACK, payload=data[start:end]))
        host.run(lambda: host.packets(mark))
        packet = host.packets(mark)[0]
        return h.sub(packet.ack, base), [tuple(h.sub(edge, base) for edge in block) for block in packet.sack]
    equal(sent(1000, 2000), (0, [(1000, 2000)]))
    equal(sent(4000, 5000), (0, [(4000, 5000), (1000, 2000)]))
    equal(sent(2000, 3000), (0, [(1000, 3000), (4000, 5000)]))
    # twice: D-SACK inside the second block
    equal(sent(4000, 5000)[1][:2], [(4000, 5000), (4000, 5000)])
    equal(sent(0, 1000), (3000, [(4000, 5000)]))
    equal(sent(500, 1000), (3000, [(500, 1000), (4000, 5000)]))
    equal(sent(3000, 4000), (5000, []))
    host.run(lambda: module.turn() or module.read == b"confirm" + data)
    connection.nxt = connection.tail = connection.una = h.add(base, 5000)
    finish(host, connection, module)


def we_do_not_read(host, version):
    """The module probes our closed window, by one number below SND.UNA, and goes on when it opens"""
    connection, module = open_from(host, version, buffer=8000)
    connection.read(False)
    module.waiting = pattern(40000)
    module.turn()
    host.run(lambda: connection.room() == 0)
    mark = host.mark()
    host.run(lambda: len(host.packets(mark)) >= 3)
    for probe in host.packets(mark)[-2:]:
        equal((probe.seq, probe.payload, probe.flags & 0xff), (h.add(connection.rcv_nxt, -1), b"", p.ACK))
    assert counters()["PersistProbes"] >= 2
    connection.read()
    host.run(lambda: module.turn() or len(connection.received) == 40000)
    assert connection.received == pattern(40000)
    finish(host, connection, module)


def the_module_does_not_read(host, version):
    """We probe; the module answers, never takes back its window's edge, and tells us when it opens"""
    # the buffer is the listener's: it must be set before the connection begins
    connection, module = open_to(host, version, rcvbuf=8192)
    data, mark = pattern(60000), host.mark()
    connection.send(data)
    host.run(lambda: connection.probes >= 2)
    # too small for a segment is as good as closed (RFC 9293 3.8.6.2.1)
    assert min(packet.window for packet in host.packets(mark)) < connection.segment_size(), "the window stays open"
    edges = [h.sub(h.add(packet.ack, packet.window), connection.own.isn) for packet in host.packets(mark)]
    equal(edges, sorted(edges))
    probes = connection.probes
    host.run(lambda: module.turn() or module.read == data)
    assert connection.probes <= probes + 1, "the window's opening was not told"
    finish(host, connection, module)


def ecn(host, version):
    """Agreed in INIT; the module counts marks and reduces for those that we count"""
    setting("ecn", 1)
    for opened in (open_to, open_from):
        connection, module = opened(host, version, ecn=True)
        assert connection.ecn
        connection.send(b"confirm")
        quiet(host, connection)
        mark = host.mark()
        host.send(version, connection.packet(connection.nxt, p.ACK, payload=b"marked"), h.CE)
        connection.nxt = connection.tail = connection.una = h.add(connection.nxt, 6)
        host.run(lambda: any(packet.ce == 1 for packet in host.packets(mark)))
        mark = host.mark()
        module.waiting = pattern(3000)
        host.run(lambda: module.turn() or len(connection.received) == 3000)
        seen = set()
        for datagram in host.seen[mark:]:
            # what is sent again (a loss probe, on a slow machine) is not ECT
            if datagram.packet and datagram.packet.seq not in seen:
                equal(datagram.ecn, h.ECT0 if datagram.packet.payload else h.NOT_ECT)
                seen.add(datagram.packet.seq)
        finish(host, connection, module)
    connection, module = open_to(host, version, ecn=False)
    assert not connection.ecn
    finish(host, connection, module)


# Messages

def messages(host, version):
    """Boundaries are kept, whatever is lost; one is longer than the window"""
    for opened in (open_to, open_from):
        connection, module = opened(host, version, p.MESSAGE, buffer=30000)
        host.loss_in = host.loss_out = 0.03
        sizes = (1, 1424, 5, 100000, 2, 30000, 1)
        for size in sizes:
            connection.send_message(pattern(size))

        def read():
            """the module's program reads each message whole"""
            module.turn()
            return len(module.messages) == len(sizes)
        host.run(read, 60)
        equal([len(message) for message in module.messages], list(sizes))
        waiting = list(sizes)

        def sent_and_read():
            """we read each message whole"""
            with contextlib.suppress(BlockingIOError):
                while waiting:
                    module.sock.send(pattern(waiting[0]))
                    waiting.pop(0)
            return len(connection.messages) == len(sizes)
        host.run(sent_and_read, 60)
        assert connection.messages == [pattern(size) for size in sizes]
        host.loss_in = host.loss_out = 0.0
        finish(host, connection, module)


def message_cut_short(host, version):
    """FIN in the middle of a message: its part is thrown away"""
    connection, module = open_to(host, version, p.MESSAGE)
    connection.send_message(b"whole")
    connection.queue(b"part of", 0)
    finish(host, connection, module)
    equal(module.messages, [b"whole", b""])


# Datagrams

def datagrams(host, version):
    """Both ways, empty, in fragments; a port that nobody has is told by ICMP"""
    sock = h.module_socket(version, socket.SOCK_DGRAM, PORT)

    def received():
        got = []

        def there():
            """a datagram at the module's socket"""
            with contextlib.suppress(BlockingIOError):
                got.append(sock.recvfrom(65536))
            return got
        host.run(there)
        return got[0]

    for payload in (b"one", b"", pattern(1400)):
        host.send(version, p.Packet(p.DATAGRAM, OURS, PORT, payload=payload))
        data, source = received()
        equal((data, source[:2]), (payload, (h.OURS[version], OURS)))
        mark = host.mark()
        sock.sendto(payload, (h.OURS[version], OURS))
        host.run(lambda: host.packets(mark))
        got = host.packets(mark)[0]
        equal((got.kind, got.source, got.dest, got.payload), (p.DATAGRAM, PORT, OURS, payload))
    if version == 4:
        host.send_fragments(4, p.Packet(p.DATAGRAM, OURS, PORT, payload=pattern(9000)).pack())
        equal(received()[0], pattern(9000))
    mark = host.mark()
    host.send(version, p.Packet(p.DATAGRAM, OURS, PORT + 1, payload=b"nobody"))
    host.run(lambda: len(host.seen) > mark)
    equal(tuple(host.seen[mark].data[:2]), (3, 3) if version == 4 else (1, 4))
    # and ours, at the module's next call
    sock.connect((h.OURS[version], OURS))
    mark = host.mark()
    sock.send(b"anyone?")
    host.run(lambda: host.packets(mark))
    icmp_unreachable(host, version, host.packets(mark)[0])
    equal(failure(host, lambda: sock.send(b"anyone?")), errno.ECONNREFUSED)
    sock.close()


def icmp_unreachable(host, version, packet):
    """Port unreachable, quoting a packet of the module's"""
    quoted = packet.pack()
    ours, kernel = (h.raw_address(version, names[version]) for names in (h.OURS, h.KERNEL))
    if version == 4:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(quoted), 0, 0x4000, 64, h.PROTOCOL, 0) + kernel + ours
        message = struct.pack("!BBHI", 3, 3, 0, 0) + ip + quoted
        total = p.checksum(message)
        protocol = h.ICMP
    else:
        ip = struct.pack("!IHBB", 6 << 28, len(quoted), h.PROTOCOL, 64) + kernel + ours
        message = struct.pack("!BBHI", 1, 4, 0, 0) + ip + quoted
        total = p.checksum(ours + kernel + struct.pack("!II", len(message), h.ICMP6) + message)
        protocol = h.ICMP6
    message = message[:2] + struct.pack("!H", total) + message[4:]
    os.write(host.tun, h.ip_packet(version, protocol, message))


def failure(host, call):
    """The error that the module's call ends with"""
    got = []

    def failed():
        """an error of the module's"""
        try:
            call()
        except BlockingIOError:
            pass
        except OSError as error:
            got.append(error.errno)
        return got
    host.run(failed)
    return got[0]


# Closing

def we_close_first(host, version):
    connection, module = open_to(host, version)
    connection.send(b"last words")
    connection.close()
    host.run(lambda: module.turn() or module.ended)
    equal(module.read, b"last words")
    host.run(lambda: connection.state == c.FIN_WAIT_2)
    # a half-closed connection goes on
    module.sock.send(b"I have more")
    host.run(lambda: connection.received == b"I have more")
    module.sock.close()
    host.run(lambda: connection.state == c.TIME_WAIT)
    connection.ended(None)


def the_module_closes_first(host, version):
    connection, module = open_to(host, version)
    module.sock.send(b"last words")
    module.sock.shutdown(socket.SHUT_WR)
    host.run(lambda: connection.state == c.CLOSE_WAIT)
    equal(connection.received, b"last words")
    connection.send(b"I have more")
    connection.close()
    host.run(lambda: module.turn() or module.ended)
    equal(module.read, b"I have more")
    over(host, connection)
    module.sock.close()
    equal(connection.state, c.CLOSED)
    time_wait(host, version, connection)


def time_wait(host, version, connection):
    """Section 5.2 and 5.3, at the module's remnant"""
    fin = connection.packet(h.add(connection.nxt, -1), p.FIN | p.ACK)
    mark = host.mark()
    host.silent = True
    host.send(version, fin)
    host.run(lambda: host.packets(mark))
    answer = host.packets(mark)[0]
    equal((answer.flags & 0xff, answer.seq, answer.ack), (p.ACK, connection.rcv_nxt, connection.nxt))
    mark = host.mark()
    host.send(version, connection.packet(connection.nxt, p.RST | p.ACK))
    host.send(version, connection.packet(connection.nxt, p.ACK))
    host.rest(0.3)
    equal(host.packets(mark), [])
    host.silent = False
    # a SYN of the same ports, later by its timestamp, opens anew
    again, module = open_to(host, version)
    finish(host, again, module)


def both_close_at_once(host, version):
    """Each FIN is sent before the other's arrives"""
    connection, module = open_to(host, version)
    connection.send(b"x")
    quiet(host, connection)
    module.turn()
    host.loss_out = 1.0
    connection.close()
    host.loss_out = 0.0
    host.silent = True
    mark = host.mark()
    module.sock.shutdown(socket.SHUT_WR)
    host.run(lambda: any(packet.flags & p.FIN for packet in host.packets(mark)))
    host.silent = False
    fin = next(packet for packet in host.packets(mark) if packet.flags & p.FIN)
    assert h.sub(fin.ack, connection.tail) < 0, "it knew of ours"
    host.send(version, connection.packet(h.add(connection.tail, -1), p.FIN | p.ACK))
    connection.receive(fin, h.NOT_ECT)
    host.run(lambda: connection.state == c.TIME_WAIT)
    host.run(lambda: module.turn() or module.ended)
    module.sock.close()
    connection.ended(None)


def we_abort(host, version):
    connection, module = open_to(host, version)
    connection.send(b"confirm")
    quiet(host, connection)
    connection.abort()
    equal(failure(host, lambda: module.sock.send(b"x")), errno.ECONNRESET)
    module.sock.close()


def the_module_aborts(host, version):
    connection, module = open_to(host, version)
    connection.send(b"confirm")
    quiet(host, connection)
    mark = host.mark()
    module.turn()
    module.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    module.sock.close()
    host.run(lambda: connection.state == c.CLOSED)
    equal(connection.error, "reset")
    rst = host.packets(mark)[-1]
    equal((rst.flags, rst.seq, rst.ack, rst.payload), (p.RST | p.ACK, connection.rcv_nxt, connection.nxt, b""))
    assert not rst.init and not rst.sack


# RST

def resets_sent(host, version):
    """A SYN that nobody takes, what matches nothing, and what is never answered"""
    connection = c.Connection(host, version, p.STREAM, OURS, PORT)
    connection.connect()
    mark = host.mark()
    host.run(lambda: connection.state == c.CLOSED)
    rst = host.packets(mark)[0]
    equal(connection.error, "refused")
    equal((rst.flags, rst.seq, rst.tag, rst.ack), (p.RST | p.ACK, 0, connection.own.tag, h.add(connection.own.isn, 1)))
    equal((rst.window, rst.tsval, rst.tsecr, rst.ce), (0, 0, 0, 0))

    def answer(**fields):
        mark = host.mark()
        host.send(version, p.Packet(p.STREAM, OURS, PORT, 1000, **fields))
        host.rest(0.1)
        return [(packet.flags, packet.seq, packet.ack, packet.tag) for packet in host.packets(mark)]
    reflected = [(p.RST | p.REFLECTED, 2000, 0, 55)]
    equal(answer(flags=p.ACK, ack=2000, tag=55), reflected)
    equal(answer(flags=p.ACK | p.SYN, ack=2000, tag=55, init=p.Init(1400, 7, 1000)), reflected)
    equal(answer(flags=p.ACK | p.FIN, ack=2000, tag=55, payload=b"x"), reflected)
    equal(answer(flags=p.ACK, ack=2000, tag=0), [])
    equal(answer(flags=p.RST | p.ACK, ack=2000, tag=55), [])
    equal(answer(flags=p.RST | p.REFLECTED, tag=55), [])
    equal(answer(flags=p.SYN), [])
    equal(answer(flags=p.SYN, tag=55, init=p.Init(1400, 7, 1000)), [])


def resets_received(host, version):
    """Which are believed: the tag first, then the sequence number"""
    connection, module = open_to(host, version)
    connection.send(b"confirm")
    quiet(host, connection)
    module.turn()

    def sent(seq, flags=p.RST | p.ACK, tag=None):
        """what comes back, and what the socket says"""
        packet = connection.packet(h.add(connection.nxt, seq), flags)
        packet.tag = packet.tag if tag is None else tag
        mark = host.mark()
        host.send(version, packet)
        host.rest(0.1)
        return [(got.flags & 0xff, got.seq, got.ack) for got in host.packets(mark)]
    challenge = [(p.ACK, connection.rcv_nxt, connection.nxt)]
    equal(sent(100), challenge)
    equal(sent(-100), [])
    equal(sent(1 << 28), [])
    equal(sent(0, tag=5), [])
    equal(sent(0, p.RST | p.REFLECTED), [])
    equal(sent(0, p.SYN, tag=0), challenge)
    module.sock.send(b"it lives")
    host.run(lambda: connection.received == b"it lives")
    # reflected: the module's packets carry our tag
    equal(sent(0, p.RST | p.REFLECTED, tag=connection.own.tag), [])
    equal(failure(host, lambda: module.sock.send(b"x")), errno.ECONNRESET)
    connection.ended(None)
    module.sock.close()


def challenges_are_limited(host, version):
    """Ten a second, for each connection by itself"""
    connection, module = open_to(host, version)
    connection.send(b"confirm")
    quiet(host, connection)
    host.rest(1)
    mark = host.mark()
    for _ in range(30):
        host.send(version, connection.packet(h.add(connection.nxt, 100), p.RST | p.ACK))
    host.rest(0.3)
    answers = len(host.packets(mark))
    assert 0 < answers <= c.CHALLENGES, "%d challenge ACKs" % answers
    module.sock.close()
    connection.close()
    over(host, connection)
    connection.ended(None)
