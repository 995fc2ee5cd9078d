# SPDX-License-Identifier: GPL-2.0
"""A connection as Documentation/protocol.rst, sections 3 to 5, has it: states, sequence numbers, windows, retransmission, SACK.

Congestion control is a local choice: here a window that grows by what is acknowledged and is halved for a loss.
"""
import random

import packet as p
from host import CE, ECT0, IP_HEADER, MTU, NOT_ECT, add, reflected, sub

(ESTABLISHED, SYN_SENT, SYN_RECEIVED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSED, CLOSE_WAIT, LAST_ACK, LISTEN,
 CLOSING) = range(1, 12)
OPEN_TO_SEND = (ESTABLISHED, CLOSE_WAIT)
MORE_COMES = (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)
CHALLENGES = 10         # a second
RTO_LEAST, RTO_MOST, RTO_FIRST = 0.2, 120.0, 1.0
TRIES = 15
TIME_WAIT_SECONDS = 60
REORDERED = 3           # segments SACKed above one before it is taken for lost (RFC 6675)
WINDOW_MAX = 1 << 30
IP_MSS = {version: MTU - header - 36 for version, header in IP_HEADER.items()}


class Segment:
    """Sent or to be sent; unsent while at is None"""

    def __init__(self, seq, payload, flags):
        self.seq, self.payload, self.flags = seq, payload, flags
        self.at, self.sacked, self.lost, self.again = None, False, False, 0

    def length(self):
        return len(self.payload) + bool(self.flags & p.FIN)

    def end(self):
        return add(self.seq, self.length())


class Limit:
    """Challenge ACKs: so many a second"""

    def __init__(self, host):
        self.host, self.times = host, []

    def allows(self):
        now = self.host.now()
        self.times = [at for at in self.times if now - at < 1]
        if len(self.times) >= CHALLENGES:
            return False
        self.times.append(now)
        return True


