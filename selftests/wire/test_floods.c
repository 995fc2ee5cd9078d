// SPDX-License-Identifier: GPL-2.0
/*
 * What a packet of a flood costs the host, beside the same packet to the kernel's TCP: pure ACKs,
 * text out of order, text byte by byte, SACK blocks over a long queue. In `scripts/vm --exact` a
 * nanosecond is an instruction, and the cost has a bound; elsewhere it is only printed.
 *
 * The packets are made beforehand and written to the cable in bursts; what is counted is the
 * writing, in which the host takes each packet in and answers it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "fixture.h"
#include "../bytes.h"

#define MOST	1000		/* packets of a flood */
#define ROOM	512		/* bytes of one, with its IP header */
#define BURST	50		/* fewer answers than the cable's queue holds */
#define SEGMENT	1000
#define QUEUE	600		/* segments that the host has on its way */
#define TCP_PORT	7100
#define TCP_HEADER	20
/* how much dearer than TCP's a packet may be, in percent, and in instructions by itself */
#define DEARER	130
#define BOUND	20000
/* what is out of order is answered by up to 31 SACK blocks, where TCP has room for 4 */
#define DEARER_BLOCKS	170

WIRE_FIXTURE(floods);

/* the peer's end of a connection of either protocol */
struct end {
	struct peer *p;
	bool tcp;
	int fd;
	uint16_t port;
	uint32_t snd_nxt, rcv_nxt;	/* absolute; what the host sends is only counted */
};

/* a flood, ready to be sent */
struct flood {
	int num;
	size_t len[MOST];
	uint8_t bytes[MOST][ROOM];
};

static struct flood flood;

/* ---- TCP, as far as it is needed here ---- */

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

/* the sum over addresses, protocol and length that goes before the segment's */
static uint16_t tcp_checksum(struct wire *w, const uint8_t *segment, size_t len)
{
	uint8_t bytes[2 * 16 + 8 + ROOM] = {};
	struct sockaddr_storage a, b;
	size_t at = 0, size = w->family == AF_INET ? 4 : 16;
	bool v4 = w->family == AF_INET;

	wire_address(w, false, 0, &a);
	wire_address(w, true, 0, &b);
	memcpy(bytes, v4 ? (void *)&((struct sockaddr_in *)&a)->sin_addr :
	       (void *)&((struct sockaddr_in6 *)&a)->sin6_addr, size);
	memcpy(bytes + size, v4 ? (void *)&((struct sockaddr_in *)&b)->sin_addr :
	       (void *)&((struct sockaddr_in6 *)&b)->sin6_addr, size);
	at = 2 * size;
	put32(bytes + at, len);
	bytes[at + 7] = IPPROTO_TCP;
	memcpy(bytes + at + 8, segment, len);
	return internet_checksum(bytes, at + 8 + len);
}

/* a segment at @h with the bytes of options and payload that are behind it already; its length */
static size_t tcp_finish(struct end *e, uint8_t *h, uint16_t flags, uint32_t seq, uint32_t ack,
			 size_t options, size_t payload)
{
	size_t len = TCP_HEADER + options + payload;

	memset(h, 0, TCP_HEADER);
	put16(h, e->port);
	put16(h + 2, TCP_PORT);
	put32(h + 4, seq);
	put32(h + 8, ack);
	h[12] = (TCP_HEADER + options) / 4 << 4;
	h[13] = flags;
	put16(h + 14, 0xffff);
	put16(h + 16, tcp_checksum(e->p->w, h, len));
	return len;
}

/* the next segment of the connection's; false: none within a moment */
static bool tcp_receive(struct end *e, uint8_t *flags, uint32_t *seq, uint32_t *end)
{
	struct wire *w = e->p->w;
	size_t ip = w->family == AF_INET ? 20 : 40;
	ssize_t len;

	while ((len = read(w->tun, w->buffer, sizeof(w->buffer))) > 0) {
		const uint8_t *h = w->buffer + ip;

		if (len < (ssize_t)ip + TCP_HEADER ||
		    w->buffer[w->family == AF_INET ? 9 : 6] != IPPROTO_TCP)
			continue;
		*flags = h[13];
		*seq = get32(h + 4);
		*end = *seq + len - ip - (h[12] >> 4) * 4 + !!(*flags & TCP_SYN);
		return true;
	}
	return false;
}

