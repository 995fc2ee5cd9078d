// SPDX-License-Identifier: GPL-2.0
/*
 * Live conversations of every kind, with somebody on the cable who meddles with their packets
 * (meddler.h). Under the honest meddler each byte, message and datagram that is read must be the
 * right one, and many must come through; under the hostile one nothing is promised but that the
 * kernel survives (scripts/vm reads its log). After both, a good cable carries a transfer as if
 * nothing had been, and no connection is left behind.
 *
 * In the environment: HAUL_FUZZ_SECONDS a case (10), HAUL_FUZZ_SEED (the seed is printed; packets
 * come in an order that the machine decides, so it repeats a kind of trouble, not a run).
 */
#include "meddler.h"
#include "kselftest_harness.h"

#define TALKERS		6
#define KINDS		3
#define CHUNK_MAX	12000

static const int kinds[KINDS] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };

FIXTURE(fuzz_packets) {
	struct meddler *m;
};

FIXTURE_VARIANT(fuzz_packets) {
	int family;
	bool hostile;
};

FIXTURE_VARIANT_ADD(fuzz_packets, honest_v4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(fuzz_packets, honest_v6) { .family = AF_INET6 };
FIXTURE_VARIANT_ADD(fuzz_packets, hostile_v4) { .family = AF_INET, .hostile = true };
FIXTURE_VARIANT_ADD(fuzz_packets, hostile_v6) { .family = AF_INET6, .hostile = true };

static unsigned long number_from(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

FIXTURE_SETUP(fuzz_packets)
{
	static const char *const brief[] = { "fin_timeout_ms", "msl_ms" };
	unsigned int seed = number_from("HAUL_FUZZ_SEED", 1), i;

	TH_LOG("seed %u", seed);
	self->m = calloc(1, sizeof(*self->m));
	ASSERT_NE(NULL, self->m);
	meddler_up(self->m, variant->family, variant->hostile, seed);
	for (i = 0; i < 2; i++) {
		setting(near_host, brief[i], 500);
		setting(far_host, brief[i], 500);
	}
	setting(near_host, "orphan_retries", 1);
	setting(far_host, "orphan_retries", 1);
}

FIXTURE_TEARDOWN(fuzz_packets)
{
	meddler_down(self->m);
	free(self->m);
}

static bool stop, honest;
static unsigned long exchanged[KINDS];	/* chunks that came back right */
static unsigned long wrong;		/* and other than they went */

/* ---------------------------------------------------------------- the far side: an echo */

struct echo {
	int fd;
	int type;
	size_t held, at;
	uint8_t buf[CHUNK_MAX];
};

/* takes what is there, gives back what it holds; false: the connection is over */
static bool echo_goes_on(struct echo *e)
{
	ssize_t n;

	if (!e->held) {
		n = recv(e->fd, e->buf, sizeof(e->buf), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		e->held = n > 0 ? n : 0;
		e->at = 0;
	}
	if (e->held) {
		n = send(e->fd, e->buf + e->at, e->held - e->at, MSG_DONTWAIT | MSG_EOR);
		if (n < 0 && errno != EAGAIN)
			return false;
		e->at += n > 0 ? n : 0;
		if (e->at == e->held)
			e->held = 0;
	}
	return true;
}

static void echo_step(struct echo *e)
{
	if (echo_goes_on(e))
		return;
	close(e->fd);
	e->fd = -1;
}

/* what poll() is to wait for: at a connection, or else at a door */
static struct pollfd echo_awaits(const struct echo *e, int door)
{
	if (!e)
		return (struct pollfd){ .fd = door, .events = POLLIN };
	return (struct pollfd){ .fd = e->fd, .events = e->held ? POLLOUT : POLLIN };
}

#define ECHOES	64

static void echo_accept(struct echo *echoes, int listener, int type)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), i;

	if (fd < 0)
		return;
	option(fd, SOL_HAUL, HAUL_USER_TIMEOUT, 2000);
	for (i = 0; i < ECHOES && echoes[i].fd >= 0; i++)
		;
	if (i == ECHOES) {
		close(fd);
		return;
	}
	echoes[i] = (struct echo){ .fd = fd, .type = type };
}

static void echo_datagrams(int fd)
{
	static uint8_t buf[CHUNK_MAX];
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)&from, &len);

	if (n >= 0)
		sendto(fd, buf, n, MSG_DONTWAIT, (void *)&from, len);
}

