// SPDX-License-Identifier: GPL-2.0
/*
 * What netlink tells of sockets, to whom, and closing them through it.
 */
#include <sys/wait.h>
#include "diag.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(diag);

static uint16_t diag_port(__be16 port)
{
	return ntohs(port);
}

/* what a message says is what the program's own calls say */
TEST_F(diag, a_connection_as_its_program_knows_it)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	struct haul_info info;
	struct seen_list list;
	struct seen s;
	struct stat st;

	option(p.client, SOL_IP, IP_TOS, 0x10);
	transfer(p.client, p.server, 100000);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	req.show = HAUL_DIAG_SHOW_ALL;
	list = diag_dump(near_host, &req);
	info = info_of(p.client);

	ASSERT_EQ(1, seen_find(&list, cookie_of(p.client), &s));
	fstat(p.client, &st);
	EXPECT_EQ(AF_HAUL, s.msg.family);
	EXPECT_EQ(variant->family, s.msg.net);
	EXPECT_EQ(HAUL_ESTABLISHED, s.msg.state);
	EXPECT_EQ(1, s.msg.kind);
	EXPECT_EQ(0, s.msg.pad);
	EXPECT_EQ(0, s.msg.flags);
	EXPECT_EQ(st.st_ino, s.msg.inode);
	EXPECT_EQ(getuid(), s.msg.uid);
	EXPECT_EQ(port_of(p.client), diag_port(s.msg.id.sport));
	EXPECT_EQ(PORT, diag_port(s.msg.id.dport));
	EXPECT_EQ(0, s.msg.wqueue);

	ASSERT_TRUE(s.has_info);
	EXPECT_EQ(100000, s.info.bytes_acked);
	EXPECT_EQ(info.segs_out, s.info.segs_out);
	EXPECT_EQ(info.segs_in, s.info.segs_in);
	EXPECT_EQ(info.srtt, s.info.srtt);
	EXPECT_EQ(info.snd_cwnd, s.info.snd_cwnd);
	EXPECT_STREQ(info.congestion, s.info.congestion);
	EXPECT_STREQ(info.congestion, s.congestion);
	ASSERT_TRUE(s.has_mem);
	EXPECT_EQ(option_of(p.client, SOL_SOCKET, SO_RCVBUF), s.mem[SK_MEMINFO_RCVBUF]);
	EXPECT_EQ(option_of(p.client, SOL_SOCKET, SO_SNDBUF), s.mem[SK_MEMINFO_SNDBUF]);
	EXPECT_TRUE(s.has_cgroup);
	EXPECT_EQ(0x10, s.tos);
	free(list.at);
	done(&p);
}

TEST_F(diag, queues)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	static char zeros[3000];
	struct seen_list list;
	struct seen s;

	ASSERT_EQ(3000, send(p.client, zeros, 3000, 0));
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 3000));
	list = diag_dump(far_host, &req);
	ASSERT_EQ(1, seen_find(&list, cookie_of(p.server), &s));
	EXPECT_EQ(3000, s.msg.rqueue);
	free(list.at);

	cut(true);
	ASSERT_EQ(3000, send(p.client, zeros, 3000, 0));
	list = diag_dump(near_host, &req);
	ASSERT_EQ(1, seen_find(&list, cookie_of(p.client), &s));
	EXPECT_EQ(3000, s.msg.wqueue);
	EXPECT_NE(HAUL_DIAG_TIMER_NONE, s.msg.timer);
	EXPECT_FALSE(s.has_info);
	EXPECT_FALSE(s.has_mem);
	free(list.at);
	done(&p);
}

static uint32_t unread(int fd)
{
	struct haul_diag_req req = diag_all();
	struct seen_list list = diag_dump(far_host, &req);
	struct seen s = {};

	if (seen_find(&list, cookie_of(fd), &s) != 1)
		die("the server is not listed");
	free(list.at);
	return s.msg.rqueue;
}

static bool has_ended(int fd)
{
	return info_of(fd).state == HAUL_CLOSE_WAIT;
}

