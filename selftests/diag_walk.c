// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps while sockets come, go and change: whoever is there all the time is told of once, exactly,
 * through netlink and in /proc/net/haul/sockets; and sockets as they are destroyed.
 */
#include <pthread.h>
#include <sys/resource.h>
#include "diag.h"
#include "kselftest_harness.h"

#define STAY	1500		/* connections that live throughout; HAUL_SOCKETS makes it more */
#define DUMPS	6

FIXTURE(diag_walk) {
	char nothing;
};

FIXTURE_SETUP(diag_walk)
{
	struct rlimit files = { 200000, 200000 };

	signal(SIGPIPE, SIG_IGN);
	near_host = new_host();
	run("ip link set lo up");
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("setrlimit");
}

FIXTURE_TEARDOWN(diag_walk)
{
}

static int how_many(void)
{
	const char *text = getenv("HAUL_SOCKETS");

	return text ? atoi(text) : STAY;
}

struct crowd {
	int listener, num;
	struct pair *at;
};

/* @num connections over loopback, each 10000 to another address */
static struct crowd crowd_up(int num)
{
	struct crowd c = { .num = num };
	char text[32];
	int i;

	c.listener = listener_at(near_host, "0.0.0.0", PORT, 1024);
	c.at = calloc(num, sizeof(*c.at));
	for (i = 0; i < num; i++) {
		snprintf(text, sizeof(text), "127.1.0.%d", 1 + i / 10000);
		c.at[i].client = stream(near_host, AF_INET);
		if (connect_to(c.at[i].client, text, PORT))
			die("connect %d", i);
		c.at[i].server = accepted(c.listener);
	}
	return c;
}

static void crowd_down(struct crowd *c)
{
	int i;

	for (i = 0; i < c->num; i++) {
		close(c->at[i].client);
		close(c->at[i].server);
	}
	close(c->listener);
	free(c->at);
}

/* connections that come and go while somebody looks */
static volatile bool churn_on;
static long churned;

static void *churn(void *arg)
{
	int listener = listener_at(near_host, "127.0.0.1", PORT + 1, 16);
	struct linger reset = { .l_onoff = 1 };

	while (churn_on) {
		int client = stream(near_host, AF_INET), server;

		if (!connect_to(client, "127.0.0.1", PORT + 1)) {
			server = accepted(listener);
			/* some to TIME-WAIT, some reset */
			if (churned % 2)
				setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			close(client);
			close(server);
			churned++;
		} else {
			close(client);
		}
	}
	close(listener);
	return NULL;
}

static int by_cookie(const void *a, const void *b)
{
	uint64_t x = seen_cookie(a), y = seen_cookie(b);

	return x < y ? -1 : x > y;
}

/* how often a cookie is in a sorted list */
static int times_sorted(const struct seen_list *list, uint64_t cookie)
{
	struct seen key = { .msg.id.cookie = { (uint32_t)cookie, cookie >> 32 } };
	const struct seen *end = list->at + list->num, *s, *first;
	int times = 0;

	first = bsearch(&key, list->at, list->num, sizeof(*first), by_cookie);
	if (!first)
		return 0;
	for (s = first; s >= list->at && seen_cookie(s) == cookie; s--)
		times++;
	for (s = first + 1; s < end && seen_cookie(s) == cookie; s++)
		times++;
	return times;
}

/* how many of the crowd's sockets are not in the list exactly once */
static int crowd_wrong(const struct crowd *c, struct seen_list *list)
{
	int i, wrong = 0;

	qsort(list->at, list->num, sizeof(*list->at), by_cookie);
	for (i = 0; i < c->num; i++) {
		wrong += times_sorted(list, cookie_of(c->at[i].client)) != 1;
		wrong += times_sorted(list, cookie_of(c->at[i].server)) != 1;
	}
	return wrong + (times_sorted(list, cookie_of(c->listener)) != 1);
}

TEST_F(diag_walk, a_dump_in_a_crowd_that_comes_and_goes)
{
	struct crowd c = crowd_up(how_many());
	struct haul_diag_req req = diag_all();
	struct seen_list list;
	pthread_t thread;
	int i;

	churn_on = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn, NULL));
	for (i = 0; i < DUMPS; i++) {
		long before = churned;
		uint64_t start = now_us();

		req.show = i % 2 ? HAUL_DIAG_SHOW_ALL : 0;
		list = diag_dump(near_host, &req);
		EXPECT_EQ(0, crowd_wrong(&c, &list));
		TH_LOG("%d sockets in %llu ms, %ld connections came and went", list.num,
		       (unsigned long long)(now_us() - start) / 1000, churned - before);
		free(list.at);
		ASSERT_TRUE(wait_until(churned > before));
	}
	churn_on = false;
	pthread_join(thread, NULL);
	crowd_down(&c);
}

