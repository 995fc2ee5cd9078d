/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cable between the two hosts of hosts.h with somebody on it: two TUN devices, and a thread that
 * carries packets from one to the other and meddles with some of them.
 *
 * What an honest meddler does, a bad network or somebody beside the path can do: drop, repeat, hold
 * back, replay from long ago, spoil a byte (the checksum tells), send forgeries whose tag is wrong.
 * None of it may change a byte that a program reads. A hostile one sits on the path: every field,
 * option, length and flag may be anything, with a right checksum, and ICMP errors quote real
 * packets. No promise is left then but that the host survives it.
 */
#ifndef HAUL_MEDDLER_H
#define HAUL_MEDDLER_H

#include <linux/if_tun.h>
#include <pthread.h>
#include "bytes.h"
#include "hosts.h"

#define MEDDLER_ROOM	65536
#define MEDDLER_PAST	256		/* packets remembered, to be replayed */
#define HAUL_CHECK_AT	14		/* the fields' places: protocol.rst, "The header" */
#define HAUL_TAG_AT	16
#define HAUL_FLAGS_AT	10
#define HAUL_SYN_BIT	0x02
#define HAUL_FIXED	36

struct meddler_packet {
	uint32_t len;
	uint8_t bytes[2048];
};

struct meddler {
	int tun[2];			/* near's, far's */
	int family;
	bool hostile;
	unsigned int seed;
	unsigned int percent;		/* of the packets that are meddled with; 0: a good cable */
	bool stop;
	pthread_t thread;
	unsigned long carried, meddled;
	struct meddler_packet past[2][MEDDLER_PAST];	/* by direction */
	unsigned int num_past[2];
	struct meddler_packet held;	/* goes out after a later packet */
	int held_to;
};

/* a number below @below: the same ones in each run, as far as packets come in the same order */
static inline uint32_t meddler_pick(struct meddler *m, uint32_t below)
{
	return (uint32_t)rand_r(&m->seed) % below;
}

static inline unsigned int ip_header(const struct meddler *m)
{
	return m->family == AF_INET ? 20 : 40;
}

/* lengths and checksums of both headers as they should be */
static inline void meddler_finish(struct meddler *m, struct meddler_packet *p)
{
	uint8_t *l4 = p->bytes + ip_header(m);

	if (p->len >= ip_header(m) + HAUL_CHECK_AT + 2) {
		put16(l4 + HAUL_CHECK_AT, 0);
		put16(l4 + HAUL_CHECK_AT, internet_checksum(l4, p->len - ip_header(m)));
	}
	if (m->family == AF_INET) {
		put16(p->bytes + 2, p->len);
		put16(p->bytes + 10, 0);
		put16(p->bytes + 10, internet_checksum(p->bytes, 20));
	} else {
		put16(p->bytes + 4, p->len - 40);
	}
}

static inline void meddler_send(struct meddler *m, int to, const struct meddler_packet *p)
{
	if (write(m->tun[to], p->bytes, p->len) < 0 && errno != EINVAL && errno != EIO)
		die("write to a TUN device");
}

/* not a SYN, and long enough to have a tag */
static inline bool meddler_tagged(struct meddler *m, const struct meddler_packet *p)
{
	const uint8_t *l4 = p->bytes + ip_header(m);

	return p->len >= ip_header(m) + HAUL_FIXED && !(l4[HAUL_FLAGS_AT + 1] & HAUL_SYN_BIT);
}

/* somebody beside the path: all that is in a packet of the conversation but its tag, and more */
static inline void meddler_forge(struct meddler *m, int to, const struct meddler_packet *p)
{
	struct meddler_packet forged = *p;
	uint8_t *l4 = forged.bytes + ip_header(m);
	unsigned int i;

	if (!meddler_tagged(m, p))
		return;
	put32(l4 + HAUL_TAG_AT, get32(l4 + HAUL_TAG_AT) ^ (1 + meddler_pick(m, RAND_MAX)));
	l4[HAUL_FLAGS_AT + 1] = meddler_pick(m, 256);
	for (i = ip_header(m) + HAUL_FIXED; i < forged.len; i++)
		forged.bytes[i] = meddler_pick(m, 256);
	meddler_finish(m, &forged);
	meddler_send(m, to, &forged);
}