static void tcp_establish(struct end *e)
{
	/* MSS, SACK, window scale */
	static const uint8_t options[] = {
		2, 4, SEGMENT >> 8, SEGMENT & 255, 4, 2, 3, 3, 7, 1, 1, 1
	};
	struct wire *w = e->p->w;
	struct sockaddr_storage addr;
	uint8_t h[ROOM], flags = 0;
	uint32_t seq;
	int listener = socket(w->family, SOCK_STREAM, 0);

	wire_address(w, true, TCP_PORT, &addr);
	if (bind(listener, (void *)&addr, wire_address_len(w)) || listen(listener, 4))
		wire_fail(w, NULL, "no TCP listener");
	memcpy(h + TCP_HEADER, options, sizeof(options));
	wire_send_ip(w, IPPROTO_TCP, h,
		     tcp_finish(e, h, TCP_SYN, e->snd_nxt++, 0, sizeof(options), 0), 0);
	if (!tcp_receive(e, &flags, &seq, &e->rcv_nxt) || flags != (TCP_SYN | TCP_ACK))
		wire_fail(w, NULL, "TCP answers a SYN by flags 0x%x", flags);
	wire_send_ip(w, IPPROTO_TCP, h, tcp_finish(e, h, TCP_ACK, e->snd_nxt, e->rcv_nxt, 0, 0), 0);
	e->fd = accept(listener, NULL, NULL);
	close(listener);
}

/* ---- either ---- */

/* is nobody but us about to run? /proc/loadavg's fourth figure */
static bool alone(void)
{
	FILE *f = fopen("/proc/loadavg", "r");
	int running = 0;

	if (!f || fscanf(f, "%*f %*f %*f %d", &running) != 1)
		running = 0;
	if (f)
		fclose(f);
	return running == 1;
}

/*
 * What the last connection and the last case's namespace leave to the kernel's workers comes in
 * several goes, with a grace period of RCU before each, and is not to be counted in a flood: 4 ms
 * of it are as much as the flood. Waits until nobody has wanted to run for a second; 100 s at most.
 */
static bool left_alone(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int i, quiet = 0;

	for (i = 0; i < 10000 && quiet < 100; i++) {
		nanosleep(&pause, NULL);
		quiet = alone() ? quiet + 1 : 0;
	}
	return quiet == 100;
}

static void establish(struct end *e, struct peer *p, bool tcp)
{
	const char *exact = getenv("HAUL_EXACT");

	if (exact && atoi(exact) && !left_alone())
		wire_fail(p->w, NULL, "the machine is busy with something else");
	e->p = p;
	e->tcp = tcp;
	e->port = 40000;
	e->snd_nxt = 0x10000000;
	if (tcp) {
		tcp_establish(e);
	} else {
		p->mss = SEGMENT;
		e->fd = peer_establish(p);
		e->snd_nxt = p->snd_nxt;
		e->rcv_nxt = p->rcv_nxt;
	}
	fcntl(e->fd, F_SETFL, O_NONBLOCK);
}

/* all that has come from the host; what it has sent up to is in @e->rcv_nxt */
static void drain(struct end *e)
{
	uint32_t seq, end;
	struct packet rx;
	uint8_t flags;

	if (e->tcp)
		while (tcp_receive(e, &flags, &seq, &end))
			e->rcv_nxt = (int32_t)(end - e->rcv_nxt) > 0 ? end : e->rcv_nxt;
	else
		while (wire_receive(e->p->w, &rx, 0) == WIRE_HAUL)
			if ((int32_t)(rx.seq + rx.len - e->rcv_nxt) > 0)
				e->rcv_nxt = rx.seq + rx.len;
}

/*
 * One packet of the flood: @len bytes (0 or 1) at @seq, and a SACK block if @from is not @to.
 * Written to a socket in the cable's stead, and kept.
 */