static int far_door(int type, int family)
{
	const char *any = family == AF_INET ? "0.0.0.0" : "::";
	int fd;

	if (type != SOCK_DGRAM)
		return listener_of(type, far_host, any, PORT, 32);
	fd = socket_at(far_host, family, type);
	if (bind_to(fd, any, PORT))
		die("bind");
	return fd;
}

static void *echo_work(void *arg)
{
	static struct echo echoes[ECHOES];
	int doors[KINDS], family = *(int *)arg, i;

	for (i = 0; i < KINDS; i++)
		doors[i] = far_door(kinds[i], family);
	for (i = 0; i < ECHOES; i++)
		echoes[i].fd = -1;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		struct pollfd pfds[KINDS + ECHOES];

		for (i = 0; i < KINDS + ECHOES; i++)
			pfds[i] = echo_awaits(i < KINDS ? NULL : &echoes[i - KINDS],
					      doors[i % KINDS]);
		poll(pfds, KINDS + ECHOES, 20);
		for (i = 0; i < KINDS + ECHOES; i++) {
			if (!pfds[i].revents)
				continue;
			if (i < KINDS && kinds[i] == SOCK_DGRAM)
				echo_datagrams(doors[i]);
			else if (i < KINDS)
				echo_accept(echoes, doors[i], kinds[i]);
			else
				echo_step(&echoes[i - KINDS]);
		}
	}
	for (i = 0; i < ECHOES; i++)
		if (echoes[i].fd >= 0)
			close(echoes[i].fd);
	for (i = 0; i < KINDS; i++)
		close(doors[i]);
	return NULL;
}

/* ---------------------------------------------------------------- the near side: talkers */

struct talker {
	pthread_t thread;
	unsigned int seed;
	int family;
	uint64_t place;			/* in the bytes of byte_at(): no two chunks look alike */
	uint8_t sent[CHUNK_MAX], got[CHUNK_MAX];
};

static uint32_t pick(struct talker *t, uint32_t below)
{
	return (uint32_t)rand_r(&t->seed) % below;
}

static int talker_socket(struct talker *t, int type)
{
	struct timeval patience = { .tv_usec = 500000 };
	int fd = socket_at(near_host, t->family, type);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (type != SOCK_DGRAM)
		option(fd, SOL_HAUL, HAUL_USER_TIMEOUT, 2000);
	return fd;
}

/* the echo of the last chunk; a stream's may come in pieces. 0: none came */
static size_t talker_hear(struct talker *t, int fd, int type, size_t size)
{
	size_t got = 0;
	ssize_t n;

	do {
		n = recv(fd, t->got + got, type == SOCK_STREAM ? size - got : sizeof(t->got), 0);
		if (n <= 0)
			return 0;
		got += n;
	} while (type == SOCK_STREAM && got < size);
	return got;
}

/*
 * A late echo of an older datagram may come first: the network may hold packets back. What begins
 * with this one's number is compared, an older one is not waited for.
 */
static bool talker_right(const struct talker *t, int type, size_t got, size_t size)
{
	if (type == SOCK_DGRAM && memcmp(t->got, t->sent, 8))
		return true;
	return got == size && !memcmp(t->got, t->sent, size);
}

