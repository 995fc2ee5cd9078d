// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams on the wire: what leaves, what is taken, what is dropped for which reason, what is
 * answered, and which ICMP errors are believed. protocol.rst 1, 7, 8.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include "fixture.h"
#include "../bytes.h"

WIRE_FIXTURE(datagram);
WIRE_FIXTURE(refusal);
WIRE_FIXTURE(error);

static int bound(struct wire *w, uint16_t port)
{
	int fd = socket(w->family, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_HAUL);
	struct sockaddr_storage addr;

	wire_address(w, true, port, &addr);
	if (fd < 0 || bind(fd, (void *)&addr, wire_address_len(w)))
		wire_fail(w, NULL, "a datagram socket: %s", strerror(errno));
	return fd;
}

/* bound to the host's port, connected to the peer's */
static int connected(struct peer *p)
{
	int fd = bound(p->w, p->host_port);
	struct sockaddr_storage addr;

	p->kind = KIND_DATAGRAM;
	wire_address(p->w, false, p->port, &addr);
	if (connect(fd, (void *)&addr, wire_address_len(p->w)))
		wire_fail(p->w, NULL, "connect: %s", strerror(errno));
	return fd;
}

/* from the peer's port to the host's */
static struct packet datagram(const struct peer *p, const char *text)
{
	return (struct packet){
		.version = 1, .kind = KIND_DATAGRAM, .sport = p->port, .dport = p->host_port,
		.payload = (const uint8_t *)text, .len = strlen(text),
	};
}

static void send_text(struct peer *p, const char *text)
{
	struct packet d = datagram(p, text);

	wire_send(p->w, &d);
}

/* what the socket has next; "-" is nothing */
static const char *next(struct peer *p, int fd)
{
	static char buf[200];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	if (n < 0)
		return "-";
	buf[n] = 0;
	return buf;
}

static struct packet leaves(struct peer *p)
{
	struct packet rx;

	if (wire_receive(p->w, &rx, wire_now_us() + WIRE_PATIENCE_MS * 1000ULL) != WIRE_HAUL)
		wire_fail(p->w, NULL, "a datagram expected");
	return rx;
}

/* packet_decode() has looked at the rest: 16 bytes, no flags, sequence number 0, checksum */
WIRE_TEST(datagram, leaves_as_written)
{
	int fd = connected(p);
	struct packet rx;

	ASSERT_EQ(5, send(fd, "hello", 5, 0));
	rx = leaves(p);
	EXPECT_EQ(KIND_DATAGRAM, rx.kind);
	EXPECT_EQ(4, rx.words);
	EXPECT_EQ(p->port, rx.dport);
	EXPECT_EQ(p->host_port, rx.sport);
	ASSERT_EQ(5, rx.len);
	EXPECT_EQ(0, memcmp(rx.payload, "hello", 5));
	ASSERT_EQ(0, send(fd, "", 0, 0));
	rx = leaves(p);
	EXPECT_EQ(0, rx.len);
	ASSERT_EQ(3, send(fd, "odd", 3, 0));
	EXPECT_EQ(3, leaves(p).len);
	EXPECT_EQ(3, wire_counter(w, "DgramOut"));
}

WIRE_TEST(datagram, arrives)
{
	int fd = bound(w, p->host_port);
	struct packet empty = datagram(p, ""), option = datagram(p, "behind an option");

	send_text(p, "hello");
	wire_send(w, &empty);
	/* unknown options are skipped */
	memcpy(option.raw, "\x09\x04\x00\x01", 4);
	option.raw_len = 4;
	wire_send(w, &option);
	expect_silence(p);
	EXPECT_STREQ("hello", next(p, fd));
	EXPECT_STREQ("", next(p, fd));
	EXPECT_STREQ("behind an option", next(p, fd));
	EXPECT_STREQ("-", next(p, fd));
	EXPECT_EQ(3, wire_counter(w, "DgramIn"));
}

/* The device's queue takes none: lost as on the path, and only who asked is told (as by udp(7)). */
WIRE_TEST(datagram, that_the_device_does_not_take)
{
	bool v4 = w->family == AF_INET;
	int fd = connected(p), one = 1;

	ASSERT_EQ(0, system("tc qdisc add dev wire0 root pfifo limit 0"));
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	EXPECT_EQ(1, wire_counter(w, "DgramSendFull"));
	setsockopt(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &one, sizeof(one));
	EXPECT_EQ(-1, send(fd, "hello", 5, 0));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(2, wire_counter(w, "DgramSendFull"));
	ASSERT_EQ(0, system("tc qdisc del dev wire0 root"));
	EXPECT_EQ(5, send(fd, "world", 5, 0));
	EXPECT_EQ(0, memcmp(leaves(p).payload, "world", 5));
	EXPECT_EQ(1, wire_counter(w, "DgramOut"));
}