/* as TCP's: who sees 1 in CLOSE-WAIT knows that the program has not looked */
TEST_F(diag, a_fin_is_a_byte_until_it_is_read)
{
	struct pair p = connected(variant->family);
	char buf[100];

	ASSERT_EQ(100, send(p.client, buf, 100, 0));
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 100));
	EXPECT_EQ(100, unread(p.server));
	shutdown(p.client, SHUT_WR);
	ASSERT_TRUE(wait_until(has_ended(p.server)));
	EXPECT_EQ(101, unread(p.server));
	EXPECT_EQ(100, info_of(p.server).rcv_queue);
	ASSERT_EQ(100, recv(p.server, buf, 100, MSG_WAITALL));
	EXPECT_EQ(1, unread(p.server));
	ASSERT_EQ(0, recv(p.server, buf, 100, MSG_PEEK));
	EXPECT_EQ(1, unread(p.server));
	ASSERT_EQ(0, recv(p.server, buf, 100, 0));
	EXPECT_EQ(0, unread(p.server));
	ASSERT_EQ(0, recv(p.server, buf, 100, 0));
	EXPECT_EQ(0, info_of(p.server).rcv_queue);
	done(&p);
}

/* what the end has cut off can't be read any more */
TEST_F(diag, a_fin_behind_messages)
{
	struct pair p = connected_of(SOCK_SEQPACKET, variant->family);
	char buf[100];

	ASSERT_EQ(100, send(p.client, buf, 100, 0));
	ASSERT_EQ(70, send(p.client, buf, 70, MSG_MORE));
	option(p.client, SOL_HAUL, HAUL_NODELAY, 1);
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 170));
	shutdown(p.client, SHUT_WR);
	ASSERT_TRUE(wait_until(has_ended(p.server)));
	EXPECT_EQ(101, unread(p.server));
	EXPECT_EQ(100, info_of(p.server).rcv_queue);
	ASSERT_EQ(100, recv(p.server, buf, 100, 0));
	EXPECT_EQ(1, unread(p.server));
	EXPECT_EQ(0, info_of(p.server).rcv_queue);
	ASSERT_EQ(0, recv(p.server, buf, 100, MSG_PEEK));
	EXPECT_EQ(1, unread(p.server));
	ASSERT_EQ(0, recv(p.server, buf, 100, 0));
	EXPECT_EQ(0, unread(p.server));
	ASSERT_EQ(0, recv(p.server, buf, 100, 0));
	done(&p);
}

TEST_F(diag, a_fin_is_spliced)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	struct pair p;
	unsigned int i;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		p = connected_of(types[i], variant->family);
		shutdown(p.client, SHUT_WR);
		ASSERT_TRUE(wait_until(has_ended(p.server)));
		EXPECT_EQ(1, unread(p.server));
		ASSERT_EQ(0, splice(p.server, NULL, ends[1], NULL, 100, 0));
		EXPECT_EQ(0, unread(p.server));
		done(&p);
	}
	close(ends[0]);
	close(ends[1]);
}

/* a listener, what is half open, what has ended */
TEST_F(diag, what_is_no_connection)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list;
	struct seen s;
	struct pair p;

	deaf(near_host, true);
	nonblocking(client, true);
	connect_to(client, far_address(variant->family), PORT);
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") >= 1));
	list = diag_dump(far_host, &req);
	EXPECT_EQ(2, list.num);
	ASSERT_EQ(1, seen_in_state(&list, HAUL_LISTEN, &s));
	EXPECT_EQ(cookie_of(listener), seen_cookie(&s));
	EXPECT_EQ(128, s.msg.wqueue);
	EXPECT_EQ(0, s.msg.id.dport);
	ASSERT_EQ(1, seen_in_state(&list, HAUL_SYN_RECEIVED, &s));
	EXPECT_EQ(HAUL_DIAG_TIMER_RETRANSMIT, s.msg.timer);
	EXPECT_EQ(0, s.msg.inode);
	free(list.at);
	list = diag_dump(near_host, &req);
	EXPECT_EQ(1, seen_in_state(&list, HAUL_SYN_SENT, &s));
	free(list.at);
	deaf(near_host, false);
	close(client);

	p = connected_with(variant->family, listener, stream(near_host, variant->family));
	close(p.client);
	close(p.server);
	ASSERT_TRUE(wait_until(counter(near_host, "TimeWaits") == 1));
	list = diag_dump(near_host, &req);
	ASSERT_EQ(1, seen_in_state(&list, HAUL_TIME_WAIT, &s));
	EXPECT_EQ(HAUL_DIAG_TIMER_TIME_WAIT, s.msg.timer);
	EXPECT_LT(0, s.msg.expires);
	EXPECT_EQ(variant->family, s.msg.net);
	free(list.at);
	close(listener);
}

