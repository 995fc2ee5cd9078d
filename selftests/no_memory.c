// SPDX-License-Identifier: GPL-2.0
/*
 * No memory: the kernel's fault injection (Documentation/fault-injection/) has one allocation after
 * the other fail that a call makes, and one in ten of those that softirq makes. A call fails with
 * ENOMEM or ENOBUFS and can be made again, or it succeeds and the connection makes up for what was
 * missing: no byte is lost or doubled, no connection is reset. What leaks is scripts/vm's to find
 * (kmemleak). A kernel without fault injection skips all of it: `scripts/test --kernel debug`.
 */
#include "faults.h"
#include "kselftest_harness.h"

FAULTS_FIXTURE(no_memory);

/* ---- a call's own allocations, one after the other ---- */

TEST_F(no_memory, socket)
{
	int n, fd;
	bool failed;

	for (n = 1; n < MOST; n++) {
		arm(n);
		fd = socket(variant->family, SOCK_STREAM, IPPROTO_HAUL);
		failed = disarm();
		if (fd < 0) {
			EXPECT_TRUE(failed);
			/* the kernel's own word where the file, not the socket, has no memory */
			EXPECT_TRUE(no_memory(errno) || errno == ENFILE);
		} else {
			close(fd);
		}
		if (!failed)
			break;
	}
	EXPECT_LT(3, n);
	EXPECT_GT(MOST, n);
}

/* one connection through both loops; whatever happens to the call, the next one succeeds */
static void exchange(struct __test_metadata *_metadata, int listener, int client)
{
	struct pair p = { .client = client, .server = accepted(listener) };
	char c = 0;

	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	ASSERT_EQ(1, recv(p.server, &c, 1, 0));
	EXPECT_EQ('x', c);
	ASSERT_EQ(1, send(p.server, "y", 1, 0));
	ASSERT_EQ(1, recv(p.client, &c, 1, 0));
	EXPECT_EQ('y', c);
	close(p.client);
	close(p.server);
}

TEST_F(no_memory, bind_and_connect)
{
	const char *near = near_address(variant->family), *far = far_address(variant->family);
	int listener = listening(variant->family), n, fd, err;
	bool failed;

	for (n = 1; n < MOST; n++) {
		fd = stream(near_host, variant->family);
		arm(n);
		err = bind_to(fd, near, 0) ? errno : 0;
		if (!err)
			err = connect_to(fd, far, PORT) ? errno : 0;
		failed = disarm();
		if (err) {
			EXPECT_TRUE(failed);
			EXPECT_TRUE(no_memory_for_route(variant->family, err)) {
				TH_LOG("allocation %d: %s", n, strerror(err));
			}
			/* the same socket; what it is bound to it stays bound to */
			ASSERT_EQ(0, connect_to(fd, far, PORT));
		}
		exchange(_metadata, listener, fd);
		if (!failed)
			break;
	}
	EXPECT_LT(3, n);
	EXPECT_GT(MOST, n);
	close(listener);
}

/* BBR's model is allocated when it is chosen: without it, all is as before */
TEST_F(no_memory, controller)
{
	int listener = listening(variant->family), n, fd, err;
	char name[HAUL_CC_NAME_MAX];
	socklen_t len;
	bool failed;

	for (n = 1; n < MOST; n++) {
		fd = stream(near_host, variant->family);
		arm(n);
		err = setsockopt(fd, SOL_HAUL, HAUL_CONGESTION, "bbr", 3) ? errno : 0;
		failed = disarm();
		len = sizeof(name);
		ASSERT_EQ(0, getsockopt(fd, SOL_HAUL, HAUL_CONGESTION, name, &len));
		if (err) {
			EXPECT_TRUE(failed);
			EXPECT_EQ(ENOMEM, err);
			EXPECT_STREQ("cubic", name);
			ASSERT_EQ(0, setsockopt(fd, SOL_HAUL, HAUL_CONGESTION, "bbr", 3));
		} else {
			EXPECT_STREQ("bbr", name);
		}
		ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT));
		exchange(_metadata, listener, fd);
		if (!failed)
			break;
	}
	EXPECT_LT(1, n);
	EXPECT_GT(MOST, n);
	close(listener);
}

