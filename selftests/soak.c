// SPDX-License-Identifier: GPL-2.0
/*
 * Soak: connections come and go, over a cable whose qualities change all the time, in streams and
 * messages, ended in all ways; every byte is looked at, and memory stays what it was.
 * HAUL_SOAK_SECONDS in the environment says for how long (`make soak`), HAUL_SOAK_SEED which run it
 * is.
 */
#include "hosts.h"
#include "kselftest_harness.h"

#define TALKS		40		/* connections at a time */
#define SAMPLES		6		/* of memory */
#define LARGEST		100000		/* bytes that go at once */
#define GROWTH_KB	6144		/* what a machine's own housekeeping may make of it */
#define PROTOCOLS	"/proc/thread-self/net/protocols"

FIXTURE(soak) {
	char nothing;
};

FIXTURE_SETUP(soak)
{
	hosts_up();
}

FIXTURE_TEARDOWN(soak)
{
}

/* a connection, and what goes both ways */
struct talk {
	bool open, messages;
	int fd[2];
	struct flow flow[2];
};

static struct talk talks[TALKS];
static int listeners[2][2];		/* by IP version and type */
static unsigned long made, aborted;
static uint64_t carried;

static long environment(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? atol(text) : otherwise;
}

static int below(int n)
{
	return random() % n;
}

static void talk_begin(struct talk *t)
{
	int six = below(2), family = six ? AF_INET6 : AF_INET;
	struct pair p;

	memset(t, 0, sizeof(*t));
	t->messages = !below(4);
	p.listener = listeners[six][t->messages];
	p.client = socket_at(near_host, family, t->messages ? SOCK_SEQPACKET : SOCK_STREAM);
	if (connect_to(p.client, far_address(family), port_of(p.listener)))
		die("connect");
	t->fd[0] = p.client;
	t->fd[1] = accepted(p.listener);
	t->flow[0] = (struct flow){ .from = t->fd[0], .to = t->fd[1] };
	t->flow[1] = (struct flow){ .from = t->fd[1], .to = t->fd[0] };
	t->open = true;
	made++;
}

/* some bytes more, one way or the other; what has arrived is read, or left for later */
static void talk_on(struct talk *t)
{
	struct flow *f = &t->flow[below(2)];
	int size = 1 + below(below(2) ? 2000 : LARGEST);

	flow_send(f, f->sent + size, size);
	if (below(4))
		/* of a message, what is not read at once is thrown away */
		while (flow_receive(f, t->messages ? 65536 : 1 + below(65536)) > 0)
			;
}

/* all that was sent arrives; then the end, from one side or from both, or in a half-closed way */
static void talk_end(struct talk *t)
{
	int first = below(2), how = below(3);
	struct linger hard = { .l_onoff = 1 };
	char c;

	if (!below(10)) {
		setsockopt(t->fd[first], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		aborted++;
	} else {
		flow_run(&t->flow[0], t->flow[0].sent, 1, 65536);
		flow_run(&t->flow[1], t->flow[1].sent, 1, 65536);
		if (how == 0) {
			shutdown(t->fd[first], SHUT_WR);
			if (!poll_for(t->fd[!first], POLLIN, 60000) ||
			    recv(t->fd[!first], &c, 1, 0))
				die("no end of file");
			flow_send(&t->flow[!first], t->flow[!first].sent + 5000, 5000);
			flow_run(&t->flow[!first], t->flow[!first].sent, 1, 65536);
		}
	}
	carried += t->flow[0].received + t->flow[1].received;
	close(t->fd[first]);
	close(t->fd[!first]);
	t->open = false;
}

static void cable_changes(void)
{
	static const char *const qualities[] = {
		"delay 1ms", "delay 5ms 3ms loss 1%", "delay 2ms loss 3% reorder 20% 50%",
		"rate 50mbit delay 1ms limit 300", "delay 1ms duplicate 5%", "delay 10ms",
		"delay 1ms corrupt 1%", "rate 10mbit limit 60",
	};

	link_set(qualities[below(sizeof(qualities) / sizeof(qualities[0]))]);
}

/* kB of the kernel's own memory, with nothing open and all that was in TIME-WAIT gone */
static long memory_at_rest(struct __test_metadata *_metadata)
{
	int i;

	for (i = 0; i < TALKS; i++)
		if (talks[i].open)
			talk_end(&talks[i]);
	link_set("delay 1ms");
	EXPECT_TRUE(wait_until(line_of(PROTOCOLS, "HAUL %*u %*d %ld") <= 512));
	/* only the listeners */
	EXPECT_TRUE(wait_until(line_of(PROTOCOLS, "HAUL %*u %ld") <= 4));
	return line_of("/proc/meminfo", "Slab: %ld") + line_of("/proc/meminfo", "Percpu: %ld") +
	       line_of("/proc/meminfo", "KernelStack: %ld");
}

/* for @us: connections by the dozen, each in the middle of something */
static void churn(uint64_t us)
{
	uint64_t until = now_us() + us, change = 0;

	while (now_us() < until) {
		struct talk *t = &talks[below(TALKS)];

		if (now_us() > change) {
			cable_changes();
			change = now_us() + us / 4;
		}
		if (!t->open)
			talk_begin(t);
		else if (below(6))
			talk_on(t);
		else
			talk_end(t);
	}
}

/* no byte is wrong, no connection stays, and the memory of the last part is that of the first */
TEST_F_TIMEOUT(soak, churn, 1000000)
{
	uint64_t seconds = environment("HAUL_SOAK_SECONDS", 24);
	long first = 0, now = 0;
	int i;

	srandom(environment("HAUL_SOAK_SEED", 1));
	/* TIME-WAIT is short here, and who is gone is not waited for */
	for (i = 0; i < 2; i++) {
		int host = i ? far_host : near_host;

		setting(host, "msl_ms", 100);
		setting(host, "orphan_retries", 3);
		listeners[i][0] = listener_at(far_host, i ? "::" : "0.0.0.0", PORT + i, 64);
		listeners[i][1] = listener_of(SOCK_SEQPACKET, far_host, i ? "::" : "0.0.0.0",
					      PORT + i, 64);
	}
	for (i = 0; i < SAMPLES; i++) {
		churn(seconds * SECOND / SAMPLES);
		now = memory_at_rest(_metadata);
		TH_LOG("%lu connections, %lu of them aborted, %llu MB: %ld kB in the kernel", made,
		       aborted, (unsigned long long)carried >> 20, now);
		if (i == 1)
			first = now;	/* caches and the like have what they want */
	}
	EXPECT_GE(first + GROWTH_KB, now);
	EXPECT_LT(TALKS, made);
}

TEST_HARNESS_MAIN