TEST_F(diag, filters_of_the_kernel)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list;
	struct seen s;

	req.states = 1 << HAUL_LISTEN;
	list = diag_dump(far_host, &req);
	EXPECT_EQ(1, list.num);
	EXPECT_EQ(1, seen_find(&list, cookie_of(p.listener), &s));
	free(list.at);

	req.states = ALL_STATES & ~(1 << HAUL_LISTEN);
	list = diag_dump(far_host, &req);
	EXPECT_EQ(1, list.num);
	EXPECT_EQ(1, seen_find(&list, cookie_of(p.server), &s));
	free(list.at);

	req.states = ALL_STATES;
	req.net = variant->family == AF_INET ? AF_INET6 : AF_INET;
	list = diag_dump(far_host, &req);
	EXPECT_EQ(0, list.num);
	req.net = 0;
	req.kind = 2;
	list = diag_dump(far_host, &req);
	EXPECT_EQ(0, list.num);
	req.kind = 1;
	list = diag_dump(far_host, &req);
	EXPECT_EQ(2, list.num);
	free(list.at);
	done(&p);
}

/* ---------------------------------------------------------------- datagram sockets */

/* far's, bound to PORT, and near's, connected to it */
static struct pair datagram_pair(int family)
{
	struct pair p = { .listener = -1 };

	p.server = socket_at(far_host, family, SOCK_DGRAM);
	p.client = socket_at(near_host, family, SOCK_DGRAM);
	if (bind_to(p.server, far_address(family), PORT) ||
	    connect_to(p.client, far_address(family), PORT))
		die("datagram sockets");
	return p;
}

static void disconnect(int fd)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	if (connect(fd, &unspec, sizeof(unspec)))
		die("disconnect");
}

/* a message has this address, IPv4's mapped */
static bool is_address(const __be32 *there, int family, const char *text)
{
	struct in6_addr addr = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(family, text, family == AF_INET ? &addr.s6_addr[12] : addr.s6_addr) != 1)
		die("no address: %s", text);
	return !memcmp(there, &addr, sizeof(addr));
}

TEST_F(diag, datagram_sockets_as_their_programs_know_them)
{
	struct pair p = datagram_pair(variant->family);
	bool v4 = variant->family == AF_INET;
	struct haul_diag_req req = diag_all();
	struct seen_list list;
	char bytes[1000] = { 0 };
	struct seen s;
	struct stat st;

	req.show = HAUL_DIAG_SHOW_ALL;
	option(p.client, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TOS : IPV6_TCLASS, 0x10);
	list = diag_dump(near_host, &req);
	ASSERT_EQ(1, list.num);
	ASSERT_EQ(1, seen_find(&list, cookie_of(p.client), &s));
	fstat(p.client, &st);
	EXPECT_EQ(AF_HAUL, s.msg.family);
	EXPECT_EQ(variant->family, s.msg.net);
	EXPECT_EQ(3, s.msg.kind);
	EXPECT_EQ(HAUL_ESTABLISHED, s.msg.state);
	EXPECT_EQ(0, s.msg.flags);
	EXPECT_EQ(0, s.msg.timer);
	EXPECT_EQ(st.st_ino, s.msg.inode);
	EXPECT_EQ(getuid(), s.msg.uid);
	EXPECT_EQ(port_of(p.client), diag_port(s.msg.id.sport));
	EXPECT_EQ(PORT, diag_port(s.msg.id.dport));
	EXPECT_TRUE(is_address(s.msg.id.src, variant->family, near_address(variant->family)));
	EXPECT_TRUE(is_address(s.msg.id.dst, variant->family, far_address(variant->family)));
	EXPECT_FALSE(s.has_info);
	ASSERT_TRUE(s.has_mem);
	EXPECT_EQ(option_of(p.client, SOL_SOCKET, SO_SNDBUF), s.mem[SK_MEMINFO_SNDBUF]);
	EXPECT_TRUE(s.has_cgroup);
	EXPECT_EQ(v4 ? 0x10 : 0, s.tos);
	EXPECT_STREQ("", s.congestion);
	free(list.at);

	ASSERT_EQ(1000, send(p.client, bytes, 1000, 0));
	ASSERT_EQ(1, poll_for(p.server, POLLIN, 5000));
	list = diag_dump(far_host, &req);
	ASSERT_EQ(1, list.num);
	ASSERT_EQ(1, seen_find(&list, cookie_of(p.server), &s));
	EXPECT_EQ(HAUL_CLOSED, s.msg.state);
	EXPECT_EQ(PORT, diag_port(s.msg.id.sport));
	EXPECT_EQ(0, s.msg.id.dport);
	EXPECT_TRUE(is_address(s.msg.id.dst, variant->family, v4 ? "0.0.0.0" : "::"));
	EXPECT_LT(1000, s.msg.rqueue);
	EXPECT_EQ(s.mem[SK_MEMINFO_RMEM_ALLOC], s.msg.rqueue);
	free(list.at);
	close(p.client);
	close(p.server);
}