/* what a bad network does; false: the packet does not go on as it is */
static inline bool meddler_honest(struct meddler *m, int to, struct meddler_packet *p)
{
	unsigned int past = m->num_past[to] < MEDDLER_PAST ? m->num_past[to] : MEDDLER_PAST;

	switch (meddler_pick(m, 6)) {
	case 0:
		return false;
	case 1:
		meddler_send(m, to, p);
		return true;
	case 2:
		if (m->held.len)
			meddler_send(m, m->held_to, &m->held);
		m->held = *p;
		m->held_to = to;
		return false;
	case 3:
		if (past)
			meddler_send(m, to, &m->past[to][meddler_pick(m, past)]);
		return true;
	case 4:
		/* one byte, which the Internet checksum always sees */
		p->bytes[ip_header(m) + meddler_pick(m, p->len - ip_header(m))] ^=
			1 + meddler_pick(m, 255);
		return true;
	default:
		meddler_forge(m, to, p);
		return true;
	}
}

static inline uint32_t meddler_number(struct meddler *m, uint32_t old)
{
	static const uint32_t steps[] = {
		0, 1, -1, 2, 16, 1400, -1400, 65535, 65536, 1 << 24, 1 << 30, -(1 << 30),
		0x7fffffff, 0x80000000, 0x80000001,
	};

	if (!meddler_pick(m, 4))
		return meddler_pick(m, 2) ? (uint32_t)rand_r(&m->seed) << 1 : 0;
	return old + steps[meddler_pick(m, sizeof(steps) / sizeof(steps[0]))];
}

/* room for an option behind the fixed header, filled with one of any type and length */
static inline void meddler_option(struct meddler *m, struct meddler_packet *p)
{
	static const uint8_t lengths[] = { 0, 1, 2, 3, 4, 8, 12, 15, 16, 17, 20, 252, 255 };
	unsigned int at = ip_header(m) + HAUL_FIXED, room = 4 * (1 + meddler_pick(m, 8)), i;

	if (p->len < at || p->len + room > sizeof(p->bytes))
		return;
	memmove(p->bytes + at + room, p->bytes + at, p->len - at);
	for (i = 0; i < room; i++)
		p->bytes[at + i] = meddler_pick(m, 256);
	p->bytes[at] = meddler_pick(m, 5);
	p->bytes[at + 1] = lengths[meddler_pick(m, sizeof(lengths))];
	p->bytes[ip_header(m) + 9] += room / 4;		/* the header's length in words */
	p->len += room;
}

/* an ICMP error about @p, sent back to who sent it */
static inline void meddler_icmp(struct meddler *m, int to, const struct meddler_packet *p)
{
	static const uint8_t v4[][2] = {
		{ 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 4 }, { 3, 13 }, { 11, 0 }, { 12, 0 },
		{ 4, 0 }, { 5, 1 }
	};
	static const uint8_t v6[][2] = {
		{ 1, 0 }, { 1, 1 }, { 1, 3 }, { 1, 4 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 4, 1 },
		{ 137, 0 }
	};
	unsigned int head = ip_header(m), quoted = p->len > 600 ? 600 : p->len, i;
	struct meddler_packet e = { };
	uint8_t *icmp = e.bytes + head;
	uint32_t sum = 0;

	memcpy(e.bytes, p->bytes, head);
	for (i = 0; i < (head == 20 ? 4 : 16); i++) {	/* addresses change places */
		unsigned int src = head == 20 ? 12 : 8, dst = src + (head == 20 ? 4 : 16);

		e.bytes[src + i] = p->bytes[dst + i];
		e.bytes[dst + i] = p->bytes[src + i];
	}
	memcpy(icmp, head == 20 ? v4[meddler_pick(m, 10)] : v6[meddler_pick(m, 9)], 2);
	if (meddler_pick(m, 2))
		put32(icmp + 4, meddler_pick(m, 2000));	/* an MTU, where it is about one */
	if (!meddler_pick(m, 4))
		quoted = meddler_pick(m, quoted);
	memcpy(icmp + 8, p->bytes, quoted);
	e.len = head + 8 + quoted;
	if (head == 20) {
		e.bytes[9] = IPPROTO_ICMP;
		put16(e.bytes + 2, e.len);
		put16(e.bytes + 10, 0);
		put16(e.bytes + 10, internet_checksum(e.bytes, 20));
		put16(icmp + 2, internet_checksum(icmp, 8 + quoted));
	} else {
		e.bytes[6] = IPPROTO_ICMPV6;
		put16(e.bytes + 4, e.len - 40);
		/* the pseudo header: both addresses, length, next header */
		for (i = 8; i < 40; i += 2)
			sum += e.bytes[i] << 8 | e.bytes[i + 1];
		sum += e.len - 40 + IPPROTO_ICMPV6;
		sum += (uint16_t)~internet_checksum(icmp, 8 + quoted);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		put16(icmp + 2, ~sum);
	}
	meddler_send(m, !to, &e);
}

