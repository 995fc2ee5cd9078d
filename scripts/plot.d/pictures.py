# SPDX-License-Identifier: GPL-2.0
"""The pictures of scripts/plot: what is in them, and the words for gnuplot, which are kept beside the PNG and SVG."""
import os
import subprocess

from reading import NO_THRESHOLD

# colours that people who see fewer of them can tell apart (Okabe and Ito)
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PURPLE, GREY = (
    "#000000", "#e69f00", "#56b4e9", "#009e73", "#d9c900", "#0072b2", "#d55e00", "#cc79a7", "#999999")
WIDTH = 1100                    # pixels
# a legend over its panel: nothing that is drawn is below it
ABOVE = "set key at graph 1,1.01 bottom right horizontal nobox maxrows 1 samplen 1.5 width 1"
POINTS = 1500                   # of a line; a picture is no wider
SHORT = 0.4                     # seconds that a goodput is the mean of


def thin(points, steps=POINTS):
    """No more points than a picture can show: of each step in time the first, the least and the largest"""
    if len(points) <= 3 * steps:
        return points
    begin, width = points[0][0], (points[-1][0] - points[0][0]) / steps or 1
    kept, group, at = [], [], 0
    for point in points + [None]:
        step = point and int((point[0] - begin) / width)
        if point is None or step != at:
            seen = [p for p in group if p[1] == p[1]] or group         # no gaps
            kept += sorted({seen[0], min(seen, key=lambda p: p[1]), max(seen, key=lambda p: p[1])}) if seen else []
            group, at = [], step
        if point:
            group.append(point)
    return kept


def within(points, begin, end):
    """Those of a time, with the one before it: its value holds"""
    before = [p for p in points if p[0] < begin][-1:]
    return before + [p for p in points if begin <= p[0] <= end]


def held(points, begin, end):
    """A value that holds until it changes: from the time's begin to its end"""
    some = within(points, begin, end)
    return [(max(some[0][0], begin),) + some[0][1:]] + some[1:] + [(end,) + some[-1][1:]] if some else []


def merge(spans, step):
    """Segments that follow each other within a step of time as one: a picture shows no more"""
    merged = []
    for t, start, end in spans:
        if merged and t - merged[-1][0] < step and merged[-1][2] == start:
            merged[-1][2] = end
        else:
            merged.append([t, start, end])
    return merged


class Picture:
    """One file of gnuplot's language with its data inside."""

    def __init__(self, height, title):
        self.height, self.title = height, title
        self.lines, self.blocks = [], 0

    def add(self, *lines):
        self.lines += lines

    def data(self, rows):
        """A block of data; its name"""
        name, self.blocks = "$data%d" % self.blocks, self.blocks + 1
        self.lines.insert(0, "%s << EOD\n%s\nEOD" % (name, "\n".join(" ".join("%.9g" % v for v in row) for row in rows)))
        return name

    def plot(self, *curves):
        """Curves are (rows, how); those without rows are left out"""
        parts = ["%s %s" % (self.data(rows), how) for rows, how in curves if rows]
        # an empty panel keeps its place and says so
        if not parts:
            self.add("set label 9 'none' at graph 0.5,0.5 center textcolor rgb '%s'" % GREY)
        self.add("plot " + ", ".join(parts or ["NaN notitle"]), "unset label 9")

    def write(self, path):
        """path.gp, path.png and path.svg"""
        terminals = (("png", "pngcairo size %d,%d font 'sans,10' background 'white'"),
                     ("svg", "svg size %d,%d font 'sans,12' background 'white' dynamic"))
        drawn = []
        for kind, terminal in terminals:
            out = "%s.%s" % (path, kind)
            text = ["set terminal " + terminal % (WIDTH, self.height), "set output '%s'" % out, "set encoding utf8"]
            text += ["set tics nomirror", "set border 3 lc rgb '%s'" % GREY, "set grid lc rgb '#dddddd' lw 0.5"]
            text += ["set tics textcolor rgb 'black'", "set key top right opaque box lc rgb '#dddddd' samplen 2"]
            with open(path + ".gp", "w", encoding="utf-8") as file:
                file.write("\n".join(text + self.lines) + "\n")
            subprocess.run(["gnuplot", path + ".gp"], check=True)
            drawn.append(out)
        return drawn


def scaled(points, factor):
    return [(p[0],) + tuple(v * factor for v in p[1:]) for p in points]


def below(points, top):
    """The line has a gap where it is above; nothing if it is so always"""
    return [(t, v if v <= top else float("nan")) for t, v in points] if any(v <= top for _, v in points) else []


