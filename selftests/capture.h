/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What passes on a cable, for tests that must see packets but not make them: a packet socket and
 * just enough of a decoder. (Tests that speak the protocol themselves are in wire/.)
 */
#ifndef HAUL_CAPTURE_H
#define HAUL_CAPTURE_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include "bytes.h"
#include "hosts.h"

/* protocol.rst 1.3, 1.5 */
#define SEEN_FIN	0x01
#define SEEN_SYN	0x02
#define SEEN_RST	0x04
#define SEEN_ACK	0x10
#define SEEN_STATELESS	0x80
#define HEADER		36
#define INIT_LENGTH	16

struct seen {
	uint64_t us;		/* when, by some clock */
	bool out;		/* sent by the host of the capture */
	uint16_t source, dest, flags;
	uint32_t seq, tag, ack, window, tsval;
	size_t payload;		/* bytes; a large segment counts as one packet here */
	bool init;
	uint32_t init_tag, init_isn;
	uint16_t init_mss;
};

static inline int capture(int host, const char *dev)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd, old = here(), size = 32 << 20;

	go_to(host);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ll.sll_ifindex = if_nametoindex(dev);
	option(fd, SOL_SOCKET, SO_RCVBUFFORCE, size);
	option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (bind(fd, (void *)&ll, sizeof(ll)))
		die("capture on %s", dev);
	go_to(old);
	close(old);
	return fd;
}

/* where the transport's header begins; 0 if it is none of ours */
static inline size_t seen_transport(const uint8_t *packet, size_t len)
{
	if (len >= 20 && packet[0] >> 4 == 4 && packet[9] == IPPROTO_HAUL)
		return (packet[0] & 15) * 4;
	if (len >= 40 && packet[0] >> 4 == 6 && packet[6] == IPPROTO_HAUL)
		return 40;
	return 0;
}

static inline bool seen_decode(struct seen *s, const uint8_t *h, size_t len)
{
	size_t header;

	if (len < HEADER)
		return false;
	header = h[9] * 4;
	s->source = get16(h);
	s->dest = get16(h + 2);
	s->seq = get32(h + 4);
	s->flags = get16(h + 10);
	s->tag = get32(h + 16);
	s->ack = get32(h + 20);
	s->window = get32(h + 24);
	s->tsval = get32(h + 28);
	s->payload = len - header;
	s->init = header >= HEADER + INIT_LENGTH && h[HEADER] == 1;
	if (s->init) {
		s->init_mss = get16(h + HEADER + 2);
		s->init_tag = get32(h + HEADER + 4);
		s->init_isn = get32(h + HEADER + 8);
	}
	return true;
}

/* the next packet of ours among those that have passed; false when there is none */
static inline bool captured(int fd, struct seen *s)
{
	static uint8_t packet[1 << 17];
	char control[128];
	struct sockaddr_ll ll;
	struct iovec iov = { .iov_base = packet, .iov_len = sizeof(packet) };
	struct msghdr msg = { .msg_name = &ll, .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control };
	size_t at;
	ssize_t n;

	for (;;) {
		struct cmsghdr *cmsg;

		msg.msg_namelen = sizeof(ll);
		msg.msg_controllen = sizeof(control);
		n = recvmsg(fd, &msg, 0);
		if (n < 0)
			return false;
		memset(s, 0, sizeof(*s));
		at = seen_transport(packet, n);
		if (!at || !seen_decode(s, packet + at, n - at))
			continue;
		s->out = ll.sll_pkttype == PACKET_OUTGOING;
		cmsg = CMSG_FIRSTHDR(&msg);
		if (cmsg && cmsg->cmsg_type == SO_TIMESTAMPNS) {
			struct timespec ts;

			memcpy(&ts, CMSG_DATA(cmsg), sizeof(ts));
			s->us = ts.tv_sec * SECOND + ts.tv_nsec / 1000;
		}
		return true;
	}
}

#endif /* HAUL_CAPTURE_H */