TEST_F(no_memory, listen_and_accept)
{
	const char *any = variant->family == AF_INET ? "0.0.0.0" : "::";
	int n, listener, client, server, err;
	bool failed;

	for (n = 1; n < MOST; n++) {
		listener = stream(far_host, variant->family);
		ASSERT_EQ(0, bind_to(listener, any, 0));
		client = stream(near_host, variant->family);
		arm(n);
		err = listen(listener, 8) ? errno : 0;
		failed = disarm();
		if (err) {
			EXPECT_TRUE(failed && no_memory(err));
			ASSERT_EQ(0, listen(listener, 8));
		}
		ASSERT_EQ(0, connect_to(client, far_address(variant->family), port_of(listener)));
		ASSERT_TRUE(poll_for(listener, POLLIN, 10000));
		arm(n);
		server = accept(listener, NULL, NULL);
		failed |= disarm();
		if (server < 0) {
			EXPECT_TRUE(no_memory(errno) || errno == ENFILE);
			/* it waits in the queue still */
			server = accepted(listener);
		}
		transfer(client, server, 1000);
		close(client);
		close(server);
		close(listener);
		if (!failed)
			break;
	}
	EXPECT_LT(3, n);
	EXPECT_GT(MOST, n);
}

/* what goes of @size bytes, one allocation failing; how much went */
static ssize_t send_armed(struct flow *f, int n, size_t size, bool *failed)
{
	static uint8_t buf[65536];
	ssize_t sent;
	size_t i;

	for (i = 0; i < size; i++)
		buf[i] = byte_at(f->sent + i);
	arm(n);
	sent = send(f->from, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	*failed = disarm();
	if (sent < 0 && errno != EAGAIN && !no_memory(errno))
		die("send at allocation %d", n);
	f->sent += sent > 0 ? sent : 0;
	return sent;
}

/* one connection lives through all of it */
TEST_F(no_memory, send)
{
	static const int sizes[] = { 1, 1400, 60000 };
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	bool failed;
	int n, i;

	for (i = 0; i < 3; i++) {
		for (n = 1; n < MOST; n++) {
			send_armed(&f, n, sizes[i], &failed);
			flow_run(&f, f.sent, 65536, 65536);
			if (!failed)
				break;
		}
		EXPECT_LT(2, n);
		EXPECT_GT(MOST, n);
	}
	EXPECT_EQ(f.sent, info_of(p.server).bytes_received);
	EXPECT_EQ(0, error_of(p.client));
	done(&p);
}

TEST_F(no_memory, receive)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	bool failed = true;
	int n;

	for (n = 1; n < MOST && failed; n++) {
		flow_send(&f, f.sent + 50000, 50000);
		failed = false;
		while (f.received < f.sent) {
			ASSERT_TRUE(poll_for(p.server, POLLIN, 10000));
			arm(n);
			flow_receive(&f, 20000);
			failed |= disarm();
		}
	}
	EXPECT_GT(MOST, n);
	EXPECT_EQ(f.sent, info_of(p.server).bytes_received);
	done(&p);
}

/* all of a message or nothing */
TEST_F(no_memory, messages)
{
	struct pair p = connected_of(SOCK_SEQPACKET, variant->family);
	static uint8_t out[30000], in[40000];
	bool failed;
	ssize_t sent;
	int n;

	for (n = 1; n < MOST; n++) {
		memset(out, n, sizeof(out));
		arm(n);
		sent = send(p.client, out, sizeof(out), MSG_DONTWAIT);
		failed = disarm();
		if (sent < 0) {
			EXPECT_TRUE(failed);
			EXPECT_TRUE(errno == EAGAIN || no_memory(errno));
			ASSERT_EQ((ssize_t)sizeof(out), send(p.client, out, sizeof(out), 0));
		} else {
			ASSERT_EQ((ssize_t)sizeof(out), sent);
		}
		ASSERT_EQ((ssize_t)sizeof(out), recv(p.server, in, sizeof(in), 0));
		ASSERT_EQ(0, memcmp(in, out, sizeof(out)));
		if (!failed)
			break;
	}
	EXPECT_LT(2, n);
	EXPECT_GT(MOST, n);
	done(&p);
}

TEST_F(no_memory, datagrams)
{
	int a = socket_at(near_host, variant->family, SOCK_DGRAM);
	int b = socket_at(far_host, variant->family, SOCK_DGRAM);
	struct sockaddr_in6 to = address(far_address(variant->family), PORT);
	char buf[8];
	bool failed;
	ssize_t len;
	int n;

	ASSERT_EQ(0, bind_to(b, far_address(variant->family), PORT));
	for (n = 1; n < MOST; n++) {
		arm(n);
		if (sendto(a, "hello", 5, 0, (void *)&to, sizeof(to)) == 5) {
			failed = disarm();
			/* nobody promises that it arrives */
			EXPECT_TRUE(poll_for(b, POLLIN, failed ? 100 : 10000) || failed);
			len = recv(b, buf, sizeof(buf), MSG_DONTWAIT);
			EXPECT_TRUE(len == 5 || (len < 0 && failed));
		} else {
			failed = disarm();
			EXPECT_TRUE(failed);
			EXPECT_TRUE(no_memory_for_route(variant->family, errno)) {
				TH_LOG("allocation %d: %s", n, strerror(errno));
			}
		}
		if (!failed)
			break;
	}
	EXPECT_LT(2, n);
	EXPECT_GT(MOST, n);
	close(a);
	close(b);
}