/* one chunk there and back; false: the connection is over */
static bool talker_exchange(struct talker *t, int fd, int kind)
{
	size_t size = 8 + pick(t, pick(t, 2) ? 200 : CHUNK_MAX - 8), at, got;
	ssize_t n;

	for (at = 0; at < size; at++)
		t->sent[at] = byte_at(t->place + at);
	memcpy(t->sent, &t->place, 8);
	t->place += size;
	for (at = 0; at < size; at += n) {
		n = send(fd, t->sent + at, size - at, MSG_EOR);
		if (n <= 0)
			return false;
	}
	got = talker_hear(t, fd, kinds[kind], size);
	if (!got)
		return kinds[kind] == SOCK_DGRAM;
	if (talker_right(t, kinds[kind], got, size))
		__atomic_fetch_add(&exchanged[kind], 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	return true;
}

static void talker_end(struct talker *t, int fd)
{
	struct linger abort = { .l_onoff = 1 };

	if (!pick(t, 4))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	if (!pick(t, 4))
		shutdown(fd, pick(t, 3));
	close(fd);
}

static void *talker_work(void *arg)
{
	struct talker *t = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		int kind = pick(t, KINDS), fd = talker_socket(t, kinds[kind]);
		unsigned int rounds = pick(t, 20);

		if (!connect_to(fd, far_address(t->family), PORT))
			while (rounds-- && talker_exchange(t, fd, kind))
				;
		talker_end(t, fd);
	}
	return NULL;
}

/* ---------------------------------------------------------------- cases */

/* lines of /proc/net/haul/sockets on that host, without the heading; @told: printed, too */
static int sockets_at(int host, bool told)
{
	char line[512];
	int num = -1, old = here();
	FILE *file;

	go_to(host);
	file = fopen("/proc/thread-self/net/haul/sockets", "r");
	if (!file)
		die("/proc/net/haul/sockets");
	for (; fgets(line, sizeof(line), file); num++)
		if (told)
			printf("# %s", line);
	fclose(file);
	go_to(old);
	close(old);
	return num;
}

static bool nothing_left(void)
{
	int rounds = 9;

	while (rounds--)
		if (wait_until(!sockets_at(near_host, false) && !sockets_at(far_host, false)))
			return true;
	sockets_at(near_host, true);
	sockets_at(far_host, true);
	return false;
}

static void talk(struct meddler *m, int family, unsigned long seconds)
{
	static struct talker talkers[TALKERS];
	pthread_t echo;
	int i;

	stop = false;
	if (pthread_create(&echo, NULL, echo_work, &family))
		die("a thread");
	for (i = 0; i < TALKERS; i++) {
		talkers[i].family = family;
		talkers[i].seed = m->seed + 1 + i;
		talkers[i].place = (uint64_t)i << 40;
		if (pthread_create(&talkers[i].thread, NULL, talker_work, &talkers[i]))
			die("a thread");
	}
	__atomic_store_n(&m->percent, honest ? 15 : 30, __ATOMIC_RELAXED);
	pause_us(seconds * SECOND);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < TALKERS; i++)
		pthread_join(talkers[i].thread, NULL);
	pthread_join(echo, NULL);
	__atomic_store_n(&m->percent, 0, __ATOMIC_RELAXED);
}

TEST_F_TIMEOUT(fuzz_packets, conversations, 100000)
{
	unsigned long seconds = number_from("HAUL_FUZZ_SECONDS", 10);
	struct pair p;
	uint64_t over;
	int i;

	honest = !variant->hostile;
	talk(self->m, variant->family, seconds);
	TH_LOG("%lu packets, %lu meddled with", self->m->carried, self->m->meddled);
	TH_LOG("came back right: %lu chunks, %lu messages, %lu datagrams", exchanged[0],
	       exchanged[1], exchanged[2]);
	EXPECT_GT(self->m->meddled, 100);
	if (honest) {
		EXPECT_EQ(0, wrong);
		for (i = 0; i < KINDS; i++)
			EXPECT_GT(exchanged[i], 0);
	}
	over = now_us();
	ASSERT_TRUE(nothing_left());
	TH_LOG("nothing left after %llu ms", (unsigned long long)(now_us() - over) / MS);
	p = connected(variant->family);
	transfer(p.client, p.server, 300000);
	transfer(p.server, p.client, 300000);
	done(&p);
	EXPECT_TRUE(nothing_left());
}

TEST_HARNESS_MAIN