/* with a port it is seen, with another peer it is the same, without a port it is not */
TEST_F(diag, datagram_sockets_come_and_go)
{
	int fd = socket_at(near_host, variant->family, SOCK_DGRAM), other, i;
	struct haul_diag_req req = diag_all();
	struct seen_list list;
	struct seen s;

	list = diag_dump(near_host, &req);
	EXPECT_EQ(0, list.num);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT + i));
		list = diag_dump(near_host, &req);
		EXPECT_EQ(1, list.num);
		ASSERT_EQ(1, seen_find(&list, cookie_of(fd), &s));
		EXPECT_EQ(PORT + i, diag_port(s.msg.id.dport));
		free(list.at);
	}
	disconnect(fd);
	list = diag_dump(near_host, &req);
	EXPECT_EQ(0, list.num);

	ASSERT_EQ(0, bind_to(fd, near_address(variant->family), PORT + 2));
	ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT));
	disconnect(fd);
	list = diag_dump(near_host, &req);
	ASSERT_EQ(1, list.num);
	EXPECT_EQ(HAUL_CLOSED, list.at[0].msg.state);
	EXPECT_EQ(PORT + 2, diag_port(list.at[0].msg.id.sport));
	free(list.at);

	/* by kind */
	other = listener_at(near_host, near_address(variant->family), PORT, 1);
	req.kind = 3;
	list = diag_dump(near_host, &req);
	EXPECT_EQ(1, list.num);
	EXPECT_EQ(1, seen_find(&list, cookie_of(fd), &s));
	free(list.at);
	close(other);
	close(fd);
	list = diag_dump(near_host, &req);
	EXPECT_EQ(0, list.num);
}