/* a thousand bytes and the end, whatever fails while it is said */
TEST_F(no_memory, shutdown_and_close)
{
	struct pair p;
	struct flow f;
	bool failed;
	char c;
	int n, err;

	for (n = 1; n < MOST; n++) {
		p = connected(variant->family);
		f = (struct flow){ .from = p.client, .to = p.server };
		flow_send(&f, 1000, 1000);
		/* every other time with nothing in the queue that FIN could ride on */
		if (n % 2)
			ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
		arm(n);
		err = n / 2 % 2 ? shutdown(p.client, SHUT_WR) : close(p.client);
		failed = disarm();
		EXPECT_EQ(0, err);
		if (n / 2 % 2)
			EXPECT_EQ(0, error_of(p.client));
		flow_run(&f, f.sent, 65536, 65536);
		ASSERT_TRUE(poll_for(p.server, POLLIN, 10000));
		EXPECT_EQ(0, recv(p.server, &c, 1, 0));
		if (n / 2 % 2)
			close(p.client);
		close(p.server);
		close(p.listener);
		if (!failed && n > 12)
			break;
	}
	EXPECT_GT(MOST, n);
}

/* no memory at all for a FIN: it is said when there is some again */
TEST_F(no_memory, fin_waits_for_memory)
{
	struct pair p = connected(variant->family);
	struct haul_info info;
	char c;

	transfer(p.client, p.server, 1000);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	fail_all();
	shutdown(p.client, SHUT_WR);
	fail_none();
	EXPECT_EQ(0, error_of(p.client));
	info = info_of(p.client);
	EXPECT_TRUE(info.state == HAUL_FIN_WAIT_1 || info.state == HAUL_FIN_WAIT_2);
	ASSERT_TRUE(poll_for(p.server, POLLIN, 10000));
	ASSERT_EQ(0, recv(p.server, &c, 1, 0));
	EXPECT_EQ(0, counter(near_host, "AbortOnMemory"));
	/* the other half still works */
	transfer(p.server, p.client, 1000);
	done(&p);
}

/* ... also when the peer ends first */
TEST_F(no_memory, last_fin_waits_for_memory)
{
	struct pair p = connected(variant->family);
	char c;

	shutdown(p.server, SHUT_WR);
	ASSERT_TRUE(wait_until(state_of(p.client) == HAUL_CLOSE_WAIT));
	ASSERT_TRUE(wait_until(state_of(p.server) == HAUL_FIN_WAIT_2));
	fail_all();
	close(p.client);
	fail_none();
	ASSERT_TRUE(poll_for(p.server, POLLIN, 10000));
	ASSERT_EQ(0, recv(p.server, &c, 1, 0));
	EXPECT_EQ(0, counter(near_host, "AbortOnMemory"));
	close(p.server);
	close(p.listener);
}

/* ---- softirq ---- */

/* a call that may fail for want of memory, until it does not */
#define persist(call)							\
({									\
	long ret_;							\
									\
	while ((ret_ = (call)) < 0 && no_memory(errno))			\
		pause_us(2 * MS);					\
	ret_;								\
})

/*
 * One in ten of the allocations fails that can't wait: those of softirq, and what is made under a
 * lock. Connections come to be, carry bytes both ways and end, as if nothing was.
 */
TEST_F(no_memory, softirq)
{
	int listener = listening(variant->family), i;

	knob("ignore-gfp-wait", "Y");
	knob("times", "-1");
	for (i = 0; i < 10; i++) {
		struct pair p = { .listener = -1 };
		struct flow up, down;

		p.client = stream(near_host, variant->family);
		knob("probability", "10");
		ASSERT_EQ(0, persist(connect_to(p.client, far_address(variant->family), PORT)));
		ASSERT_TRUE(poll_for(listener, POLLIN, 60000));
		p.server = persist(accept(listener, NULL, NULL));
		ASSERT_LE(0, p.server);
		up = (struct flow){ .from = p.client, .to = p.server };
		down = (struct flow){ .from = p.server, .to = p.client };
		flow_run(&up, 100000, 20000, 65536);
		flow_run(&down, 100000, 20000, 65536);
		knob("probability", "0");
		EXPECT_EQ(0, error_of(p.client));
		EXPECT_EQ(0, error_of(p.server));
		close(p.client);
		close(p.server);
	}
	EXPECT_LT(0, counter(near_host, "TxNoMemory") + counter(far_host, "TxNoMemory") +
		     counter(near_host, "RetransSegs") + counter(far_host, "RetransSegs"));
	close(listener);
}

TEST_HARNESS_MAIN