def windows(flow, begin, end):
    """Curves: congestion window, threshold, in flight, the peer's window; kB"""
    # a peer's window far above what is used would only flatten the rest
    top = 1.5 * max((v for _, v in flow.cwnd), default=1)
    curves = [
        (flow.in_flight, "with steps lc rgb '%s' lw 1 title 'in flight'" % SKY),
        (below(flow.peer_window, top), "with steps lc rgb '%s' lw 1.5 title \"peer's window\"" % YELLOW),
        (below(flow.ssthresh, NO_THRESHOLD - 1), "with steps lc rgb '%s' lw 1.5 dt 2 title 'ssthresh'" % ORANGE),
        (flow.cwnd, "with steps lc rgb '%s' lw 1.5 title 'cwnd'" % BLUE),
    ]
    return [(scaled(thin(held(points, begin, end)), 1e-3), how) for points, how in curves]


def sequence(flow, begin, end):
    """Curves: what was sent, sent again, taken for lost, acknowledged and reported; kB. A bar is a segment"""
    def bars(spans):
        return [(s[0], s[1] / 1e3, (s[2] - s[1]) / 1e3) for s in merge([s for s in spans if begin <= s[0] <= end],
                                                                      (end - begin) / POINTS)]

    bar = "using 1:2:(0):3 with vectors nohead lc rgb '%s' lw %s title '%s'"
    first = min((s[1] for s in flow.sent if begin <= s[0] <= end), default=0)
    return [
        (scaled(thin(held(flow.edge, begin, end)), 1e-3), "with steps lc rgb '%s' lw 1.5 title \"end of the peer's window\""
         % YELLOW) if near_enough(flow, begin, end) else ([], ""),
        (scaled(thin(held(flow.acked, begin, end)), 1e-3), "with steps lc rgb '%s' lw 1.5 title 'acknowledged'" % GREEN),
        (bars(s[:3] for s in flow.sacked if not s[3] and s[1] >= first), bar % (PURPLE, "1.5", "SACK block")),
        (bars(s[:3] for s in flow.sacked if s[3]), bar % (ORANGE, "2.5", "D-SACK block")),
        (bars(flow.sent), bar % (BLACK, "1.5", "sent")),
        (bars(flow.again), bar % (RED, "3", "sent again")),
        ([(t, seq / 1e3) for t, seq, _ in flow.lost if begin <= t <= end],
         "with points pt 2 ps 0.5 lc rgb '%s' title 'taken for lost'" % RED),
        ([(t, seq / 1e3) for t, seq in flow.probes if begin <= t <= end],
         "with points pt 9 ps 1 lc rgb '%s' title 'probe of a shut window'" % BLUE),
    ]


def near_enough(flow, begin, end):
    """Is the end of the peer's window worth its place?"""
    highest = max((s[2] for s in flow.sent if begin <= s[0] <= end), default=0)
    lowest = min((s[1] for s in flow.sent if begin <= s[0] <= end), default=0)
    edge = max((v for t, v in flow.edge if begin <= t <= end), default=0)
    return edge - lowest < 2 * (highest - lowest)


def sequence_axis(picture, flow, begin, end):
    """The range of what moved in that time"""
    spans = [s for s in flow.sent + flow.again if begin <= s[0] <= end]
    low = min([s[1] for s in spans] + [v for _, v in within(flow.acked, begin, end)][:1] or [0])
    picture.add("set ylabel 'sequence number, kB'", "set xrange [%g:%g]" % (begin, end), ABOVE,
                "set yrange [%g:*]" % (low / 1e3))


def describe(flow):
    words = {"haul": "Haul", "tcp": "TCP"}[flow.transport]
    return words + (", " + flow.controller if flow.controller else "")


def quoted(text):
    return "'" + text.replace("'", "''").replace("_", "\\\\_") + "'"


