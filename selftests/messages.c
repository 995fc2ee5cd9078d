// SPDX-License-Identifier: GPL-2.0
/*
 * Messages (SOCK_SEQPACKET): what one call sent is what one call gets, of any size, whatever the
 * path does to it, be it larger than any buffer; streams and messages are apart. How a program
 * meets their ends is message_ends', what goes over the wire wire_messages'.
 */
#include <sys/wait.h>
#include "messages.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(messages);

static const size_t sizes[] = {
	1, 1, 2, 3, 1, 100, 535, 536, 1000, 1459, 1460, 1461, 1, 2920, 4096, 8191, 10000, 1, 16384,
	30000, 65535, 65536, 65537, 1, 100000, 131072, 7, 200001, 500000, 1, 1, 1000000, 12,
};

static void all_sizes(int family)
{
	struct pair p = message_pair(family);
	int pid = speaker(p.client, sizes, ARRAY_SIZE(sizes)), i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		hear(p.server, i, sizes[i]);
	if (!ended_well(pid))
		die("the sender failed");
	done(&p);
}

TEST_F(messages, boundaries)
{
	all_sizes(variant->family);
}

TEST_F(messages, boundaries_of_single_segments)
{
	single_segments();
	all_sizes(variant->family);
}

TEST_F(messages, boundaries_under_loss_and_reordering)
{
	single_segments();
	link_set("delay 4ms 2ms loss 2% duplicate 1%");
	all_sizes(variant->family);
	EXPECT_LE(1, counter(near_host, "RetransSegs"));
	EXPECT_LE(1, counter(far_host, "OooQueued"));
}

TEST_F(messages, many_small_ones_under_loss)
{
	struct pair p = message_pair(variant->family);
	int pid, i;

	link_set("delay 1ms 500us loss 2%");
	pid = fork();
	for (i = 0; !pid && i < 2000; i++)
		say(p.client, i, 1 + i % 700, 0);
	if (!pid)
		_exit(0);
	for (i = 0; i < 2000; i++)
		hear(p.server, i, 1 + i % 700);
	EXPECT_TRUE(ended_well(pid));
	done(&p);
}

TEST_F(messages, both_doors)
{
	int fd = socket(AF_HAUL, SOCK_SEQPACKET, variant->family == AF_INET ? HAULPROTO_INET :
									      HAULPROTO_INET6);

	ASSERT_LE(0, fd);
	EXPECT_EQ(SOCK_SEQPACKET, option_of(fd, SOL_SOCKET, SO_TYPE));
	close(fd);
}

TEST_F(messages, info_tells_the_kind)
{
	struct pair p = message_pair(variant->family);
	int fd = stream(near_host, variant->family);

	EXPECT_EQ(2, info_of(p.client).kind);
	EXPECT_EQ(2, info_of(p.server).kind);
	EXPECT_EQ(2, info_of(p.listener).kind);
	EXPECT_EQ(1, info_of(fd).kind);
	close(fd);
	done(&p);
}

/* --- how large --- */

TEST_F(messages, none_is_empty)
{
	struct pair p = message_pair(variant->family);

	EXPECT_EQ(-1, send(p.client, buf, 0, 0));
	EXPECT_EQ(EINVAL, errno);
	say(p.client, 1, 1, 0);
	hear(p.server, 1, 1);
	done(&p);
}