static void add(struct end *e, uint32_t seq, uint32_t ack, size_t len, uint32_t from, uint32_t to)
{
	struct wire *w = e->p->w;
	int pair[2], tun = w->tun;
	uint8_t h[ROOM] = {};
	ssize_t got;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		wire_fail(w, NULL, "socketpair");
	w->tun = pair[0];
	if (e->tcp) {
		size_t options = from != to ? 12 : 0;

		if (options) {
			put32(h + TCP_HEADER, 0x0101050a);
			put32(h + TCP_HEADER + 4, from);
			put32(h + TCP_HEADER + 8, to);
		}
		h[TCP_HEADER + options] = 'x';
		wire_send_ip(w, IPPROTO_TCP, h,
			     tcp_finish(e, h, TCP_ACK, seq, ack, options, len), 0);
	} else {
		struct packet out = {
			.version = 1, .kind = e->p->kind, .sport = e->p->port,
			.dport = e->p->host_port, .flags = F_ACK, .tag = e->p->host_tag,
			.seq = seq, .ack = ack, .window = 1 << 20, .tsval = e->p->last_tsval + 1,
			.tsecr = e->p->host_tsval, .payload = (void *)"x", .len = len,
		};

		if (from != to) {
			out.num_sack = 1;
			out.sack[0].start = from;
			out.sack[0].end = to;
		}
		wire_send(w, &out);
	}
	got = read(pair[1], flood.bytes[flood.num], ROOM);
	if (got <= 0 || got == ROOM)
		wire_fail(w, NULL, "a packet of %zd bytes", got);
	flood.len[flood.num++] = got;
	w->tun = tun;
	close(pair[0]);
	close(pair[1]);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* sends what add() made; ns for each packet */
static long pour(struct end *e)
{
	uint64_t took = 0, before;
	int i, j, num = flood.num;

	for (i = 0; i < num; i += BURST) {
		before = now_ns();
		for (j = i; j < num && j < i + BURST; j++)
			if (write(e->p->w->tun, flood.bytes[j], flood.len[j]) < 0)
				wire_fail(e->p->w, NULL, "write to TUN");
		took += now_ns() - before;
		drain(e);
	}
	flood.num = 0;
	return took / num;
}

static void judge(struct __test_metadata *_metadata, const char *what, long haul, long tcp,
		  int percent)
{
	const char *exact = getenv("HAUL_EXACT");

	TH_LOG("%s: %ld ns a packet, TCP %ld", what, haul, tcp);
	if (!exact || !atoi(exact))
		return;
	EXPECT_GE(tcp * percent / 100, haul);
	EXPECT_GE(BOUND, haul);
}

/* ---- floods ---- */

static long pour_acks(struct peer *p, bool tcp)
{
	struct end e;
	int i;

	establish(&e, p, tcp);
	for (i = 0; i < MOST; i++)
		add(&e, e.snd_nxt, e.rcv_nxt, 0, 0, 0);
	return pour(&e);
}

WIRE_TEST(floods, acks)
{
	long haul = pour_acks(p, false);

	judge(_metadata, "pure ACKs", haul, pour_acks(p, true), DEARER);
}

/* a byte here and a byte there, in no order, each with a hole before it */
static long pour_out_of_order(struct peer *p, bool tcp)
{
	struct end e;
	int i;

	establish(&e, p, tcp);
	for (i = 0; i < MOST; i++)
		add(&e, e.snd_nxt + 2 + 2 * (i * 617 % MOST), e.rcv_nxt, 1, 0, 0);
	return pour(&e);
}

WIRE_TEST(floods, out_of_order)
{
	long haul = pour_out_of_order(p, false);

	judge(_metadata, "out of order", haul, pour_out_of_order(p, true), DEARER_BLOCKS);
}

static long pour_bytes(struct peer *p, bool tcp)
{
	struct end e;
	int i;

	establish(&e, p, tcp);
	for (i = 0; i < MOST; i++)
		add(&e, e.snd_nxt + i, e.rcv_nxt, 1, 0, 0);
	return pour(&e);
}

WIRE_TEST(floods, byte_by_byte)
{
	long haul = pour_bytes(p, false);

	judge(_metadata, "byte by byte", haul, pour_bytes(p, true), DEARER);
}

/* the host has QUEUE segments on their way, none of them acknowledged; the first one's number */
static uint32_t long_queue(struct end *e)
{
	static uint8_t bytes[65536];
	int size = 4 << 20;
	uint32_t una;

	if (setsockopt(e->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		wire_fail(e->p->w, NULL, "SO_SNDBUFFORCE");
	for (una = e->rcv_nxt; e->rcv_nxt - una < QUEUE * SEGMENT; ) {
		una = e->rcv_nxt;
		while (write(e->fd, bytes, sizeof(bytes)) > 0)
			;
		add(e, e->snd_nxt, una, 0, 0, 0);
		pour(e);
	}
	return una;
}

/* each ACK names nearly all of a long queue: which is long known to have arrived */
static long pour_blocks(struct peer *p, bool tcp)
{
	struct end e;
	uint32_t una;
	int i;

	establish(&e, p, tcp);
	una = long_queue(&e);
	/* first each segment by itself, so that the queue is of that many pieces */
	for (i = 1; i < QUEUE; i++)
		add(&e, e.snd_nxt, una, 0, una + i * SEGMENT, una + (i + 1) * SEGMENT);
	pour(&e);
	for (i = 0; i < MOST; i++)
		add(&e, e.snd_nxt, una, 0, una + (1 + i % (QUEUE / 2)) * SEGMENT,
		    una + QUEUE * SEGMENT);
	return pour(&e);
}

WIRE_TEST(floods, sack_blocks)
{
	long haul = pour_blocks(p, false);

	judge(_metadata, "SACK blocks", haul, pour_blocks(p, true), DEARER);
}

TEST_HARNESS_MAIN