class Connection:
    """Its program calls send, send_message, close, abort and reads self.received or self.messages"""

    def __init__(self, host, version, kind, port, remote_port, buffer=65536, mss=None, ecn=False):
        self.host, self.version, self.kind, self.port, self.remote_port = host, version, kind, port, remote_port
        number = lambda: host.random.getrandbits(32)
        self.own = p.Init(mss or IP_MSS[version], number() or 1, number(), p.INIT_ECN if ecn else 0)
        # the same for every connection of these ports: TIME-WAIT tells by it what is new (5.3)
        self.clock_offset = random.Random("%d %d %d %d %d" % (host.secret, version, kind, port, remote_port)).getrandbits(32)
        self.limit = Limit(host)
        self.state, self.error = CLOSED, None
        # sending; the peer's INIT is none yet
        self.peer, self.ecn = None, False
        self.una = self.nxt = self.tail = add(self.own.isn, 1)
        self.snd_wnd = self.max_wnd = self.wl1 = self.wl2 = 0
        self.segments, self.cwnd, self.recover = [], 10 * IP_MSS[version], None
        self.srtt = self.rttvar = None
        self.backoff, self.timer, self.delack = 0, None, None
        self.ce_last = 0
        # receiving
        self.rcv_nxt = self.edge = self.ts_recent = self.last_ack = 0
        self.buffer, self.reading = buffer, True
        self.unread, self.received, self.messages, self.part = 0, b"", [], b""
        self.held, self.latest, self.dsack, self.fin_at = {}, [], None, None
        self.ce_count, self.unconfirmed, self.stateless = 0, False, False
        self.challenges = self.retransmitted = self.probes = 0
        host.flows[(kind, version, port, remote_port)] = self

    # sending packets

    def window(self):
        """RCV.WND, whose right edge never goes back, and moves in steps of a segment or half a buffer"""
        room = max(self.buffer - self.unread, 0)
        new = add(self.rcv_nxt, room)
        if sub(new, self.edge) >= min(self.own.payload(), self.buffer // 2):
            self.edge = new
        return max(sub(self.edge, self.rcv_nxt), 0)

    def tsval(self):
        return (int(self.host.now() * 1e6) + self.clock_offset) & 0xffffffff

    def packet(self, seq, flags, **fields):
        packet = p.Packet(self.kind, self.port, self.remote_port, seq, flags, tsval=self.tsval(), **fields)
        packet.window = min(self.window(), WINDOW_MAX)
        packet.tag = self.peer.tag if self.peer else 0
        if flags & p.ACK:
            packet.ack, packet.tsecr, packet.ce = self.rcv_nxt, self.ts_recent, self.ce_count & 0xffff
            self.last_ack = self.rcv_nxt
            self.host.cancel(self.delack)
        if flags & p.SYN or (self.unconfirmed and not flags & p.RST):
            packet.init = self.own
        return packet

    def send_packet(self, packet, ecn=NOT_ECT):
        self.host.send(self.version, packet, ecn)

    def ack(self):
        """With SACK while something is held out of order, D-SACK first"""
        packet = self.packet(self.nxt, p.ACK)
        packet.sack = self.blocks(31)
        self.send_packet(packet)

    def challenge(self):
        self.challenges += 1
        if self.limit.allows():
            self.send_packet(self.packet(self.nxt, p.ACK))

    def answer(self, packet):
        """Section 2: "answered with an ACK" """
        if packet.payload or packet.flags & p.FIN or self.limit.allows():
            self.note_duplicate(packet)
            self.ack()

    def send_syn(self):
        flags = p.SYN | (p.ACK if self.state == SYN_RECEIVED else 0)
        packet = self.packet(self.own.isn, flags)
        self.send_packet(packet)
        self.backoff += 1
        self.host.cancel(self.timer)
        self.timer = self.host.after(2 ** (self.backoff - 1), self.send_syn)

    # opening

    def connect(self):
        self.state = SYN_SENT
        self.send_syn()

    def take_peer(self, packet):
        """What a SYN or SYN-ACK tells"""
        self.peer = packet.init
        self.rcv_nxt = self.edge = self.last_ack = add(packet.seq, 1)
        self.ts_recent = packet.tsval
        self.set_window(packet)

    def set_window(self, packet):
        self.snd_wnd, self.wl1, self.wl2 = packet.window, packet.seq, packet.ack
        self.max_wnd = max(self.max_wnd, packet.window)

    def passive(self, packet):
        """A listener's answer to a SYN"""
        self.take_peer(packet)
        self.agree_ecn(packet)
        self.state = SYN_RECEIVED
        self.send_syn()

    def agree_ecn(self, packet):
        self.ecn = bool(self.own.flags & packet.init.flags & p.INIT_ECN)
        self.own.flags = p.INIT_ECN if self.ecn else 0

    def established(self):
        self.host.cancel(self.timer)
        self.timer, self.backoff, self.state = None, 0, ESTABLISHED

    def in_syn_sent(self, packet):
        ok = packet.tag == self.own.tag and packet.ack == add(self.own.isn, 1)
        if packet.flags & p.RST:
            if packet.flags & p.ACK and not packet.flags & p.REFLECTED and ok:
                self.ended("refused")
        elif packet.flags & p.ACK:
            if not ok:
                if self.limit.allows():
                    self.send_packet(reflected(packet))
            elif packet.flags & p.SYN and packet.init:
                self.opened(packet)
        elif not packet.tag and packet.init:
            # both have sent a SYN: the agreement on ECN is each side's flag of its SYN
            self.take_peer(packet)
            self.state, self.unconfirmed, self.backoff = SYN_RECEIVED, True, 0
            self.ecn = bool(self.own.flags & packet.init.flags & p.INIT_ECN)
            self.send_syn()

    def opened(self, packet):
        """SYN-ACK: the third step, again and again where the server keeps nothing"""
        self.take_peer(packet)
        self.ecn = bool(packet.init.flags & p.INIT_ECN)
        self.stateless = bool(packet.flags & p.STATELESS)
        self.unconfirmed = True
        self.established()
        self.sample(packet)
        self.push()
        if not self.segments:
            self.ack()
        self.arm()

    def in_syn_received(self, packet):
        """Section 3.2's table; True: the packet opened the connection and goes on"""
        if packet.flags & p.SYN:
            same = packet.init and packet.init.tag == self.peer.tag and packet.init.isn == self.peer.isn
            if not packet.flags & p.ACK and same:
                if self.limit.allows():
                    self.send_packet(self.packet(self.own.isn, p.SYN | p.ACK))
                return False
            mine = packet.tag == self.own.tag and packet.ack == add(self.own.isn, 1)
            if packet.flags & p.ACK and self.unconfirmed and same and mine:
                self.established()
                self.set_window(packet)
                self.ack()
                self.push()
                return False
            self.challenge()
            return False
        if packet.tag != self.own.tag:
            return False
        if not self.acceptable(packet) or self.too_old(packet):
            self.answer(packet)
            return False
        if packet.ack != add(self.own.isn, 1):
            self.send_packet(reflected(packet))
            return False
        self.established()
        self.set_window(packet)
        return True

    # what comes in: section 4.1

    def receive(self, packet, ecn):
        if self.state == CLOSED:
            self.host.no_match(self.version, packet)
        elif self.state == SYN_SENT:
            self.in_syn_sent(packet)
        elif packet.flags & p.RST:
            self.on_reset(packet)
        elif self.state != SYN_RECEIVED or self.in_syn_received(packet):
            self.synchronised(packet, ecn)

    def on_reset(self, packet):
        tag = self.peer.tag if packet.flags & p.REFLECTED else self.own.tag
        if packet.tag != tag or self.state == TIME_WAIT:
            return
        if packet.seq == self.rcv_nxt:
            self.ended("reset")
        elif 0 < sub(packet.seq, self.rcv_nxt) < self.room():
            self.challenge()

    def synchronised(self, packet, ecn):
        if packet.flags & p.SYN and not packet.flags & p.ACK:
            self.challenge()
            return
        if packet.tag != self.own.tag:
            return
        if packet.flags & p.SYN:
            self.challenge()
            return
        old, carries = self.too_old(packet), packet.length() > 0
        if old and carries:
            self.answer(packet)
        elif not self.acceptable(packet):
            if not old:
                self.renew_time_wait(packet)
                self.answer(packet)
        elif sub(packet.ack, self.nxt) > 0 or sub(packet.ack, self.una) < -self.max_wnd:
            self.challenge()
        elif self.state != TIME_WAIT:
            self.process(packet, ecn, old)

    def renew_time_wait(self, packet):
        if self.state == TIME_WAIT and packet.flags & p.FIN and add(packet.seq, packet.length()) == self.rcv_nxt:
            self.wait_out()

    def room(self):
        """what is left at RCV.NXT of the window last announced"""
        return max(sub(self.edge, self.rcv_nxt), 0)

    def acceptable(self, packet):
        room, ahead, length = self.room(), sub(packet.seq, self.rcv_nxt), packet.length()
        if not length:
            return 0 <= ahead <= room
        return room > 0 and ahead < room and ahead + length > 0

    def too_old(self, packet):
        return sub(packet.tsval, self.ts_recent) < 0

    def process(self, packet, ecn, old):
        self.unconfirmed = self.stateless = False
        if not old:
            if sub(packet.seq, self.last_ack) <= 0:
                self.ts_recent = packet.tsval
            if self.ecn and ecn == CE:
                self.ce_count += 1
        if sub(packet.ack, self.una) >= 0:
            self.take_sack(packet)
            if not old:
                self.take_window(packet)
                self.take_ce(packet)
            self.take_ack(packet)
        if self.state != CLOSED and packet.length():
            self.take_payload(packet)
        if self.state != CLOSED:
            self.push()

    def take_window(self, packet):
        newer = sub(packet.seq, self.wl1)
        if sub(packet.ack, self.una) > 0 or newer > 0 or (not newer and sub(packet.ack, self.wl2) >= 0):
            self.set_window(packet)

    def take_ce(self, packet):
        marks = (packet.ce - self.ce_last) & 0xffff
        if self.ecn and 0 < marks < 32768:
            self.ce_last = packet.ce
            self.reduce()

    def take_sack(self, packet):
        for at, (start, end) in enumerate(packet.sack):
            duplicate = at == 0 and (sub(end, packet.ack) <= 0 or self.inside_second(packet.sack))
            if duplicate or sub(end, start) <= 0 or sub(end, self.nxt) > 0 or sub(start, self.una) < 0:
                continue
            for segment in self.segments:
                if segment.at and sub(segment.seq, start) >= 0 and sub(segment.end(), end) <= 0:
                    segment.sacked = True
        above = 0
        for segment in reversed(self.segments):
            above += segment.sacked
            if above >= REORDERED and segment.at and not segment.sacked and not segment.again:
                segment.lost = True
                self.reduce()

    @staticmethod
    def inside_second(blocks):
        return len(blocks) > 1 and sub(blocks[0][0], blocks[1][0]) >= 0 and sub(blocks[0][1], blocks[1][1]) <= 0

    def take_ack(self, packet):
        gone = sub(packet.ack, self.una)
        if gone <= 0:
            return
        self.una, self.backoff = packet.ack, 0
        self.cwnd += gone if self.recover is None else 0
        self.segments = [segment for segment in self.segments if sub(segment.end(), self.una) > 0]
        for segment in self.segments[:1]:
            cut = sub(self.una, segment.seq)
            if cut > 0:
                segment.seq, segment.payload = self.una, segment.payload[cut:]
        if self.recover is not None and sub(self.una, self.recover) >= 0:
            self.recover = None
        self.sample(packet)
        self.host.cancel(self.timer)
        self.timer = None
        self.arm()
        if self.fin_acknowledged():
            self.fin_done()

    def fin_acknowledged(self):
        return self.state in (FIN_WAIT_1, CLOSING, LAST_ACK) and self.una == self.tail and not self.segments

    def fin_done(self):
        if self.state == FIN_WAIT_1:
            self.state = FIN_WAIT_2
        elif self.state == CLOSING:
            self.wait_out()
        else:
            self.ended(None)

    # receiving payload

    def note_duplicate(self, packet):
        end = add(packet.seq, len(packet.payload))
        if packet.payload and sub(end, self.rcv_nxt) <= 0:
            self.dsack = (packet.seq, end)

    def take_payload(self, packet):
        if self.state not in MORE_COMES:
            self.answer(packet)
            return
        seq, payload, flags = packet.seq, packet.payload, packet.flags
        before = sub(self.rcv_nxt, seq)
        if before > 0:
            self.dsack = (seq, self.rcv_nxt)
            seq, payload = self.rcv_nxt, payload[before:]
        beyond = sub(add(seq, len(payload)), self.edge)
        if beyond > 0:
            payload, flags = payload[:len(payload) - beyond], flags & ~(p.FIN | p.EOM)
        if flags & p.FIN:
            self.fin_at = add(seq, len(payload))
        if sub(seq, self.rcv_nxt) > 0:
            if seq in self.held and len(self.held[seq][0]) >= len(payload):
                self.dsack = (seq, add(seq, len(payload)))
            elif payload:
                self.held[seq] = (payload, flags & p.EOM)
            self.latest = [seq] + [other for other in self.latest if other != seq]
        elif payload:
            self.deliver(payload, flags & p.EOM)
            self.deliver_held()
        if self.fin_at == self.rcv_nxt and self.state in MORE_COMES:
            self.take_fin()
        self.ack()

    def deliver_held(self):
        while ready := [seq for seq in self.held if sub(seq, self.rcv_nxt) <= 0]:
            for seq in ready:
                payload, eom = self.held.pop(seq)
                skip = sub(self.rcv_nxt, seq)
                if skip < len(payload):
                    self.deliver(payload[skip:], eom)

    def deliver(self, payload, eom):
        self.rcv_nxt = add(self.rcv_nxt, len(payload))
        self.received += payload
        if not self.reading:
            self.unread += len(payload)
        if self.kind == p.MESSAGE:
            self.part += payload
            if eom:
                self.messages.append(self.part)
                self.part = b""

    def take_fin(self):
        self.rcv_nxt = add(self.rcv_nxt, 1)
        self.edge = self.rcv_nxt if sub(self.rcv_nxt, self.edge) > 0 else self.edge
        self.part = b""
        if self.state == ESTABLISHED:
            self.state = CLOSE_WAIT
        elif self.state == FIN_WAIT_2:
            self.wait_out()
        else:
            self.state = CLOSING

    def wait_out(self):
        self.state = TIME_WAIT
        self.host.cancel(self.timer)
        self.timer = self.host.after(TIME_WAIT_SECONDS, lambda: self.ended(None))

    def blocks(self, most):
        """D-SACK, then the block that holds the segment that came last, then those reported before"""
        whole = []
        for seq in sorted(self.held, key=lambda number: sub(number, self.rcv_nxt)):
            end = add(seq, len(self.held[seq][0]))
            if whole and sub(seq, whole[-1][1]) <= 0:
                whole[-1][1] = end if sub(end, whole[-1][1]) > 0 else whole[-1][1]
            else:
                whole.append([seq, end])

        def recent(block):
            return min((at for at, seq in enumerate(self.latest) if sub(seq, block[0]) >= 0 and sub(seq, block[1]) < 0),
                       default=len(self.latest))
        found = [tuple(block) for block in sorted(whole, key=recent)]
        if self.dsack:
            found.insert(0, self.dsack)
            self.dsack = None
        return found[:most]

    def read(self, reading=True):
        """The program reads again, or stops; a window that opens by a step is told"""
        self.reading, before = reading, self.room()
        if reading:
            self.unread = 0
            if self.window() - before >= min(self.own.payload(), self.buffer // 2):
                self.ack()

    # sending payload

    def segment_size(self):
        """Options reduce payload: INIT's 16 bytes while it is repeated, four blocks of SACK beside payload"""
        options = 16 if self.unconfirmed else 0
        options += 4 + 8 * min(len(self.held) + 1, 4) if self.held or self.dsack else 0
        return min(self.peer.payload(), IP_MSS[self.version]) - options

    def send(self, data):
        self.queue(data, 0)

    def send_message(self, data):
        self.queue(data, p.EOM)

    def queue(self, data, last):
        """Cut when it is sent, but a message's end begins a segment anew"""
        if data:
            self.segments.append(Segment(self.tail, data, last | p.PSH))
            self.tail = add(self.tail, len(data))
        self.push()

    def close(self):
        if self.state in (ESTABLISHED, SYN_RECEIVED, CLOSE_WAIT):
            self.state = LAST_ACK if self.state == CLOSE_WAIT else FIN_WAIT_1
            self.segments.append(Segment(self.tail, b"", p.FIN))
            self.tail = add(self.tail, 1)
            self.push()
        else:
            self.ended(None)

    def abort(self):
        self.send_packet(self.packet(self.nxt, p.RST | p.ACK))
        self.ended("aborted")

    def in_flight(self):
        return sum(segment.length() for segment in self.segments if segment.at and not segment.sacked and not segment.lost)

    def push(self):
        """What is lost first, then what is new, as far as both windows let it"""
        if self.state in (CLOSED, SYN_SENT, SYN_RECEIVED, LISTEN) or not self.peer:
            return
        at = 0
        while at < len(self.segments):
            segment = self.segments[at]
            at += 1
            if segment.at and not segment.lost:
                continue
            if self.unconfirmed and segment.at is None and at > 1:
                break
            if self.in_flight() and self.in_flight() + min(segment.length(), self.segment_size()) > self.cwnd:
                break
            if not self.fit(segment, at):
                break
            self.send_segment(segment)
        self.arm()

    def fit(self, segment, at):
        """Cut the segment to what the window and the path take; False: nothing of it may go"""
        room = sub(add(self.una, self.snd_wnd), segment.seq)
        size = self.segment_size()
        if segment.length() > min(room, size):
            size = min(size, room)
            # the silly window of RFC 9293 3.8.6.2.1
            if size <= 0 or (size < self.segment_size() and size < self.max_wnd // 2 and segment.at is None):
                return False
            if segment.payload[size:]:
                rest = Segment(add(segment.seq, size), segment.payload[size:], segment.flags)
                rest.at, rest.lost, rest.again = segment.at, segment.lost, segment.again
                self.segments.insert(at, rest)
                segment.payload, segment.flags = segment.payload[:size], 0
        return True

    def send_segment(self, segment):
        first = segment.at is None
        if not first:
            segment.again += 1
            self.retransmitted += 1
        segment.at, segment.lost = self.host.now(), False
        if sub(segment.end(), self.nxt) > 0:
            self.nxt = segment.end()
        packet = self.packet(segment.seq, segment.flags | p.ACK, payload=segment.payload)
        if segment.payload and not self.unconfirmed and self.held:
            packet.sack = self.blocks(4)
        self.send_packet(packet, ECT0 if self.ecn and first and segment.payload else NOT_ECT)

    def probe(self):
        self.probes += 1
        self.send_packet(self.packet(add(self.una, -1), p.ACK))

    # timers: section 4.5

    def sample(self, packet):
        """4.4: a round trip, from an acknowledgment of something new"""
        took = ((self.tsval() - packet.tsecr) & 0xffffffff) / 1e6
        if self.srtt is None:
            self.srtt, self.rttvar = took, took / 2
        else:
            self.rttvar = 0.75 * self.rttvar + 0.25 * abs(self.srtt - took)
            self.srtt = 0.875 * self.srtt + 0.125 * took

    def rto(self):
        base = RTO_FIRST if self.srtt is None else self.srtt + max(4 * self.rttvar, RTO_LEAST)
        return min(base * 2 ** self.backoff, RTO_MOST)

    def arm(self):
        """One timer: retransmission, the persist timer, or the third step's"""
        if not self.timer and self.state not in (CLOSED, TIME_WAIT) and (self.segments or self.stateless):
            self.timer = self.host.after(self.rto(), self.expired)

    def expired(self):
        self.timer = None
        self.backoff += 1
        if self.backoff > TRIES:
            self.ended("timeout")
            return
        sent = [segment for segment in self.segments if segment.at]
        if self.stateless and not sent:
            self.ack()
        elif not sent:
            self.probe()
        else:
            # what was SACKed may have been dropped since
            for segment in sent:
                segment.sacked, segment.lost, segment.again = False, True, 0
            self.reduce()
            self.cwnd = IP_MSS[self.version]
            self.push()
        self.arm()

    def reduce(self):
        """once per round trip"""
        if self.recover is None:
            self.cwnd, self.recover = max(self.cwnd // 2, 2 * IP_MSS[self.version]), self.nxt

    def ended(self, why):
        self.state, self.error = CLOSED, why
        self.host.cancel(self.timer)
        self.timer = None
        self.host.flows.pop((self.kind, self.version, self.port, self.remote_port), None)


class Listener:
    """Takes every SYN for its port; what was accepted is in self.connections"""

    def __init__(self, host, kind, port, **options):
        self.host, self.kind, self.port, self.options = host, kind, port, options
        self.connections = []
        host.listeners[(kind, port)] = self

    def receive(self, datagram):
        """False: it matches nothing"""
        packet = datagram.packet
        if packet.flags & (p.ACK | p.RST) or not packet.flags & p.SYN:
            return False
        if not packet.tag and packet.init:
            connection = Connection(self.host, datagram.version, self.kind, self.port, packet.source, **self.options)
            connection.passive(packet)
            self.connections.append(connection)
        return True
