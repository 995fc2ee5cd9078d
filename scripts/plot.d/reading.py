# SPDX-License-Identifier: GPL-2.0
"""Traces as scripts/plot needs them: each connection's sending side as lists of points.

A time is in seconds since the connection's first event, an amount in bytes, a sequence number relative to the SYN.
"""
import re

from events import parse, short

NO_THRESHOLD = 0x7fffffff       # a slow start threshold that is not set yet
TCP_MSS = 1448                  # tcp:tcp_probe counts windows in segments and does not say of what size


class Flow:
    """The sender of one connection."""

    def __init__(self, name, at):
        self.name, self.begin, self.end = name, at, 0.0
        self.transport, self.controller = "haul", ""
        self.sent = []          # (t, seq, end)
        self.again = []         # the same, of what was sent again
        self.lost = []          # the same, of what was taken for lost
        self.sacked = []        # (t, start, end, dsack)
        self.acked = []         # (t, SND.UNA)
        self.edge = []          # (t, what the peer's window ends at)
        self.cwnd = []          # (t, bytes)
        self.ssthresh = []
        self.in_flight = []
        self.peer_window = []
        self.rtt = []           # (t, us), samples
        self.srtt = []          # (t, us), smoothed
        self.probes = []        # (t, SND.UNA), of a window that is shut

    def bytes(self):
        return self.acked[-1][1] if self.acked else sum(end - seq for _, seq, end in self.sent)

    def file_name(self):
        return re.sub(r"[^\w.]+", "_", self.name).strip("_")

    def goodput(self, width):
        """(t, bits a second) for each so many seconds"""
        # a trace that begins in the middle: what was acknowledged before is not of its first moment
        before = min([self.acked[0][1]] + [seq for _, seq, _ in self.sent[:1]]) if self.acked else 0
        points, at, index = [(0.0, 0.0)], 0.0, 0
        while at < self.end:
            at += width
            una = before
            while index < len(self.acked) and self.acked[index][0] < at:
                una = max(una, self.acked[index][1])
                index += 1
            points.append((at, (una - before) * 8 / width))
            before = una
        return points


def change(points, t, value):
    """A value that holds until it changes"""
    if not points or points[-1][1] != value:
        points.append((t, value))


class Haul:
    """What haul:* tells of one socket"""

    def __init__(self, event):
        self.flow = Flow("%s > %s" % event.connection(), event.at)

    def take(self, event):
        handler = getattr(self, "take_" + event.name, None)
        if handler:
            self.flow.end = t = event.at - self.flow.begin
            handler(t, event)

    def windows(self, t, event):
        change(self.flow.cwnd, t, event.num("cwnd_bytes"))
        change(self.flow.ssthresh, t, event.num("ssthresh_bytes"))
        change(self.flow.in_flight, t, event.num("in_flight_bytes"))

    @staticmethod
    def span(t, event):
        return t, event.num("seq"), event.num("seq") + event.num("len_bytes")

    def take_send(self, t, event):
        if event.num("len_bytes"):
            self.flow.sent.append(self.span(t, event))
            self.windows(t, event)

    def take_retransmit(self, t, event):
        self.flow.again.append(self.span(t, event))

    def take_lost(self, t, event):
        self.flow.lost.append(self.span(t, event))

    def take_sack(self, t, event):
        self.flow.sacked.append((t, event.num("start"), event.num("end"), event.num("dsack")))

    def take_receive(self, t, event):
        if "ACK" not in event["flags"] or event["state"] in ("LISTEN", "SYN_SENT"):
            return
        una = max(event.num("ack"), self.flow.acked[-1][1] if self.flow.acked else 0)
        change(self.flow.acked, t, una)
        change(self.flow.edge, t, una + event.num("wnd_bytes"))
        change(self.flow.peer_window, t, event.num("wnd_bytes"))

    def take_timer(self, t, event):
        if event["timer"] == "PERSIST" and self.flow.acked:
            self.flow.probes.append((t, self.flow.acked[-1][1]))

    def take_cwnd(self, t, event):
        self.windows(t, event)
        self.flow.controller = event["controller"]

    def take_rtt(self, t, event):
        self.flow.rtt.append((t, event.num("rtt_us")))
        self.flow.srtt.append((t, event.num("srtt_us")))


class Tcp:
    """What tcp:tcp_probe tells of one: a line for each packet received"""

    def __init__(self, event):
        self.flow = Flow("%s > %s" % (short(event["src"]), short(event["dest"])), event.at)
        self.flow.transport = "tcp"
        self.first = None

    def take(self, event):
        if event.name != "tcp_probe":
            return
        flow = self.flow
        flow.end = t = event.at - flow.begin
        una = int(event["snd_una"], 16)
        self.first = una if self.first is None else self.first
        change(flow.acked, t, (una - self.first) % (1 << 32))
        change(flow.cwnd, t, event.num("snd_cwnd") * TCP_MSS)
        ssthresh = event.num("ssthresh")
        change(flow.ssthresh, t, NO_THRESHOLD if ssthresh >= NO_THRESHOLD else ssthresh * TCP_MSS)
        change(flow.peer_window, t, event.num("snd_wnd"))
        flow.srtt.append((t, event.num("srtt")))


def owner(event):
    """Whose event it is, and the class that reads it; None: of no connection's sender"""
    if event.name == "tcp_probe":
        return (event["src"], event["dest"]), Tcp
    if event.fields.get("sock", "0") == "0" or "LISTEN" in (event.fields.get("state"), event.fields.get("to")):
        return None, None
    return (event["netns"], event["local"], event["remote"]), Haul


def connections(path):
    """The flows of a file, in the order in which they begin"""
    readers = {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            event = parse(line)
            if not event:
                continue
            try:
                key, reader = owner(event)
                if key:
                    readers.setdefault(key, None)
                    readers[key] = readers[key] or reader(event)
                    readers[key].take(event)
            except (KeyError, ValueError):
                continue        # a line that another program wrote, or that was cut
    return [reader.flow for reader in readers.values() if reader.flow.sent or reader.flow.cwnd]


def largest(flows):
    return max(flows, key=Flow.bytes, default=None)