/* anything, with right checksums */
static inline void meddler_hostile(struct meddler *m, int to, struct meddler_packet *p)
{
	static const uint8_t words[] = { 0, 4, 16, 20, 24, 28, 32 };	/* 32-bit fields */
	unsigned int head = ip_header(m), times = 1 + meddler_pick(m, 3), past = m->num_past[to];
	const struct meddler_packet *old;
	uint8_t *l4 = p->bytes + head;
	unsigned int at;

	while (times--) {
		at = words[meddler_pick(m, sizeof(words))];
		switch (meddler_pick(m, 9)) {
		case 0:
			if (p->len >= head + at + 4)
				put32(l4 + at, meddler_number(m, get32(l4 + at)));
			break;
		case 1:
			l4[HAUL_FLAGS_AT + meddler_pick(m, 2)] ^= 1 << meddler_pick(m, 8);
			break;
		case 2:
			l4[8 + meddler_pick(m, 2)] = meddler_pick(m, 256);	/* kind, length */
			break;
		case 3:
			p->bytes[head + meddler_pick(m, p->len - head)] = meddler_pick(m, 256);
			break;
		case 4:
			p->len = head + meddler_pick(m, p->len - head + 1);	/* truncated */
			if (p->len < head + HAUL_CHECK_AT + 2)
				times = 0;
			break;
		case 5:
			meddler_option(m, p);
			break;
		case 6:
			meddler_icmp(m, to, p);
			break;
		case 7:
			/* this header, another's payload */
			old = &m->past[to][meddler_pick(m, MEDDLER_PAST)];
			if (past >= MEDDLER_PAST && old->len > head + HAUL_FIXED &&
			    p->len >= head + HAUL_FIXED) {
				memcpy(l4 + HAUL_FIXED, old->bytes + head + HAUL_FIXED,
				       old->len - head - HAUL_FIXED);
				p->len = old->len;
			}
			break;
		default:
			p->bytes[m->family == AF_INET ? 1 : 0] ^= 3;	/* ECN, or version */
			break;
		}
	}
	meddler_finish(m, p);
}

static inline void meddler_carry(struct meddler *m, int to, struct meddler_packet *p)
{
	bool pass = true;

	m->carried++;
	if (p->len < ip_header(m) + HAUL_CHECK_AT + 2 ||
	    p->bytes[m->family == AF_INET ? 9 : 6] != IPPROTO_HAUL) {
		meddler_send(m, to, p);
		return;
	}
	m->past[to][m->num_past[to]++ % MEDDLER_PAST] = *p;
	if (meddler_pick(m, 100) < m->percent) {
		m->meddled++;
		if (m->hostile && meddler_pick(m, 3))
			meddler_hostile(m, to, p);
		else
			pass = meddler_honest(m, to, p);
	}
	if (pass)
		meddler_send(m, to, p);
}

static inline void *meddler_work(void *arg)
{
	struct meddler *m = arg;
	struct meddler_packet p;
	int i;

	while (!__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
		struct pollfd pfds[2] = {
			{ .fd = m->tun[0], .events = POLLIN },
			{ .fd = m->tun[1], .events = POLLIN },
		};

		poll(pfds, 2, 20);
		for (i = 0; i < 2; i++) {
			ssize_t n = read(m->tun[i], p.bytes, sizeof(p.bytes));

			if (n > 0) {
				p.len = n;
				meddler_carry(m, !i, &p);
			}
		}
	}
	return NULL;
}

/* a TUN device on that host, with the addresses that hosts.h gives it */
static inline int meddler_device(int host, const char *dev, const char *v4, const char *v6)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd;

	go_to(host);
	if (access("/dev/net/tun", F_OK))
		run("modprobe tun");
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	strcpy(ifr.ifr_name, dev);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		die("TUN device");
	run("ip link set lo up && ip link set %s up", dev);
	run("ip addr add %s/24 dev %s && ip addr add %s/64 dev %s nodad", v4, dev, v6, dev);
	return fd;
}

/* near and far up, a good cable between them; @m->percent says from when on it is not */
static inline void meddler_up(struct meddler *m, int family, bool hostile, unsigned int seed)
{
	signal(SIGPIPE, SIG_IGN);
	*m = (struct meddler){ .family = family, .hostile = hostile, .seed = seed };
	near_host = new_host();
	far_host = new_host();
	m->tun[0] = meddler_device(near_host, "near0", NEAR4, NEAR6);
	m->tun[1] = meddler_device(far_host, "far0", FAR4, FAR6);
	go_to(near_host);
	if (pthread_create(&m->thread, NULL, meddler_work, m))
		die("a thread");
	wait_for_path(near_host, far_host, far_address(family));
}

static inline void meddler_down(struct meddler *m)
{
	__atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
	pthread_join(m->thread, NULL);
	close(m->tun[0]);
	close(m->tun[1]);
}

#endif /* HAUL_MEDDLER_H */
