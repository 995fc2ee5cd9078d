#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""peers.py SCENE near|far: one side of an exchange that captures.d/play writes down. far prints "ready"."""
import http.client
import http.server
import os
import socket
import struct
import sys
import time

HAUL = 253
NEAR, FAR, PORT = "192.0.2.1", "192.0.2.129", 7253


def stream(port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, HAUL)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", port))
    return s


def listen():
    s = stream(PORT)
    s.listen()
    print("ready", flush=True)
    return s


def accept():
    return listen().accept()[0]


def connect():
    s = stream()
    s.connect((FAR, PORT))
    return s


def read_all(s):
    total = 0
    while data := s.recv(65536):
        total += len(data)
    return total


def echo_far():
    s = accept()
    while data := s.recv(65536):
        s.sendall(data)


def echo_near():
    s = connect()
    s.sendall(b"hello, haul\n")
    s.recv(65536)
    s.shutdown(socket.SHUT_WR)
    s.recv(65536)


BULK = 120000


def bulk_far():
    assert read_all(accept()) == BULK


def bulk_near():
    s = connect()
    s.sendall(bytes(BULK))
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b""


def wait_until(when):
    time.sleep(max(when - time.time(), 0))


def cross(s, peer, when):
    """Both connect within one delay of the link; the hosts have one clock and one file system"""
    wait_until(when)
    s.connect((peer, PORT))
    s.sendall(b"crossed\n")
    assert s.recv(100) == b"crossed\n"
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b""


WHEN = "/tmp/haul-captures-when"


def cross_far():
    s = stream(PORT)
    print("ready", flush=True)
    while not os.path.exists(WHEN):
        time.sleep(0.05)
    with open(WHEN, encoding="ascii") as file:
        cross(s, NEAR, float(file.read()))


def cross_near():
    s, when = stream(PORT), time.time() + 2
    with open(WHEN + ".new", "w", encoding="ascii") as file:
        file.write(str(when))
    os.rename(WHEN + ".new", WHEN)
    cross(s, FAR, when)


def part(s, when):
    wait_until(when)
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b""


def part_far():
    s = accept()
    part(s, float(s.recv(100)))


def part_near():
    s, when = connect(), time.time() + 2
    s.sendall(str(when).encode())
    part(s, when)


def stall_far():
    listener = stream(PORT)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
    listener.listen()
    print("ready", flush=True)
    s = listener.accept()[0]
    time.sleep(2)
    read_all(s)


def stall_near():
    s = connect()
    s.sendall(bytes(60000))
    s.shutdown(socket.SHUT_WR)
    s.recv(1)


def refuse_far():
    s = accept()
    s.recv(100)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def refuse_near():
    s = stream()
    try:
        s.connect((FAR, PORT + 1))
        raise SystemExit("nobody listens there, yet it answered")
    except ConnectionRefusedError:
        pass
    s = connect()
    s.sendall(b"this will be answered by a reset\n")
    try:
        s.recv(1)
        raise SystemExit("no reset came")
    except ConnectionResetError:
        pass


PAGE = b"<!DOCTYPE html><title>Haul</title>" + b"<p>A page of several segments.\n" * 400


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):
        pass


def http_far():
    listener = stream(80)
    listener.listen()
    print("ready", flush=True)
    s, address = listener.accept()
    Page(s, address, None)


def http_near():
    s = stream()
    s.connect((FAR, 80))
    connection = http.client.HTTPConnection(FAR)
    connection.sock = s
    for path in ("/", "/again"):
        connection.request("GET", path)
        assert connection.getresponse().read() == PAGE
    connection.close()


if __name__ == "__main__":
    globals()[sys.argv[1] + "_" + sys.argv[2]]()