TEST_F(messages, as_large_as_the_send_buffer)
{
	struct pair p = message_pair(variant->family);
	int most;

	option(p.client, SOL_SOCKET, SO_SNDBUF, 30000);
	most = option_of(p.client, SOL_SOCKET, SO_SNDBUF);
	EXPECT_EQ(-1, send(p.client, buf, most + 1, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	say(p.client, 1, most, 0);
	hear(p.server, 1, most);
	done(&p);
}

/* the program chose no size: the buffer grows to the message, up to net.haul.wmem */
TEST_F(messages, as_large_as_the_limit)
{
	struct pair p = message_pair(variant->family);
	ssize_t got, all = 0;

	EXPECT_EQ(-1, send(p.client, buf, LARGEST + 1, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	say(p.client, 1, LARGEST, 0);
	/* it is as large as the receive buffer's limit admits, or comes in parts */
	do {
		got = receive(p.server, sizeof(buf), 0);
		ASSERT_LT(0, got);
		ASSERT_EQ(0, memcmp(buf, expected + all, got));
		all += got;
	} while (!(last_flags & MSG_EOR));
	EXPECT_EQ(LARGEST, all);
	done(&p);
}

/* all or nothing: what does not fit now leaves nothing behind */
TEST_F(messages, without_blocking_all_or_nothing)
{
	struct pair p = message_pair(variant->family);
	int sent = 0, i;

	option(p.client, SOL_SOCKET, SO_SNDBUF, 20000);
	option(p.server, SOL_SOCKET, SO_RCVBUF, 20000);
	while (send(p.client, message(sent, 5000), 5000, MSG_DONTWAIT) == 5000)
		sent++;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_LE(3, sent);
	EXPECT_EQ(0, poll_for(p.client, POLLOUT, 0));
	for (i = 0; i < sent; i++)
		hear(p.server, i, 5000);
	EXPECT_EQ(POLLOUT, poll_for(p.client, POLLOUT, 10000));
	say(p.client, sent, 5000, MSG_DONTWAIT);
	hear(p.server, sent, 5000);
	EXPECT_EQ(-1, receive(p.server, 100, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	done(&p);
}

/* two threads that block in the middle do not mix their messages */
TEST_F(messages, two_writers)
{
	struct pair p = message_pair(variant->family);
	int pids[2], w, i;
	ssize_t j;

	option(p.client, SOL_SOCKET, SO_SNDBUF, 10000);
	for (w = 0; w < 2; w++) {
		pids[w] = fork();
		if (pids[w])
			continue;
		memset(buf, 'a' + w, 19000);
		for (i = 0; i < 200; i++)
			if (send(p.client, buf, 19000, 0) != 19000)
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < 400; i++) {
		ASSERT_EQ(19000, receive(p.server, sizeof(buf), 0));
		ASSERT_EQ(MSG_EOR, last_flags);
		for (j = 1; j < 19000 && buf[j] == buf[0]; j++)
			;
		ASSERT_EQ(19000, j);
	}
	EXPECT_TRUE(ended_well(pids[0]));
	EXPECT_TRUE(ended_well(pids[1]));
	done(&p);
}

/* --- larger than the receive buffer --- */

static ssize_t hear_in_parts(int fd, size_t room, int flags, int *parts)
{
	ssize_t all = 0, got;

	for (*parts = 0;; ++*parts) {
		if (poll_for(fd, POLLIN, 10000) != POLLIN)
			die("nothing comes after %zd bytes", all);
		got = receive(fd, room, flags);
		if (got <= 0)
			die("%zd after %zd bytes", got, all);
		if (last_flags & MSG_TRUNC)
			die("cut after %zd bytes", all);
		if (memcmp(buf, expected + all, got))
			die("wrong bytes after %zd", all);
		all += got;
		if (last_flags & MSG_EOR)
			return all;
	}
}

TEST_F(messages, too_large_for_the_buffer_come_in_parts)
{
	struct pair p = message_pair(variant->family);
	int parts;

	option(p.server, SOL_SOCKET, SO_RCVBUF, 20000);
	say(p.client, 0, 1000000, 0);
	EXPECT_EQ(1000000, hear_in_parts(p.server, sizeof(buf), MSG_DONTWAIT, &parts));
	EXPECT_LE(10, parts);
	/* little room: nothing is lost */
	say(p.client, 1, 200000, 0);
	EXPECT_EQ(200000, hear_in_parts(p.server, 777, 0, &parts));
	EXPECT_LE(200000 / 777, parts);
	/* and the next is like any other */
	say(p.client, 2, 100, 0);
	say(p.client, 3, 10, 0);
	EXPECT_EQ(10, receive(p.server, 10, 0));
	EXPECT_EQ(MSG_EOR | MSG_TRUNC, last_flags);
	hear(p.server, 3, 10);
	done(&p);
}

TEST_F(messages, wait_for_all_gathers_the_parts)
{
	struct pair p = message_pair(variant->family);

	option(p.server, SOL_SOCKET, SO_RCVBUF, 20000);
	say(p.client, 0, 1000000, 0);
	say(p.client, 1, 10, 0);
	ASSERT_EQ(1000000, receive(p.server, sizeof(buf), MSG_WAITALL));
	EXPECT_EQ(MSG_EOR, last_flags);
	EXPECT_EQ(0, memcmp(buf, message(0, 1000000), 1000000));
	hear(p.server, 1, 10);
	done(&p);
}

/* behind one that was not read, too: when that goes, this one is found to have filled the buffer */
TEST_F(messages, too_large_behind_another)
{
	struct pair p = message_pair(variant->family);
	int parts;

	option(p.server, SOL_SOCKET, SO_RCVBUF, 20000);
	say(p.client, 0, 50, 0);
	say(p.client, 1, 300000, 0);
	ASSERT_TRUE(wait_until(info_of(p.client).notsent && !info_of(p.client).unacked));
	hear(p.server, 0, 50);
	message(1, 300000);
	EXPECT_EQ(300000, hear_in_parts(p.server, sizeof(buf), 0, &parts));
	done(&p);
}

/*
 * The window counts bytes, and a packet buffer takes a thousand times the size of a message of one:
 * still what the window admits is kept, while the program reads nothing.
 */
TEST_F(messages, tiny_ones_that_nobody_reads)
{
	struct pair p = message_pair(variant->family);
	int sent = 0, i;

	option(p.client, SOL_SOCKET, SO_SNDBUF, 100000);
	while (poll_for(p.client, POLLOUT, 1000) == POLLOUT) {
		say(p.client, sent, 1 + sent % 3, 0);
		sent++;
	}
	/* at least the first window, 64 KB */
	EXPECT_LE(32767, sent);
	EXPECT_EQ(0, counter(far_host, "DropMemory"));
	EXPECT_LE(20000, counter(far_host, "RcvPacked"));
	EXPECT_EQ(1, waiting_bytes(p.server));
	EXPECT_EQ(1, receive(p.server, 1, MSG_PEEK | MSG_TRUNC));
	for (i = 0; i < sent; i++)
		hear(p.server, i, 1 + i % 3);
	EXPECT_EQ(-1, receive(p.server, 10, MSG_DONTWAIT));
	done(&p);
}

/* packed ones are cut, peeked at and spliced as any others */
TEST_F(messages, packed_ones_are_like_others)
{
	struct pair p = message_pair(variant->family);
	int ends[2], i;

	ASSERT_EQ(0, pipe(ends));
	option(p.server, SOL_SOCKET, SO_RCVBUF, 4096);
	for (i = 0; i < 100; i++)
		say(p.client, i, 20, 0);
	/* the beginning of another, which will have no end */
	ASSERT_EQ(10, send(p.client, message(100, 20), 10, MSG_MORE));
	ASSERT_TRUE(wait_until(!info_of(p.client).notsent));
	shutdown(p.client, SHUT_WR);
	ASSERT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSE_WAIT));
	EXPECT_LE(50, counter(far_host, "RcvPacked"));
	for (i = 0; i < 80; i++)
		hear(p.server, i, 20);
	EXPECT_EQ(5, receive(p.server, 5, MSG_PEEK));
	EXPECT_EQ(MSG_EOR | MSG_TRUNC, last_flags);
	EXPECT_EQ(20, receive(p.server, 5, MSG_TRUNC));
	EXPECT_EQ(20, waiting_bytes(p.server));
	EXPECT_EQ(15, splice(p.server, NULL, ends[1], NULL, 15, 0));
	EXPECT_EQ(5, splice(p.server, NULL, ends[1], NULL, 15, 0));
	ASSERT_EQ(20, read(ends[0], buf, 100));
	EXPECT_EQ(0, memcmp(buf, message(81, 20), 20));
	for (i = 82; i < 100; i++)
		hear(p.server, i, 20);
	EXPECT_EQ(0, receive(p.server, 100, 0));
	close(ends[0]);
	close(ends[1]);
	done(&p);
}

/* a buffer whose size nobody chose grows instead */
TEST_F(messages, the_buffer_grows_for_large_ones)
{
	struct pair p = message_pair(variant->family);
	int before = option_of(p.server, SOL_SOCKET, SO_RCVBUF);

	say(p.client, 0, 1500000, 0);
	hear(p.server, 0, 1500000);
	EXPECT_LT(before, option_of(p.server, SOL_SOCKET, SO_RCVBUF));
	done(&p);
}

/* with pieces held open by MSG_MORE a message has no limit: twice around all buffers */
TEST_F(messages, without_end)
{
	struct pair p = message_pair(variant->family);
	int pid = fork(), i, parts;

	if (!pid) {
		for (i = 0; i < 200; i++)
			say(p.client, 0, 100000, i < 199 ? MSG_MORE : 0);
		_exit(0);
	}
	for (i = 0; !i || !(last_flags & MSG_EOR); i += parts) {
		parts = receive(p.server, sizeof(buf), 0);
		ASSERT_LT(0, parts);
	}
	EXPECT_EQ(20000000, i);
	EXPECT_TRUE(ended_well(pid));
	done(&p);
}

/* the peer ends in the middle of a message that is read in parts: the rest is thrown away */
TEST_F(messages, ends_while_read_in_parts)
{
	struct pair p = message_pair(variant->family);
	ssize_t n;

	nonblocking(p.client, true);
	while (send(p.client, buf, 100000, MSG_MORE) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
	shutdown(p.client, SHUT_WR);
	/* odd pieces: a read ends in the middle of what came as one */
	do {
		n = recv(p.server, buf, 1001, 0);
		ASSERT_LE(0, n);
	} while (n);
	EXPECT_LE(1, counter(far_host, "DropMessageCut"));
	done(&p);
}

/* --- kinds --- */

TEST_F(messages, ports_of_their_own)
{
	int streams = listening(variant->family);
	int messages = message_listener(variant->family, PORT);
	int client = message_socket(near_host, variant->family), other;
	struct pair p, q;

	p = connected_with(variant->family, streams, stream(near_host, variant->family));
	q = connected_with(variant->family, messages, client);
	EXPECT_EQ(1, info_of(p.server).kind);
	EXPECT_EQ(2, info_of(q.server).kind);
	transfer(p.client, p.server, 1000);
	say(q.client, 0, 1000, 0);
	hear(q.server, 0, 1000);
	/* nobody listens for the other kind */
	close(streams);
	other = stream(near_host, variant->family);
	EXPECT_EQ(-1, connect_to(other, far_address(variant->family), PORT));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(other);
	close(messages);
	other = message_socket(near_host, variant->family);
	EXPECT_EQ(-1, connect_to(other, far_address(variant->family), PORT));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(other);
	close(p.client);
	close(p.server);
	close(q.client);
	close(q.server);
}

/* a remnant in TIME-WAIT is in the way of its own kind only */
TEST_F(messages, time_wait_of_their_own)
{
	int streams = listening(variant->family);
	int client = message_socket(near_host, variant->family);
	const char *near = near_address(variant->family);
	struct pair p, q;

	ASSERT_EQ(0, bind_to(client, near, 5555));
	p = connected_with(variant->family, message_listener(variant->family, PORT), client);
	close(p.client);
	EXPECT_EQ(0, receive(p.server, 100, 0));
	close(p.server);
	client = message_socket(near_host, variant->family);
	EXPECT_EQ(-1, bind_to(client, near, 5555));
	EXPECT_EQ(EADDRINUSE, errno);
	close(client);
	client = stream(near_host, variant->family);
	ASSERT_EQ(0, bind_to(client, near, 5555));
	q = connected_with(variant->family, streams, client);
	transfer(q.client, q.server, 1000);
	done(&q);
	close(p.listener);
}

TEST_F(messages, through_a_cookie)
{
	struct pair p;

	setting(far_host, "syncookies", 2);
	p = message_pair(variant->family);
	EXPECT_LE(1, counter(far_host, "CookiesRecv"));
	EXPECT_EQ(2, info_of(p.server).kind);
	say(p.client, 0, 3000, 0);
	hear(p.server, 0, 3000);
	say(p.server, 1, 3000, 0);
	hear(p.client, 1, 3000);
	done(&p);
}

TEST_HARNESS_MAIN