def connection(flow, path, begin=None, end=None):
    """All of one connection, and its sequence numbers around the first loss; the files' names"""
    whole = begin is None and end is None
    begin = begin or 0
    end = max(flow.end if end is None else end, begin + 1e-3)
    picture = Picture(1000, flow.name)
    picture.add("set multiplot layout 4,1 title %s font ',13' margins 0.075,0.975,0.055,0.94 spacing 0,0.045"
                % quoted("%s: %s" % (describe(flow), flow.name)), "set format x ''")
    sequence_axis(picture, flow, begin, end)
    picture.plot(*sequence(flow, begin, end))
    picture.add("set yrange [0:*]", "set ylabel 'window, kB'")
    picture.plot(*windows(flow, begin, end))
    picture.add("set ylabel 'round trip, ms'", "set yrange [0:%g]" % (max([us for _, us in flow.rtt + flow.srtt] or [1e6]) * 1.1e-3))
    picture.plot((scaled(thin(within(flow.rtt, begin, end)), 1e-3), "with points pt 7 ps 0.25 lc rgb '%s' title 'sample'" % SKY),
                 (scaled(thin(within(flow.srtt, begin, end)), 1e-3), "with lines lc rgb '%s' lw 1.5 title 'smoothed'" % BLUE))
    width = max((end - begin) / 100, 0.01)
    goodput = scaled(within(flow.goodput(width), begin, end), 1e-6)
    picture.add("set ylabel 'goodput, Mbit/s'", "set xlabel 'time, s'", "set format x '%g'",
                "set yrange [0:%g]" % (max([v for _, v in goodput] or [1]) * 1.1 or 1))
    picture.plot((goodput, "with fsteps lc rgb '%s' lw 1.5 title 'acknowledged, mean of %g ms'" % (GREEN, round(width * 1e3))))
    picture.add("unset multiplot")
    drawn = picture.write(path)
    if whole and flow.again:
        drawn += loss(flow, path + "-loss")
    return drawn


def loss(flow, path):
    """The sequence numbers from the round trip before the first one sent again to some after it"""
    at = flow.again[0][0]
    trip = next((us for t, us in reversed(flow.srtt) if t <= at), 100000) / 1e6
    begin, end = max(at - 1.5 * trip, 0), min(at + 3.5 * trip, flow.end)
    picture = Picture(560, flow.name)
    picture.add("set title %s font ',13' offset 0,1" % quoted("%s: the first loss" % describe(flow)), "set tmargin 5", "set xlabel 'time, s'")
    sequence_axis(picture, flow, begin, end)
    picture.plot(*sequence(flow, begin, end))
    return picture.write(path)


def controllers(flows, path):
    """Haul's controllers and TCP's on the same link: a column each, Haul over TCP in the same panel"""
    names = sorted({flow.controller for flow in flows})
    pair = {name: [f for kind in ("tcp", "haul") for f in flows if (f.transport, f.controller) == (kind, name)]
            for name in names}
    end = min(flow.end for flow in flows)
    picture = Picture(820, "")
    picture.add("set multiplot layout 3,%d columnsfirst title %s font ',13' margins 0.065,0.985,0.065,0.9 spacing 0.06,0.045"
                % (len(names), quoted("Haul and the kernel's TCP, each flow alone on 10 Mbit/s, 40 ms, a buffer of 50 kB")), "set xrange [0:%g]" % end)
    # one scale for all columns, with room for the legend
    tops = (max(v for f in flows for _, v in f.cwnd) * 1.3e-3, max(v for f in flows for _, v in f.srtt) * 1.4e-3, 14)
    colours = {"haul": BLUE, "tcp": RED}
    for name in names:
        for row, label in enumerate(("window, kB", "smoothed round trip, ms", "goodput, Mbit/s")):
            picture.add("set ylabel '%s'" % label, "set xlabel '%s'" % ("time, s" if row == 2 else ""),
                        "set title '%s' font ',12'" % name if row == 0 else "unset title",
                        "set yrange [0:%g]" % tops[row],
                        "set format x '%s'" % ("%g" if row == 2 else ""),
                        "set key %s right" % ("bottom" if row == 2 else "top"))
            picture.plot(*[curve for flow in pair[name] for curve in row_curves(flow, row, colours[flow.transport])])
    picture.add("unset multiplot")
    return picture.write(path)


def row_curves(flow, row, colour):
    """A flow's curves in one row of the comparison"""
    who = "Haul" if flow.transport == "haul" else "TCP"
    if row == 0:
        return [(scaled(thin(below(flow.ssthresh, NO_THRESHOLD - 1)), 1e-3), "with steps lc rgb '%s' lw 1 dt 2 title '%s ssthresh'" % (colour, who)),
                (scaled(thin(flow.cwnd), 1e-3), "with steps lc rgb '%s' lw 1.5 title '%s cwnd'" % (colour, who))]
    if row == 1:
        return [(scaled(thin(flow.srtt), 1e-3), "with lines lc rgb '%s' lw 1.5 title '%s'" % (colour, who))]
    return [(scaled(flow.goodput(SHORT), 1e-6), "with fsteps lc rgb '%s' lw 1.2 title '%s'" % (colour, who))]
