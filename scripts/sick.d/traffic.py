#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""traffic.py READER|SENDER PORT - the two ends of a transfer for scripts/sick.d/play; a reader says when it is ready

A reader reads as fast as it can (read), with a small receive buffer (small), or 64 kB every twenty seconds (stall). A
sender goes on for ever (send), or begins anew when nothing was acknowledged for half a minute (retry).
"""
import contextlib
import socket
import sys
import time

HAUL, HAUL_USER_TIMEOUT = 253, 18


def serve(how, port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, HAUL)
    if how == "small":
        # before the connection begins: what was offered is not taken back
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    listener.bind(("", port))
    listener.listen()
    print("ready", flush=True)
    while True:
        peer = listener.accept()[0]
        with contextlib.suppress(ConnectionResetError):
            while peer.recv(65536):
                if how == "stall":
                    time.sleep(20)


def connect(how, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, HAUL)
    if how == "retry":
        s.setsockopt(HAUL, HAUL_USER_TIMEOUT, 30000)
    s.connect(("192.0.2.2", port))
    return s


def send(how, port):
    s = connect(how, port)
    while True:
        try:
            s.sendall(bytes(1 << 20))
        except TimeoutError:
            s.close()
            s = connect(how, port)


if __name__ == "__main__":
    (send if sys.argv[1] in ("send", "retry") else serve)(sys.argv[1], int(sys.argv[2]))