/* a connection that ends in the middle of a dump stays in its place: it is told of once */
TEST_F(diag_walk, a_connection_that_changes_in_the_middle)
{
	/* to one address: ports tell them apart */
	struct crowd c = crowd_up(how_many() < 10000 ? how_many() : 10000);
	struct haul_diag_req req = diag_all();
	struct seen_list list = { 0 };
	int fd = diag_open(near_host), i, twice = 0, once = 0;
	static bool seen[65536];

	diag_send(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	/* the first part is told now, the rest when they have ended */
	ASSERT_EQ(1, diag_receive(fd, &list));
	ASSERT_LT(list.num, c.num);
	for (i = 0; i < c.num; i++)
		close(c.at[i].client);
	for (i = 0; i < c.num; i++)
		close(c.at[i].server);
	ASSERT_TRUE(wait_until(counter(near_host, "TimeWaits") == c.num));
	ASSERT_EQ(0, diag_answer(fd, &list));

	/* the client's end is the one that becomes a remnant */
	for (i = 0; i < list.num; i++) {
		uint16_t port = ntohs(list.at[i].msg.id.sport);

		if (port == PORT)
			continue;
		twice += seen[port];
		seen[port] = true;
	}
	EXPECT_EQ(0, twice);
	for (i = 0; i < 65536; i++)
		once += seen[i];
	EXPECT_EQ(c.num, once);
	free(list.at);
	free(c.at);
	close(c.listener);
	close(fd);
}

/*
 * Datagram sockets that share a port and are given other peers in the middle of a dump: each is
 * told of once
 */
TEST_F(diag_walk, datagram_sockets_that_change_in_the_middle)
{
	int num = how_many() < 10000 ? how_many() : 10000, *fds = calloc(num, sizeof(*fds)), i;
	struct haul_diag_req req = diag_all();
	struct seen_list list = { 0 };
	int nl = diag_open(near_host), wrong = 0;

	for (i = 0; i < num; i++) {
		fds[i] = socket_at(near_host, AF_INET, SOCK_DGRAM);
		option(fds[i], SOL_SOCKET, SO_REUSEADDR, 1);
		if (bind_to(fds[i], "0.0.0.0", PORT) || connect_to(fds[i], "127.0.0.1", 1 + i))
			die("datagram socket %d", i);
	}
	diag_send(nl, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	ASSERT_EQ(1, diag_receive(nl, &list));
	ASSERT_LT(list.num, num);
	for (i = 0; i < num; i++)
		ASSERT_EQ(0, connect_to(fds[i], "127.0.0.2", 20000 + i));
	ASSERT_EQ(0, diag_answer(nl, &list));

	EXPECT_EQ(num, list.num);
	qsort(list.at, list.num, sizeof(*list.at), by_cookie);
	for (i = 0; i < num; i++) {
		wrong += times_sorted(&list, cookie_of(fds[i])) != 1;
		close(fds[i]);
	}
	EXPECT_EQ(0, wrong);
	free(list.at);
	free(fds);
	close(nl);
}

/* ---------------------------------------------------------------- /proc */

/* reads it in pieces of @size bytes; how many lines, and how many of them hold @text */
static int proc_lines(size_t size, const char *text, int *with)
{
	int fd = open("/proc/thread-self/net/haul/sockets", O_RDONLY), lines = 0;
	char *all = NULL, *line, *save;
	size_t len = 0;
	ssize_t n;

	do {
		all = realloc(all, len + size + 1);
		n = read(fd, all + len, size);
		len += n > 0 ? n : 0;
	} while (n > 0);
	all[len] = 0;
	close(fd);
	*with = 0;
	for (line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		lines++;
		*with += !!strstr(line, text);
	}
	free(all);
	return lines;
}

TEST_F(diag_walk, proc_in_pieces)
{
	struct crowd c = crowd_up(100);
	int with, other;

	/* a title, both ends of each connection, the listener */
	EXPECT_EQ(1 + 2 * 100 + 1, proc_lines(65536, " ESTABLISHED ", &with));
	EXPECT_EQ(200, with);
	EXPECT_EQ(202, proc_lines(61, " LISTEN ", &with));
	EXPECT_EQ(1, with);
	EXPECT_EQ(202, proc_lines(1000, "stream ", &with));
	EXPECT_EQ(201, with);

	/* another namespace's */
	other = new_host();
	EXPECT_EQ(1, proc_lines(65536, "stream ", &with));
	close(other);
	go_to(near_host);
	crowd_down(&c);
}

TEST_F(diag_walk, datagram_sockets_in_proc)
{
	int waits = socket_at(near_host, AF_INET6, SOCK_DGRAM);
	int sends = socket_at(near_host, AF_INET, SOCK_DGRAM), with;
	char line[64];

	ASSERT_EQ(0, bind_to(waits, "::", PORT));
	EXPECT_EQ(2, proc_lines(65536, " CLOSED ", &with));
	EXPECT_EQ(1, with);
	ASSERT_EQ(0, connect_to(sends, "127.0.0.1", PORT));
	EXPECT_EQ(3, proc_lines(65536, "datagram ", &with));
	EXPECT_EQ(2, with);
	snprintf(line, sizeof(line), " 127.0.0.1:%d ", port_of(sends));
	proc_lines(65536, line, &with);
	EXPECT_EQ(1, with);
	close(sends);
	close(waits);
	EXPECT_EQ(1, proc_lines(65536, "datagram ", &with));
}

TEST_F(diag_walk, proc_from_any_place)
{
	struct crowd c = crowd_up(50);
	char all[32768], part[512];
	int fd = open("/proc/thread-self/net/haul/sockets", O_RDONLY), i;
	ssize_t len = 0, n;

	while ((n = read(fd, all + len, sizeof(all) - len)) > 0)
		len += n;
	ASSERT_LT(5000, len);
	for (i = 0; i < 40; i++) {
		off_t at = (len - sizeof(part)) / 40 * (i * 7 % 40);

		n = pread(fd, part, sizeof(part), at);
		ASSERT_LT(0, n);
		EXPECT_EQ(0, memcmp(part, all + at, n));
	}
	close(fd);
	crowd_down(&c);
}

/* ---------------------------------------------------------------- sockets as they go */

/* the number of the group, asked of the kernel; it is the only one of that name in the answer */
static int event_group(int fd)
{
	struct {
		struct genlmsghdr genl;
		struct nlattr attr;
		char name[12];
	} req = {
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attr = { .nla_type = CTRL_ATTR_FAMILY_NAME,
			  .nla_len = NLA_HDRLEN + sizeof(HAUL_DIAG_GENL_NAME) },
		.name = HAUL_DIAG_GENL_NAME,
	};
	static char buf[8192] __attribute__((aligned(8)));
	ssize_t len;
	char *at;

	diag_send(fd, GENL_ID_CTRL, 0, &req, sizeof(req));
	len = recv(fd, buf, sizeof(buf), 0);
	if (len <= 0)
		die("CTRL_CMD_GETFAMILY");
	at = memmem(buf, len, HAUL_DIAG_GENL_GROUP, sizeof(HAUL_DIAG_GENL_GROUP));
	if (!at)
		die("no group");
	/* its number is the attribute before the name's */
	return *(int *)(at - NLA_HDRLEN - sizeof(int));
}

static int listen_to_events(int host)
{
	int fd = diag_open_bus(host, NETLINK_GENERIC), group = event_group(fd);

	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		die("NETLINK_ADD_MEMBERSHIP");
	return fd;
}

static struct seen next_event(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	static char buf[8192] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = (void *)buf;
	struct seen s = { 0 };

	if (poll(&pfd, 1, 10000) != 1 || recv(fd, buf, sizeof(buf), 0) < NLMSG_HDRLEN)
		die("no event");
	seen_attributes(&s, (char *)NLMSG_DATA(nlh) + GENL_HDRLEN, buf + nlh->nlmsg_len);
	return s;
}

TEST_F(diag_walk, sockets_as_they_are_destroyed)
{
	int events = listen_to_events(near_host), elsewhere = listen_to_events(new_host());
	struct crowd c;
	uint64_t client, server;
	struct seen s;
	int i;

	go_to(near_host);
	c = crowd_up(1);
	client = cookie_of(c.at[0].client);
	server = cookie_of(c.at[0].server);
	transfer(c.at[0].client, c.at[0].server, 5000);
	close(c.at[0].client);
	close(c.at[0].server);
	for (i = 0; i < 2; i++) {
		s = next_event(events);
		EXPECT_EQ(AF_HAUL, s.msg.family);
		EXPECT_TRUE(s.has_info);
		EXPECT_TRUE(s.has_mem);
		EXPECT_FALSE(s.has_mark);
		/* each once */
		if (seen_cookie(&s) == client) {
			EXPECT_EQ(5000, s.info.bytes_acked);
			client = 0;
		} else {
			EXPECT_EQ(server, seen_cookie(&s));
			EXPECT_EQ(5000, s.info.bytes_received);
			server = 0;
		}
	}
	EXPECT_EQ(0, poll_for(elsewhere, POLLIN, 0));
	/* what nobody ever saw is not told of: a socket that was only bound */
	close(stream(near_host, AF_INET));
	close(c.listener);
	s = next_event(events);
	EXPECT_EQ(PORT, ntohs(s.msg.id.sport));
	EXPECT_EQ(0, poll_for(events, POLLIN, 0));
	free(c.at);

	/* a datagram socket's last peer; nothing of one that never had a port */
	close(socket_at(near_host, AF_INET, SOCK_DGRAM));
	i = socket_at(near_host, AF_INET, SOCK_DGRAM);
	ASSERT_EQ(0, connect_to(i, "127.0.0.1", PORT));
	client = cookie_of(i);
	close(i);
	s = next_event(events);
	EXPECT_EQ(client, seen_cookie(&s));
	EXPECT_EQ(3, s.msg.kind);
	EXPECT_EQ(PORT, ntohs(s.msg.id.dport));
	EXPECT_TRUE(s.has_mem);
	EXPECT_EQ(0, poll_for(events, POLLIN, 0));
}

TEST_HARNESS_MAIN
