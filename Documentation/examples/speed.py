#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""How fast is it, and what holds it back? A server and a client in Python, with the library alone.

    speed.py server [PORT]
    speed.py client ADDRESS [PORT [MEGABYTES]]

The server throws away what it gets. The client prints what its connection says of itself while it sends: a program can
read the numbers that haulss -i shows.
"""
import asyncio
import socket
import struct
import sys
import time

IPPROTO_HAUL = SOL_HAUL = 253
HAUL_INFO = 11

# The beginning of struct haul_info (linux/haul.h): 8 numbers of a byte, the controller, then numbers of 32 bits
INFO = struct.Struct("8B 16s 22I")
NUMBERS = ("rto srtt rttvar min_rtt latest_rtt handshake_rtt ato reordering snd_mss rcv_mss adv_mss pmtu snd_cwnd "
           "snd_ssthresh snd_wnd rcv_wnd in_flight unacked sacked lost retrans_out notsent").split()


def stream(family):
    """A socket like any other; only the third number is ours"""
    return socket.socket(family, socket.SOCK_STREAM, IPPROTO_HAUL)


def info(sock):
    values = INFO.unpack(sock.getsockopt(SOL_HAUL, HAUL_INFO, INFO.size))
    return dict(zip(NUMBERS, values[9:]), congestion=values[8].rstrip(b"\0").decode())


async def swallow(reader, writer):
    total = 0
    while data := await reader.read(1 << 18):
        total += len(data)
    writer.write(b"%d\n" % total)
    await writer.drain()
    writer.close()


async def serve(port):
    listener = stream(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::", port))
    server = await asyncio.start_server(swallow, sock=listener)
    print("listening on port %d" % port, flush=True)
    await server.serve_forever()


async def report(sock, sent):
    """A line each second, until it is cancelled"""
    print("%8s %12s %12s %12s %10s %s" % ("MB sent", "in flight", "cwnd", "their window", "rtt ms", "controller"))
    while True:
        await asyncio.sleep(1)
        now = info(sock)
        print("%8.1f %12d %12d %12d %10.3f %s" % (sent[0] / 1e6, now["in_flight"], now["snd_cwnd"], now["snd_wnd"],
                                                  now["srtt"] / 1000, now["congestion"]), flush=True)


async def send(address, port, size):
    family, _, _, _, to = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    sock = stream(family)
    # asyncio's own sock_connect() would ask getaddrinfo(), which knows no protocol 253
    await asyncio.to_thread(sock.connect, to)
    sock.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=sock)
    begin, sent, block = time.monotonic(), [0], bytes(1 << 18)
    telling = asyncio.create_task(report(sock, sent))
    while sent[0] < size:
        block = block[:size - sent[0]]
        writer.write(block)
        await writer.drain()
        sent[0] += len(block)
    writer.write_eof()
    arrived = int(await reader.readline())
    took = time.monotonic() - begin
    telling.cancel()
    print("%d bytes arrived in %.3f s: %.1f Mbit/s" % (arrived, took, arrived * 8 / took / 1e6))
    writer.close()
    return 0 if arrived == size else 1


def main():
    words = sys.argv[1:]
    if words[:1] == ["server"]:
        asyncio.run(serve(int(words[1]) if len(words) > 1 else 7000))
    elif words[:1] == ["client"] and len(words) > 1:
        port, megabytes = (words[2:] + ["7000", "100"][len(words) - 2:])[:2]
        sys.exit(asyncio.run(send(words[1], int(port), int(float(megabytes) * 1000000))))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
