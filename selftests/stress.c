// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads do anything to a few shared sockets of all types, at random, are interrupted by
 * signals and fork children that hold the same sockets: what breaks here is a race. The test is
 * that the kernel survives it without a complaint (scripts/vm reads its log) and that no call
 * hangs. HAUL_STRESS_SECONDS and HAUL_STRESS_SEED in the environment; the seed is printed.
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <linux/sockios.h>
#include "capture.h"
#include "kselftest_harness.h"

#define THREADS	8
#define SLOTS	12
#define PORTS	4

FIXTURE(stress) {
	char nothing;
};

static volatile bool stop;
static int slots[SLOTS];		/* descriptors, -1: none; changed by anybody at any time */
static unsigned long calls;

struct worker {
	pthread_t thread;
	unsigned int seed;
};

static unsigned int pick(struct worker *w, unsigned int below)
{
	return rand_r(&w->seed) % below;
}

static struct sockaddr_in6 somewhere(struct worker *w)
{
	static const char *const texts[] = {
		"127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"
	};

	return address(texts[pick(w, 5)], PORT + pick(w, PORTS));
}

/* every socket has short timeouts, so that a thread which waits comes back */
static int fresh(struct worker *w)
{
	struct timeval tv = { .tv_usec = 1000 * (1 + pick(w, 30)) };
	static const int types[] = {
		SOCK_STREAM, SOCK_STREAM, SOCK_STREAM, SOCK_SEQPACKET, SOCK_SEQPACKET, SOCK_DGRAM
	};
	int family = pick(w, 2) ? AF_INET : AF_INET6, one = 1;
	int fd = socket(family, types[pick(w, over_tcp() ? 1 : 6)], over_tcp() ? 0 : IPPROTO_HAUL);

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static void put(struct worker *w, int fd)
{
	int old = __atomic_exchange_n(&slots[pick(w, SLOTS)], fd, __ATOMIC_SEQ_CST);

	if (old >= 0)
		close(old);
}

static void set_something(struct worker *w, int fd)
{
	static const int levels[] = {
		SOL_SOCKET, SOL_HAUL, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP
	};
	struct linger linger = { .l_onoff = pick(w, 2), .l_linger = pick(w, 2) };
	struct timeval tv = { .tv_usec = 20000 };
	int value[16] = { pick(w, 2) ? pick(w, 100000) : pick(w, 3) - 1 };

	if (!pick(w, 8))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	else
		setsockopt(fd, levels[pick(w, 6)], pick(w, 80), value,
			   pick(w, 4) ? sizeof(int) : pick(w, sizeof(value)));
	/* some numbers of the above are times: make them short again */
	value[0] = 1;
	setsockopt(fd, SOL_HAUL, HAUL_LINGER2, value, sizeof(int));
	setsockopt(fd, SOL_HAUL, HAUL_DEFER_ACCEPT, value, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static void look(struct worker *w, int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);
	struct haul_info info;
	int value;

	getsockname(fd, (void *)&sin6, &len);
	len = sizeof(sin6);
	getpeername(fd, (void *)&sin6, &len);
	len = sizeof(info);
	getsockopt(fd, SOL_HAUL, pick(w, 40), &info, &len);
	len = sizeof(info);
	getsockopt(fd, SOL_HAUL, HAUL_INFO, &info, &len);
	ioctl(fd, SIOCINQ, &value);
	ioctl(fd, SIOCOUTQ, &value);
	poll_for(fd, POLLIN | POLLOUT, pick(w, 2));
}

static void move_data(struct worker *w, int fd)
{
	static __thread char buf[100000];
	int flags = MSG_NOSIGNAL | (pick(w, 2) ? MSG_DONTWAIT : 0), ends[2];
	struct iovec iov = { .iov_base = buf, .iov_len = pick(w, 9000) };
	struct mmsghdr many[3] = {
		{ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } },
	};
	struct sockaddr_in6 to = somewhere(w);

	switch (pick(w, 10)) {
	case 0:
		recv(fd, buf, pick(w, sizeof(buf)), flags | (pick(w, 4) ? 0 : MSG_PEEK));
		break;
	case 1:
		recv(fd, buf, pick(w, sizeof(buf)), flags | (pick(w, 2) ? MSG_WAITALL : MSG_TRUNC));
		break;
	case 2:
		recvmmsg(fd, many, 3, flags | (pick(w, 2) ? MSG_ERRQUEUE : 0), NULL);
		break;
	case 3:
		sendmmsg(fd, many, 3, flags | (pick(w, 2) ? MSG_EOR : MSG_ZEROCOPY));
		break;
	case 4:
		sendto(fd, buf, pick(w, 3000), flags, (void *)&to, sizeof(to));
		break;
	case 5:
		if (pipe2(ends, O_NONBLOCK))
			break;
		splice(fd, NULL, ends[1], NULL, pick(w, 60000), SPLICE_F_NONBLOCK);
		splice(ends[0], NULL, slots[pick(w, SLOTS)], NULL, 60000, SPLICE_F_NONBLOCK);
		close(ends[0]);
		close(ends[1]);
		break;
	default:
		send(fd, buf, pick(w, sizeof(buf)), flags | (pick(w, 4) ? 0 : MSG_MORE));
	}
}

static void connect_or_bind(struct worker *w, int fd)
{
	struct sockaddr_in6 to = somewhere(w);

	switch (pick(w, 4)) {
	case 0:
		bind(fd, (void *)&to, sizeof(to));
		listen(fd, pick(w, 4));
		break;
	case 1:
		if (!pick(w, 4))
			to.sin6_family = AF_UNSPEC;
		connect(fd, (void *)&to, sizeof(to));
		break;
	default:
		connect(fd, (void *)&to, sizeof(to));
	}
}

/* a child shares every socket for a moment, and drops its own hold on them when it ends */
static void fork_one(struct worker *w, int fd)
{
	pid_t pid = fork();

	if (!pid) {
		send(fd, "child", 5, MSG_DONTWAIT | MSG_NOSIGNAL);
		shutdown(fd, pick(w, 8));
		_exit(0);
	}
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
}

static void anything(struct worker *w)
{
	int fd = slots[pick(w, SLOTS)];

	if (fd < 0) {
		put(w, fresh(w));
		return;
	}
	switch (pick(w, 15)) {
	case 0:
		put(w, fresh(w));
		break;
	case 1:
		put(w, -1);
		break;
	case 2:
	case 3:
		connect_or_bind(w, fd);
		break;
	case 4:
	case 5:
		fd = accept4(fd, NULL, NULL, pick(w, 2) ? SOCK_NONBLOCK : 0);
		if (fd >= 0)
			put(w, fd);
		break;
	case 6:
		shutdown(fd, pick(w, 3));
		break;
	case 7:
		set_something(w, fd);
		break;
	case 8:
		look(w, fd);
		break;
	case 9:
		put(w, dup(fd));
		break;
	case 10:
		if (!pick(w, 20))
			fork_one(w, fd);
		break;
	default:
		move_data(w, fd);
	}
}

static void *work(void *arg)
{
	while (!stop) {
		anything(arg);
		__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void on_signal(int sig)
{
}

/* a signal for each of them now and then, which ends a call that waits */
static void interrupt_all(struct worker *workers)
{
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_kill(workers[i].thread, SIGUSR1);
}

/* ends every connection that is stuck in some state: by the timers, which are made short */
static void short_lives(void)
{
	setting(near_host, "msl_ms", 100);
	setting(near_host, "fin_timeout_ms", 500);
	setting(near_host, "orphan_retries", 1);
	setting(near_host, "syn_retries", 1);
	setting(near_host, "synack_retries", 1);
	setting(near_host, "retries2", 3);
}

FIXTURE_SETUP(stress)
{
	struct sigaction act = { .sa_handler = on_signal };	/* no SA_RESTART */

	signal(SIGPIPE, SIG_IGN);
	near_host = new_host();
	run("ip link set lo up");
	short_lives();
	sigaction(SIGUSR1, &act, NULL);
}

FIXTURE_TEARDOWN(stress)
{
}

static void run_stress(struct __test_metadata *_metadata, int seconds)
{
	const char *given = getenv("HAUL_STRESS_SEED");
	unsigned int seed = given ? atoi(given) : time(NULL);
	static struct worker workers[THREADS];
	uint64_t end;
	int i;

	TH_LOG("HAUL_STRESS_SEED=%u", seed);
	for (i = 0; i < SLOTS; i++)
		slots[i] = -1;
	for (i = 0; i < THREADS; i++) {
		workers[i].seed = seed + i;
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	}
	end = now_us() + seconds * SECOND;
	while (now_us() < end) {
		unsigned long before = calls;
		int i;

		for (i = 0; i < 20; i++) {
			pause_us(50 * MS);
			interrupt_all(workers);
		}
		EXPECT_LT(before, calls);
	}
	stop = true;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
	TH_LOG("%lu calls", calls);
	for (i = 0; i < SLOTS; i++)
		if (slots[i] >= 0)
			close(slots[i]);
}

static int stress_seconds(void)
{
	return getenv("HAUL_STRESS_SECONDS") ? atoi(getenv("HAUL_STRESS_SECONDS")) : 8;
}

TEST_F_TIMEOUT(stress, on_loopback, 10000)
{
	run_stress(_metadata, stress_seconds());
}

/* packets are lost, late and twice: states last longer, more can happen in them */
TEST_F_TIMEOUT(stress, on_a_bad_loopback, 10000)
{
	run("tc qdisc add dev lo root netem delay 1ms 1ms loss 3%% duplicate 2%% reorder 10%%");
	run_stress(_metadata, stress_seconds());
}

TEST_HARNESS_MAIN
