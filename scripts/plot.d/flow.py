#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One side of a flow that scripts/plot watches.

    flow.py far haul|tcp                        reads all of one connection; prints "ready" once it listens
    flow.py near haul|tcp CONTROLLER SECONDS    sends for so long, and ends when the peer has read it
"""
import socket
import sys
import time

FAR, PORT = "192.0.2.2", 7000
PROTOCOLS = {"haul": 253, "tcp": socket.IPPROTO_TCP}


def stream(transport):
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, PROTOCOLS[transport])


def far(transport):
    listener = stream(transport)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", PORT))
    listener.listen()
    print("ready", flush=True)
    peer = listener.accept()[0]
    buffer = bytearray(1 << 18)
    while peer.recv_into(buffer):
        pass


def near(transport, controller, seconds):
    sock = stream(transport)
    # Haul answers TCP's options at TCP's level, too
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, controller.encode())
    sock.connect((FAR, PORT))
    block, end = bytes(1 << 16), time.monotonic() + float(seconds)
    while time.monotonic() < end:
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)
    sock.recv(1)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