TEST_F(diag, one_datagram_socket_and_its_end)
{
	struct pair p = datagram_pair(variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list = diag_dump(near_host, &req), one = { 0 };
	int fd = diag_open(near_host);
	char byte;

	ASSERT_EQ(1, list.num);
	req.kind = 3;
	req.id = list.at[0].msg.id;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	ASSERT_EQ(0, diag_answer(fd, &one));
	ASSERT_EQ(1, one.num);
	EXPECT_EQ(cookie_of(p.client), seen_cookie(&one.at[0]));
	/* any cookie; another's; another device's; another peer's */
	req.id.cookie[0] = ~0U;
	req.id.cookie[1] = ~0U;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	EXPECT_EQ(0, diag_answer(fd, &one));
	req.id.dev = 1;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	EXPECT_EQ(-ENOENT, diag_answer(fd, &one));
	req.id = list.at[0].msg.id;
	req.id.cookie[0]++;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	EXPECT_EQ(-ENOENT, diag_answer(fd, &one));
	req.id = list.at[0].msg.id;
	req.id.dport++;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	EXPECT_EQ(-ENOENT, diag_answer(fd, &one));

	/* closed by force: its program is told, and it has neither peer nor port any more */
	EXPECT_EQ(-ENOENT, diag_destroy(far_host, &list.at[0]));
	EXPECT_EQ(0, diag_destroy(near_host, &list.at[0]));
	EXPECT_EQ(-1, recv(p.client, &byte, 1, 0));
	EXPECT_EQ(ECONNABORTED, errno);
	EXPECT_EQ(-ENOENT, diag_destroy(near_host, &list.at[0]));
	free(one.at);
	free(list.at);
	close(fd);
	close(p.client);
	close(p.server);
}

/* by its identity, without a dump */
TEST_F(diag, one)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list = diag_dump(near_host, &req), one = { 0 };
	int fd = diag_open(near_host);

	ASSERT_EQ(1, list.num);
	req.kind = 1;
	req.id = list.at[0].msg.id;
	req.show = HAUL_DIAG_SHOW_INFO;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	ASSERT_EQ(0, diag_answer(fd, &one));
	ASSERT_EQ(1, one.num);
	EXPECT_EQ(cookie_of(p.client), seen_cookie(&one.at[0]));
	EXPECT_TRUE(one.at[0].has_info);
	/* any cookie */
	req.id.cookie[0] = ~0U;
	req.id.cookie[1] = ~0U;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	EXPECT_EQ(0, diag_answer(fd, &one));
	/* another's */
	req.id.cookie[0]--;
	diag_send(fd, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	EXPECT_EQ(-ENOENT, diag_answer(fd, &one));
	free(one.at);
	free(list.at);
	close(fd);
	done(&p);
}

TEST_F(diag, a_namespace_sees_its_own)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list near = diag_dump(near_host, &req), far = diag_dump(far_host, &req);
	struct seen s;

	EXPECT_EQ(1, near.num);
	EXPECT_EQ(1, seen_find(&near, cookie_of(p.client), &s));
	EXPECT_EQ(2, far.num);
	EXPECT_EQ(0, seen_find(&far, cookie_of(p.client), &s));
	/* nor can it touch the others' */
	EXPECT_EQ(-ENOENT, diag_destroy(far_host, &near.at[0]));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	free(near.at);
	free(far.at);
	done(&p);
}

/* who is not the administrator sees all but the mark, and closes nothing */
TEST_F(diag, without_a_capability)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list;
	struct seen s;
	int status;

	option(p.client, SOL_SOCKET, SO_MARK, 42);
	req.show = HAUL_DIAG_SHOW_ALL;
	list = diag_dump(near_host, &req);
	ASSERT_EQ(1, seen_find(&list, cookie_of(p.client), &s));
	ASSERT_TRUE(s.has_mark);
	EXPECT_EQ(42, s.mark);
	free(list.at);

	fflush(stdout);
	if (!fork()) {
		int fd, err;

		go_to(near_host);
		if (setresuid(1000, 1000, 1000))
			_exit(2);
		memset(&list, 0, sizeof(list));
		fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
		diag_send(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
		if (diag_answer(fd, &list) || list.num != 1 || list.at[0].has_mark ||
		    !list.at[0].has_info || list.at[0].msg.uid != 0)
			_exit(3);
		req.kind = 1;
		req.id = list.at[0].msg.id;
		diag_send(fd, SOCK_DESTROY, NLM_F_ACK, &req, sizeof(req));
		err = diag_answer(fd, &list);
		_exit(err == -EPERM ? 0 : 4);
	}
	wait(&status);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	done(&p);
}

/* ---------------------------------------------------------------- closing */

