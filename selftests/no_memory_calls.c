// SPDX-License-Identifier: GPL-2.0
/*
 * No memory (see no_memory.c), in calls that a program makes less often: pages that are not copied,
 * fast open, corked datagrams, groups, options, what is told of sockets; and in the coming of a
 * namespace and of the module. Whatever fails can be tried again, and nothing is lost or left over.
 */
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include "faults.h"
#include "kselftest_harness.h"

#define SIZE	60000

FAULTS_FIXTURE(no_memory_calls);

/* the next @size bytes of a flow, in a file of which all is read from memory */
static int file_of(const struct flow *f, size_t size)
{
	static uint8_t bytes[SIZE];
	int fd = syscall(SYS_memfd_create, "flow", 0);
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = byte_at(f->sent + i);
	if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		die("memfd");
	return fd;
}

/* a call that sent @sent bytes of the flow or failed for want of memory; the rest goes by send() */
static void went(struct flow *f, ssize_t sent, int n)
{
	if (sent < 0 && errno != EAGAIN && !no_memory(errno))
		die("allocation %d", n);
	f->sent += sent > 0 ? sent : 0;
	flow_run(f, f->sent + 1000, 65536, 65536);
}

TEST_F(no_memory_calls, zero_copy)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	static uint8_t bytes[SIZE];
	ssize_t sent;
	bool failed;
	size_t i;
	int n;

	option(p.client, SOL_HAUL, HAUL_ZEROCOPY, 1);
	for (n = 1; n < MOST; n++) {
		for (i = 0; i < SIZE; i++)
			bytes[i] = byte_at(f.sent + i);
		arm(n);
		sent = send(p.client, bytes, SIZE, MSG_DONTWAIT | MSG_ZEROCOPY);
		failed = disarm();
		went(&f, sent, n);
		if (!failed)
			break;
	}
	EXPECT_LT(2, n);
	EXPECT_GT(MOST, n);
	EXPECT_EQ(0, error_of(p.client));
	done(&p);
}

TEST_F(no_memory_calls, sendfile)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	int n, file;
	off_t off;
	ssize_t sent;
	bool failed;

	for (n = 1; n < MOST; n++) {
		file = file_of(&f, SIZE);
		off = 0;
		arm(n);
		sent = sendfile(p.client, file, &off, SIZE);
		failed = disarm();
		close(file);
		went(&f, sent, n);
		if (!failed)
			break;
	}
	EXPECT_LT(2, n);
	EXPECT_GT(MOST, n);
	done(&p);
}

TEST_F(no_memory_calls, splice)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	static uint8_t bytes[SIZE];
	int n, ends[2];
	bool failed;
	ssize_t got, i;

	ASSERT_EQ(0, pipe(ends));
	for (n = 1; n < MOST; n++) {
		flow_send(&f, f.sent + 20000, 20000);
		ASSERT_TRUE(poll_for(p.server, POLLIN, 10000));
		arm(n);
		got = splice(p.server, NULL, ends[1], NULL, SIZE, SPLICE_F_NONBLOCK);
		failed = disarm();
		if (got < 0)
			EXPECT_TRUE(errno == EAGAIN || no_memory(errno));
		if (got > 0) {
			ASSERT_EQ(got, read(ends[0], bytes, got));
			for (i = 0; i < got; i++)
				ASSERT_EQ(byte_at(f.received + i), bytes[i]);
			f.received += got;
		}
		flow_run(&f, f.sent, 65536, 65536);
		if (!failed && n > 3)
			break;
	}
	EXPECT_GT(MOST, n);
	close(ends[0]);
	close(ends[1]);
	done(&p);
}

TEST_F(no_memory_calls, fast_open)
{
	struct sockaddr_in6 to = address(far_address(variant->family), PORT);
	int listener, client, server, n;
	char out[100], in[100];
	bool failed;
	ssize_t sent;

	setting(near_host, "fastopen", 3);
	setting(far_host, "fastopen", 3);
	listener = listening(variant->family);
	option(listener, SOL_HAUL, HAUL_FASTOPEN, 64);
	memset(out, 'f', sizeof(out));
	for (n = 1; n < MOST; n++) {
		client = stream(near_host, variant->family);
		arm(n);
		sent = sendto(client, out, sizeof(out), MSG_FASTOPEN, (void *)&to, sizeof(to));
		failed = disarm();
		if (sent < 0) {
			EXPECT_TRUE(failed);
			EXPECT_TRUE(no_memory_for_route(variant->family, errno)) {
				TH_LOG("allocation %d: %s", n, strerror(errno));
			}
			close(client);
			continue;
		}
		server = accepted(listener);
		if (sent < (ssize_t)sizeof(out))
			ASSERT_EQ((ssize_t)sizeof(out) - sent,
				  send(client, out + sent, sizeof(out) - sent, 0));
		ASSERT_EQ((ssize_t)sizeof(in), recv(server, in, sizeof(in), MSG_WAITALL));
		EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
		transfer(server, client, 1000);
		close(client);
		close(server);
		if (!failed && n > 3)
			break;
	}
	EXPECT_LT(3, n);
	EXPECT_GT(MOST, n);
	close(listener);
}