static void dropped(struct peer *p, struct packet d, const char *reason,
		    struct __test_metadata *_metadata)
{
	long before = wire_counter(p->w, reason);

	wire_note = reason;
	wire_send(p->w, &d);
	expect_silence(p);
	EXPECT_EQ(before + 1, wire_counter(p->w, reason));
}

/* each under its own reason, none of them answered */
WIRE_TEST(datagram, that_is_malformed)
{
	int fd = bound(w, p->host_port);
	struct packet d = datagram(p, "bad");

#define DROPPED(field, value, reason)					\
do {									\
	struct packet bad = d;						\
									\
	bad.field = value;						\
	dropped(p, bad, reason, _metadata);				\
} while (0)
	DROPPED(bad_sum, true, "DropChecksum");
	DROPPED(version, 2, "DropVersion");
	DROPPED(kind, 4, "DropKind");
	DROPPED(seq, 1, "DropHeader");
	DROPPED(words, 3, "DropHeader");
	DROPPED(words, 6, "DropShort");
	DROPPED(flags, F_SYN, "DropFlags");
	DROPPED(sport, 0, "DropPort");
	DROPPED(dport, 0, "DropPort");
	memcpy(d.raw, "\x09\x05\x00\x01", 4);
	d.raw_len = 4;
	dropped(p, d, "DropOption", _metadata);
	wire_send_ip(w, IPPROTO_HAUL, (const uint8_t *)"too short", 9, 0);
	expect_silence(p);
	EXPECT_EQ(2, wire_counter(w, "DropShort"));
	EXPECT_STREQ("-", next(p, fd));
	EXPECT_EQ(0, wire_counter(w, "DgramIn"));
}

/* a socket that is connected takes nothing from others */
WIRE_TEST(datagram, from_another_port)
{
	int fd = connected(p);
	struct packet other = datagram(p, "other");

	other.sport++;
	wire_send(w, &other);
	expect_icmp(p, w->family == AF_INET ? 3 : 1, w->family == AF_INET ? 3 : 4);
	send_text(p, "peer");
	expect_silence(p);
	EXPECT_STREQ("peer", next(p, fd));
	EXPECT_STREQ("-", next(p, fd));
}

/* a stream's port is none of a datagram's */
WIRE_TEST(datagram, kind_decides)
{
	int listener = host_listen(w, p->host_port, 1);

	send_text(p, "not a stream");
	expect_icmp(p, w->family == AF_INET ? 3 : 1, w->family == AF_INET ? 3 : 4);
	EXPECT_EQ(1, wire_counter(w, "DropNoPort"));
	close(listener);
}

/* ---- port unreachable ---- */

WIRE_TEST(refusal, by_port_unreachable)
{
	const uint8_t *quote;

	send_text(p, "anybody?");
	expect_icmp(p, w->family == AF_INET ? 3 : 1, w->family == AF_INET ? 3 : 4);
	/* our ports are in what it quotes */
	quote = w->icmp + 8 + (w->family == AF_INET ? 20 : 40);
	EXPECT_EQ(p->port, quote[0] << 8 | quote[1]);
	EXPECT_EQ(p->host_port, quote[2] << 8 | quote[3]);
	EXPECT_EQ(1, wire_counter(w, "DropNoPort"));
}