TEST_F(diag, destroy_a_connection)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list = diag_dump(near_host, &req);
	struct seen s;
	char byte;

	ASSERT_EQ(1, seen_find(&list, cookie_of(p.client), &s));
	s.msg.id.cookie[0]++;
	EXPECT_EQ(-ENOENT, diag_destroy(near_host, &s));
	s.msg.id.cookie[0]--;
	EXPECT_EQ(0, diag_destroy(near_host, &s));
	/* the program is told, and so is the peer */
	EXPECT_EQ(-1, recv(p.client, &byte, 1, 0));
	EXPECT_EQ(ECONNABORTED, errno);
	EXPECT_EQ(-1, recv(p.server, &byte, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	/* there is none any more */
	EXPECT_EQ(-ENOENT, diag_destroy(near_host, &s));
	free(list.at);
	done(&p);
}

TEST_F(diag, destroy_a_listener)
{
	int listener = listening(variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list = diag_dump(far_host, &req);
	int client = stream(near_host, variant->family);

	ASSERT_EQ(1, list.num);
	EXPECT_EQ(0, diag_destroy(far_host, &list.at[0]));
	EXPECT_EQ(ECONNABORTED, error_of(listener));
	EXPECT_EQ(-1, connect_to(client, far_address(variant->family), PORT));
	EXPECT_EQ(ECONNREFUSED, errno);
	free(list.at);
	close(client);
	close(listener);
}

TEST_F(diag, destroy_what_has_no_socket)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	struct haul_diag_req req = diag_all();
	struct seen_list list;
	struct seen s;
	struct pair p;

	deaf(near_host, true);
	nonblocking(client, true);
	connect_to(client, far_address(variant->family), PORT);
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") >= 1));
	list = diag_dump(far_host, &req);
	ASSERT_EQ(1, seen_in_state(&list, HAUL_SYN_RECEIVED, &s));
	free(list.at);
	EXPECT_EQ(0, diag_destroy(far_host, &s));
	EXPECT_EQ(-ENOENT, diag_destroy(far_host, &s));
	close(client);
	deaf(near_host, false);

	p = connected_with(variant->family, listener, stream(near_host, variant->family));
	close(p.client);
	close(p.server);
	ASSERT_TRUE(wait_until(counter(near_host, "TimeWaits") == 1));
	list = diag_dump(near_host, &req);
	ASSERT_EQ(1, seen_in_state(&list, HAUL_TIME_WAIT, &s));
	free(list.at);
	EXPECT_EQ(0, diag_destroy(near_host, &s));
	list = diag_dump(near_host, &req);
	EXPECT_EQ(0, list.num);
	close(listener);
}

/* ---------------------------------------------------------------- hostile requests */

static int answer_to(int fd, int type, int flags, const void *payload, int len)
{
	struct seen_list list = { 0 };
	int err;

	diag_send(fd, type, flags | NLM_F_ACK, payload, len);
	err = diag_answer(fd, &list);
	free(list.at);
	return err;
}

TEST_F(diag, requests_of_the_wrong_size)
{
	static const int types[] = { SOCK_DIAG_BY_FAMILY, SOCK_DESTROY };
	struct {
		struct haul_diag_req req;
		char more[64];
	} m = { .req = diag_all() };
	int fd = diag_open(near_host), len, i;

	for (i = 0; i < 2; i++) {
		for (len = 0; len < sizeof(m); len++) {
			if (len == sizeof(m.req))
				continue;
			EXPECT_EQ(-EINVAL, answer_to(fd, types[i], 0, &m, len));
			EXPECT_EQ(-EINVAL, answer_to(fd, types[i], NLM_F_DUMP, &m, len));
		}
	}
	close(fd);
}

TEST_F(diag, requests_with_wrong_fields)
{
	struct haul_diag_req good = diag_all(), bad;
	int fd = diag_open(near_host);

#define REFUSED(field, value)							\
	do {									\
		bad = good;							\
		bad.field = value;						\
		EXPECT_EQ(-EINVAL, answer_to(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &bad,	\
					     sizeof(bad)));			\
	} while (0)
	REFUSED(protocol, 1);
	REFUSED(net, AF_HAUL);
	REFUSED(net, 255);
	REFUSED(kind, 4);
	REFUSED(show, 4);
	REFUSED(show, ~0U);
#undef REFUSED
	EXPECT_EQ(0, answer_to(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &good, sizeof(good)));
	close(fd);
}

/* any bytes, of any length: refused or answered, and the next is answered as ever */
TEST_F(diag, requests_at_random)
{
	struct pair p = connected(variant->family);
	struct haul_diag_req req = diag_all();
	int fd = diag_open(near_host), i, j;
	unsigned char bytes[200];
	struct seen_list list;

	srand(variant->family);
	for (i = 0; i < 3000; i++) {
		int len = rand() % 4 ? sizeof(req) : rand() % sizeof(bytes);

		for (j = 0; j < len; j++)
			bytes[j] = rand();
		bytes[0] = AF_HAUL;
		if (rand() % 2)
			memset(bytes + 1, 0, 3);
		answer_to(fd, rand() % 2 ? SOCK_DIAG_BY_FAMILY : SOCK_DESTROY,
			  rand() % 2 ? NLM_F_DUMP : 0, bytes, len);
	}
	list = diag_dump(near_host, &req);
	EXPECT_EQ(1, list.num);
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	free(list.at);
	close(fd);
	done(&p);
}

TEST_HARNESS_MAIN