/* put together of two calls, of which either may fail: then there is no datagram, or all of one */
TEST_F(no_memory_calls, corked_datagrams)
{
	int a = socket_at(near_host, variant->family, SOCK_DGRAM);
	int b = socket_at(far_host, variant->family, SOCK_DGRAM);
	struct sockaddr_in6 to = address(far_address(variant->family), PORT);
	static char out[6000], in[16000];
	bool failed;
	ssize_t len;
	int n, i;

	ASSERT_EQ(0, bind_to(b, far_address(variant->family), PORT));
	memset(out, 'c', sizeof(out));
	for (n = 1; n < MOST; n++) {
		arm(n);
		for (i = 0; i < 2; i++)
			if (sendto(a, out, sizeof(out), i ? 0 : MSG_MORE, (void *)&to,
				   sizeof(to)) < 0)
				EXPECT_TRUE(no_memory_for_route(variant->family, errno));
		failed = disarm();
		poll_for(b, POLLIN, failed ? 50 : 10000);
		while ((len = recv(b, in, sizeof(in), MSG_DONTWAIT)) >= 0)
			EXPECT_TRUE(len == sizeof(out) || len == 2 * sizeof(out));
		/* nothing stays corked */
		ASSERT_EQ((ssize_t)5, sendto(a, "hello", 5, 0, (void *)&to, sizeof(to)));
		ASSERT_TRUE(poll_for(b, POLLIN, 10000));
		len = recv(b, in, sizeof(in), 0);
		EXPECT_TRUE(len == 5 || (failed && len == (ssize_t)sizeof(out) + 5));
		if (!failed)
			break;
	}
	EXPECT_LT(2, n);
	EXPECT_GT(MOST, n);
	close(a);
	close(b);
}

TEST_F(no_memory_calls, groups_and_options)
{
	struct ip_mreqn mreq = { .imr_multiaddr.s_addr = htonl(0xe8010203) };
	struct ipv6_mreq mreq6 = {};
	int level = variant->family == AF_INET ? SOL_IP : SOL_IPV6, n, err;
	int joins = variant->family == AF_INET ? IP_ADD_MEMBERSHIP : IPV6_JOIN_GROUP;
	void *value = variant->family == AF_INET ? (void *)&mreq : (void *)&mreq6;
	socklen_t len = variant->family == AF_INET ? sizeof(mreq) : sizeof(mreq6);
	static const char key[16] = "sixteen letters";
	bool failed;

	inet_pton(AF_INET6, "ff15::77", &mreq6.ipv6mr_multiaddr);
	mreq.imr_ifindex = if_nametoindex("near0");
	mreq6.ipv6mr_interface = if_nametoindex("near0");
	for (n = 1; n < MOST; n++) {
		int fd = socket_at(near_host, variant->family, SOCK_DGRAM);
		int s = stream(near_host, variant->family);

		arm(n);
		err = setsockopt(fd, level, joins, value, len) ? errno : 0;
		failed = disarm();
		EXPECT_TRUE(!err || (failed && no_memory(err)));
		if (err)
			EXPECT_EQ(0, setsockopt(fd, level, joins, value, len));
		arm(n);
		err = setsockopt(s, SOL_HAUL, HAUL_FASTOPEN_KEY, key, sizeof(key)) ? errno : 0;
		failed |= disarm();
		EXPECT_TRUE(!err || no_memory(err));
		close(fd);
		close(s);
		if (!failed)
			break;
	}
	EXPECT_LT(1, n);
	EXPECT_GT(MOST, n);
}

/* a table of sockets is whole, or cannot be had */
TEST_F(no_memory_calls, list_of_sockets)
{
	struct pair p = connected(variant->family);
	static char text[65536];
	bool failed;
	int n, fd;
	ssize_t len = 0;

	for (n = 1; n < MOST; n++) {
		arm(n);
		fd = open("/proc/thread-self/net/haul/sockets", O_RDONLY);
		if (fd >= 0)
			len = read(fd, text, sizeof(text) - 1);
		failed = disarm();
		if (fd < 0 || len < 0)
			EXPECT_TRUE(failed);
		if (fd >= 0)
			close(fd);
		if (fd >= 0 && len > 0) {
			text[len] = 0;
			EXPECT_NE(NULL, strstr(text, "ESTAB"));
		}
		if (!failed)
			break;
	}
	EXPECT_GT(MOST, n);
	EXPECT_TRUE(fd >= 0 && len > 0);
	done(&p);
}

/*
 * A namespace comes whole or not at all; ours is a tenth of what is allocated for one. What the
 * call says is for the most part others': the kernel's own say EEXIST as well.
 */
TEST_F(no_memory_calls, namespace)
{
	int n, tries = 0, old = here();
	bool failed = true;

	for (n = 1; failed && n < 20000; n += 1 + n / 40, tries++) {
		arm(n);
		if (unshare(CLONE_NEWNET)) {
			failed = disarm();
			EXPECT_TRUE(failed);
			continue;
		}
		failed = disarm();
		ASSERT_EQ(0, access("/proc/thread-self/net/haul/snmp", R_OK));
		close(socket(variant->family, SOCK_STREAM, IPPROTO_HAUL));
		go_to(old);
	}
	EXPECT_FALSE(failed);
	EXPECT_LT(50, tries);
	go_to(near_host);
}

/* the module loads or does not, and can be loaded afterwards */
TEST_F(no_memory_calls, module)
{
	const char *path = getenv("HAUL_MODULE");
	int n, err, fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool failed = true;

	if (fd < 0 || variant->family == AF_INET6)
		SKIP(return, "needs a module to load, and once is enough");
	if (!wait_until(!syscall(SYS_delete_module, "haul", O_NONBLOCK)))
		SKIP(return, "the module is in use");
	for (n = 1; failed && n < 100000; n += 1 + n / 8) {
		arm(n);
		err = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
		failed = disarm();
		EXPECT_TRUE(!err || (failed && no_memory(err))) {
			TH_LOG("allocation %d: %s", n, strerror(err));
		}
		if (!err && failed)
			EXPECT_EQ(0, syscall(SYS_delete_module, "haul", O_NONBLOCK));
	}
	EXPECT_FALSE(failed);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_HAUL);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_HARNESS_MAIN