/* the same to a group or to everybody is never answered (RFC 1122 3.2.2) */
WIRE_TEST(refusal, not_of_a_multicast)
{
	static const uint8_t group4[4] = { 224, 0, 0, 1 };
	static const uint8_t group6[16] = { 0xff, 2, [15] = 1 };
	struct packet d = datagram(p, "everybody?");
	uint8_t frame[200], bytes[100];
	size_t len = packet_encode(&d, bytes, sizeof(bytes));
	struct sockaddr_storage peer;
	size_t at;

	wire_address(w, false, 0, &peer);
	memset(frame, 0, sizeof(frame));
	if (w->family == AF_INET) {
		uint16_t sum;

		at = 20;
		frame[0] = 0x45;
		frame[3] = at + len;
		frame[8] = 1;
		frame[9] = IPPROTO_HAUL;
		memcpy(frame + 12, &((struct sockaddr_in *)&peer)->sin_addr, 4);
		memcpy(frame + 16, group4, 4);
		sum = htons(internet_checksum(frame, 20));
		memcpy(frame + 10, &sum, 2);
	} else {
		at = 40;
		frame[0] = 0x60;
		frame[5] = len;
		frame[6] = IPPROTO_HAUL;
		frame[7] = 1;
		memcpy(frame + 8, &((struct sockaddr_in6 *)&peer)->sin6_addr, 16);
		memcpy(frame + 24, group6, 16);
	}
	memcpy(frame + at, bytes, len);
	ASSERT_EQ(at + len, write(w->tun, frame, at + len));
	expect_silence(p);
	EXPECT_EQ(1, wire_counter(w, "DropNoMember"));
	EXPECT_EQ(0, wire_counter(w, "DropNoPort"));
}

/* ---- ICMP errors ---- */

static int unreachable(const struct wire *w)
{
	return w->family == AF_INET ? 3 : 1;
}

static int port(const struct wire *w)
{
	return w->family == AF_INET ? 3 : 4;
}

static int host(const struct wire *w)
{
	return w->family == AF_INET ? 1 : 3;
}

static int error_of(int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

WIRE_TEST(error, tells_who_is_connected)
{
	int fd = connected(p);

	inject_icmp(p, unreachable(w), port(w), 0, "seq=@0");
	expect_silence(p);
	EXPECT_EQ(ECONNREFUSED, error_of(fd));
	/* ports and sequence number are all that a router must quote */
	p->quote = 8;
	inject_icmp(p, unreachable(w), port(w), 0, "seq=@0");
	expect_silence(p);
	EXPECT_EQ(ECONNREFUSED, error_of(fd));
	EXPECT_EQ(2, wire_counter(w, "DgramErrors"));
	EXPECT_EQ(0, wire_counter(w, "IcmpIgnored"));
}

WIRE_TEST(error, that_is_not_believed)
{
	int fd = connected(p);

	inject_icmp(p, unreachable(w), port(w), 0, "seq=@1");
	inject_icmp(p, unreachable(w), port(w), 0, "seq=@0 kind=1");
	inject_icmp(p, unreachable(w), port(w), 0, "seq=@0 version=2");
	p->port++;
	inject_icmp(p, unreachable(w), port(w), 0, "seq=@0");
	p->port--;
	expect_silence(p);
	EXPECT_EQ(0, error_of(fd));
	EXPECT_EQ(4, wire_counter(w, "IcmpIgnored"));
}

/* soft errors, and those to who is not connected, are only for who asked */
WIRE_TEST(error, for_who_asked)
{
	bool v4 = w->family == AF_INET;
	int fd = connected(p), one = 1;

	inject_icmp(p, unreachable(w), host(w), 0, "seq=@0");
	expect_silence(p);
	EXPECT_EQ(0, error_of(fd));
	setsockopt(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &one, sizeof(one));
	inject_icmp(p, unreachable(w), host(w), 0, "seq=@0");
	expect_silence(p);
	EXPECT_EQ(EHOSTUNREACH, error_of(fd));
	EXPECT_EQ(0, recv(fd, &one, sizeof(one), MSG_ERRQUEUE));
	EXPECT_EQ(-1, recv(fd, &one, sizeof(one), MSG_ERRQUEUE));
	EXPECT_EQ(EAGAIN, errno);
	close(fd);

	fd = bound(w, p->host_port);
	inject_icmp(p, unreachable(w), port(w), 0, "seq=@0");
	expect_silence(p);
	EXPECT_EQ(0, error_of(fd));
}

/* the path's MTU is believed, the datagram that it is about is lost, later ones are cut */
WIRE_TEST(error, packet_too_big)
{
	bool v4 = w->family == AF_INET;
	int fd = connected(p), mtu = 0;
	socklen_t len = sizeof(mtu);

	if (v4)
		inject_icmp(p, 3, 4, 1300, "seq=@0");
	else
		inject_icmp(p, 2, 0, 1300, "seq=@0");
	expect_silence(p);
	EXPECT_EQ(EMSGSIZE, error_of(fd));
	ASSERT_EQ(0, getsockopt(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &len));
	EXPECT_EQ(1300, mtu);
}

TEST_HARNESS_MAIN
