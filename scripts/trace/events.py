# SPDX-License-Identifier: GPL-2.0
"""Haul's tracepoints for the scripts beside this file and for scripts/plot: recording them through tracefs, reading
what tracefs, trace-cmd report and perf script print. Needs nothing but Python and a kernel with the module."""
import os
import re
import select
import signal
import time

TRACEFS = "/sys/kernel/tracing"
LINE = re.compile(r"\s(\d+\.\d+):\s+(?:\w+:)?(\w+):\s+(.*)$")
FIELD = re.compile(r"(\w+)=(\S*)")


class Event:
    """One line: time in seconds, name without "haul_", fields as text; numbers by num()."""

    def __init__(self, at, name, fields):
        self.at, self.name, self.fields = at, name, fields

    def num(self, key, default=0):
        return int(self.fields.get(key, default))

    def __getitem__(self, key):
        return self.fields[key]

    def connection(self):
        return short(self["local"]), short(self["remote"])


def short(address):
    """[::ffff:192.0.2.1]:80 as people write it"""
    return re.sub(r"^\[::ffff:(\d+\.\d+\.\d+\.\d+)\]", r"\1", address)


def parse(line):
    """A line of a trace as an Event; None: it is none"""
    found = LINE.search(line)
    if not found:
        return None
    return Event(float(found.group(1)), found.group(2).removeprefix("haul_"), dict(FIELD.findall(found.group(3))))


class Recording:
    """An instance of tracefs, so that nobody else's tracing is disturbed. Its clock is CLOCK_MONOTONIC.

    An interrupt ends lines(), after what was told until then.
    """

    def __init__(self, events, buffer_kb=8192):
        self.path = "%s/instances/haul-%d" % (TRACEFS, os.getpid())
        self.events, self.buffer_kb, self.pipe, self.rest = events, buffer_kb, None, b""
        self.stopped, self.ended = False, None

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            file.write(text)

    def __enter__(self):
        if not os.path.isdir(TRACEFS + "/events"):
            os.makedirs(TRACEFS, exist_ok=True)
            os.system("mount -t tracefs tracefs " + TRACEFS)
        if not os.path.isdir(TRACEFS + "/events/haul"):
            raise SystemExit("there are no tracepoints haul:*: is the module loaded, and are you root?")
        os.mkdir(self.path)
        self.write("buffer_size_kb", str(self.buffer_kb))
        self.write("trace_clock", "mono")
        self.pipe = os.open(self.path + "/trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        for event in self.events:
            self.write("events/%s/enable" % event.replace(":", "/"), "1")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        return self

    def __exit__(self, *_):
        os.close(self.pipe)
        os.rmdir(self.path)

    def stop(self, *_):
        self.stopped = True

    def lines(self, until):
        """Lines of text as they come, until that time of the monotonic clock; None when there are no more now

        Who reads more slowly than they come gets no None: of the time until now there is more to be told.
        """
        while not self.stopped and time.monotonic() < until:
            select.select([self.pipe], [], [], min(max(until - time.monotonic(), 0), 0.2))
            yield from self.read(until)
            if time.monotonic() < until:
                yield None
        self.ended = time.monotonic()
        self.write("tracing_on", "0")
        yield from self.read()

    def read(self, until=float("inf")):
        """What is there now; more may come as fast as it is read, so the time is looked at"""
        while time.monotonic() < until:
            try:
                data = os.read(self.pipe, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            *whole, self.rest = (self.rest + data).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")

    def lost(self):
        """How many events the buffers could not hold"""
        total = 0
        for cpu in os.listdir(self.path + "/per_cpu"):
            with open("%s/per_cpu/%s/stats" % (self.path, cpu), encoding="ascii") as stats:
                total += sum(int(line.split()[-1]) for line in stats if line.startswith(("overrun:", "dropped events:")))
        return total
