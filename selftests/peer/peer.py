#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""peer.py SCENE - a Haul host written from Documentation/protocol.rst alone, on a TUN device peer0, and the module
play it

Over IPv4, then over IPv6. The status is 0 if all went as the page says. The device has the kernel's addresses already.
"""
import os
import struct
import sys
import traceback

import host as h
import packet as p
import scenes


def ready(host):
    """Until the kernel's host answers an echo request over both IP versions"""
    answers = set()
    ours, kernel = h.raw_address(6, h.OURS[6]), h.raw_address(6, h.KERNEL[6])
    requests = {4: (h.ICMP, struct.pack("!BBHI", 8, 0, 0, 1), b""),
                6: (h.ICMP6, struct.pack("!BBHI", 128, 0, 0, 1), ours + kernel + struct.pack("!II", 8, h.ICMP6))}

    def both():
        """an answer over both IP versions"""
        for version, (protocol, message, pseudo) in requests.items():
            total = struct.pack("!H", p.checksum(pseudo + message))
            os.write(host.tun, h.ip_packet(version, protocol, message[:2] + total + message[4:]))
        answers.update(seen.version for seen in host.seen if not seen.packet and seen.data[0] in (0, 129))
        return len(answers) == 2
    host.run(both)


def story(host):
    """What passed last, for whoever looks for a fault"""
    for who, packets in ("the module's", host.packets()[-8:]), ("ours", host.sent[-8:]):
        for packet in packets:
            fields = {name: value for name, value in vars(packet).items() if name != "payload"}
            print("#   %s: %d bytes, %s" % (who, len(packet.payload), fields))


def main():
    scene = getattr(scenes, sys.argv[1])
    for version in (4, 6):
        host = h.Host(seed=version)
        try:
            ready(host)
            scene(host, version)
        except Exception:       # whatever it was, it is told with the packets
            print("# IPv%d: %s" % (version, traceback.format_exc().replace("\n", "\n# ")))
            story(host)
            sys.exit(1)
        os.close(host.tun)


if __name__ == "__main__":
    main()
