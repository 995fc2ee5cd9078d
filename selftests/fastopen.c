// SPDX-License-Identifier: GPL-2.0
/*
 * Fast open (RFC 7413) as programs meet it, played over TCP and over Haul: MSG_FASTOPEN,
 * TCP_FASTOPEN_CONNECT, a listener's TCP_FASTOPEN and its keys. The records must be equal. What the
 * packets are is wire_fastopen's.
 *
 * The situations of one IP version share what the client remembers of the server: the first has no
 * cookie yet, those after it have.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/tcp.h>

#include "play_stream.h"

#define CLIENT		1
#define SERVER		2
#define NO_COOKIE	4
#define EVERY_LISTENER	0x400

/* net.ipv4.tcp_fastopen and net.haul.fastopen */
static void set_mode(int mode)
{
	static const char *const names[] = { "ipv4/tcp_fastopen", "haul/fastopen" };
	char path[64];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/sys/net/%s", names[i]);
		file = fopen(path, "w");
		if (!file || fprintf(file, "%d\n", mode) < 0 || fclose(file))
			ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	}
}

static int set(int fd, int name, int value)
{
	return setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value));
}

/* a listener that does fast open */
static int server(struct play *p)
{
	int fd = listen_on(p, 8);

	call(p, "TCP_FASTOPEN", set(fd, TCP_FASTOPEN, 5));
	return fd;
}

static int client(struct play *p, int flags)
{
	int fd = make(p);

	fcntl(fd, F_SETFL, flags);
	return fd;
}

static long fast_send(struct play *p, int fd, int port, const char *text, int flags)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, port);

	return sendto(fd, text, strlen(text), MSG_FASTOPEN | MSG_NOSIGNAL | flags, (void *)&ss,
		      len);
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

/*
 * What HAUL_INFO and TCP_INFO have of it. A server may be looked at while the third step is on its
 * way, TCP's as well as Haul's: that is waited for, 2 s at most.
 */
static void note_info(struct play *p, const char *what, int fd)
{
	struct tcp_info info = info_of(fd);
	int i;

	for (i = 0; i < 2000 && info.tcpi_state == HAUL_SYN_RECEIVED; i++) {
		usleep(1000);
		info = info_of(fd);
	}
	note(p, "%s: state %u syn_data %d fail %u\n", what, info.tcpi_state,
	     !!(info.tcpi_options & TCPI_OPT_SYN_DATA), info.tcpi_fastopen_client_fail);
}

static int take(struct play *p, int listener)
{
	int fd;

	wait_readable(listener);
	fd = accept(listener, NULL, NULL);
	note(p, "accepted: %d\n", fd >= 0);
	return fd;
}

/* @size bytes arrive, and the end if there is one */
static void note_read(struct play *p, int fd, size_t size)
{
	char text[4096] = "";
	size_t done = 0;
	ssize_t n = 1;

	while (done < size && n > 0) {
		wait_readable(fd);
		n = recv(fd, text + done, size - done, MSG_DONTWAIT);
		if (n > 0)
			done += n;
	}
	note(p, "read %zu: %.20s\n", done, text);
}

/* the server is known and was kind */
static void know(struct play *p)
{
	int listener = server(p), fd = client(p, 0), child;

	fast_send(p, fd, port_of(listener), "?", 0);
	child = take(p, listener);
	close(child);
	close(fd);
	close(listener);
}

/* a listener that is known, and a socket that may connect to it */
static struct pair known(struct play *p, int flags)
{
	struct pair pair = { .server = -1 };

	know(p);
	pair.listener = server(p);
	pair.client = client(p, flags);
	return pair;
}

/* the same, and connect() waits for a write */
static struct pair deferred(struct play *p, int flags)
{
	struct pair pair = known(p, flags);

	call(p, "option", set(pair.client, TCP_FASTOPEN_CONNECT, 1));
	call(p, "connect", connect_to(p, pair.client, port_of(pair.listener)));
	return pair;
}

static void send_hello(struct play *p, const struct pair *pair)
{
	call(p, "sendto", fast_send(p, pair->client, port_of(pair->listener), "hello", 0));
}

/* the listener has it, with @size bytes */
static void accept_with(struct play *p, struct pair *pair, size_t size)
{
	pair->server = take(p, pair->listener);
	note_read(p, pair->server, size);
}

/* ------------------------------------------------------------ MSG_FASTOPEN */

static void first__no_cookie(struct play *p)
{
	int listener = server(p), fd = client(p, O_NONBLOCK), child;

	call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
	note_poll(p, "poll", fd, POLLOUT);
	note_info(p, "client", fd);
	call(p, "send", send(fd, "hello", 5, 0));
	child = take(p, listener);
	note_read(p, child, 5);
	note_info(p, "server", child);
	call(p, "sendto again", fast_send(p, fd, port_of(listener), "hello", 0));
	close(child);
	close(fd);
	close(listener);
}

static void send__nonblocking(struct play *p)
{
	struct pair pair = known(p, O_NONBLOCK);

	send_hello(p, &pair);
	accept_with(p, &pair, 5);
	note_poll(p, "server", pair.server, POLLOUT);
	note_poll(p, "client", pair.client, POLLOUT);
	note_info(p, "server", pair.server);
	note_info(p, "client", pair.client);
	call(p, "answer", send(pair.server, "and good day", 12, 0));
	note_read(p, pair.client, 12);
	close(pair.client);
	note_read(p, pair.server, 1);
	close(pair.server);
	close(pair.listener);
}

static void send__blocking(struct play *p)
{
	struct pair pair = known(p, 0);

	send_hello(p, &pair);
	note_info(p, "client", pair.client);
	call(p, "send", send(pair.client, " again", 6, 0));
	accept_with(p, &pair, 11);
	done(&pair);
}

/* More than a SYN takes: a call that may wait sends it all. */
static void send__large(struct play *p)
{
	static char large[200000];
	int listener, fd, child;
	size_t done = 0;
	ssize_t n = 1;

	memset(large, 'x', sizeof(large) - 1);
	know(p);
	listener = server(p);
	fd = client(p, 0);
	call(p, "sendto", fast_send(p, fd, port_of(listener), large, 0));
	shutdown(fd, SHUT_WR);
	child = take(p, listener);
	while (n > 0) {
		n = recv(child, large, sizeof(large), 0);
		if (n > 0)
			done += n;
	}
	note(p, "read %zu\n", done);
	close(child);
	close(fd);
	fd = client(p, O_NONBLOCK);
	memset(large, 'x', sizeof(large) - 1);
	n = fast_send(p, fd, port_of(listener), large, 0);
	note(p, "a part: %d\n", n > 0 && n < (ssize_t)sizeof(large) - 1);
	close(fd);
	close(listener);
}

static void send__nothing(struct play *p)
{
	struct pair pair = known(p, O_NONBLOCK);

	call(p, "sendto nothing", fast_send(p, pair.client, port_of(pair.listener), "", 0));
	pair.server = take(p, pair.listener);
	note_poll(p, "client", pair.client, POLLOUT);
	note_info(p, "client", pair.client);
	done(&pair);
}

static void send__refused(struct play *p)
{
	int port, fd, err = 0;
	socklen_t len = sizeof(err);

	know(p);
	port = closed_port(p);
	fd = client(p, 0);
	call(p, "blocking", fast_send(p, fd, port, "hello", 0));
	note_info(p, "client", fd);
	close(fd);
	fd = client(p, O_NONBLOCK);
	call(p, "nonblocking", fast_send(p, fd, port, "hello", 0));
	note_poll(p, "poll", fd, POLLHUP);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	note(p, "error %d\n", err);
	close(fd);
}

static void send__bad_addresses(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 9);
	int fd = client(p, O_NONBLOCK);

	know(p);
	call(p, "none", send(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL));
	call(p, "short", sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&ss, 7));
	call(p, "one byte", sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&ss, 1));
	ss.ss_family = AF_UNIX;
	call(p, "family", sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&ss, len));
	ss.ss_family = AF_UNSPEC;
	call(p, "unspec", sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&ss, len));
	note_info(p, "client", fd);
	close(fd);
}

static void send__in_other_states(struct play *p)
{
	struct pair pair = connected(p);
	int port = port_of(pair.listener);

	call(p, "connected", fast_send(p, pair.client, port, "x", 0));
	call(p, "accepted", fast_send(p, pair.server, port, "x", 0));
	call(p, "listener", fast_send(p, pair.listener, port, "x", 0));
	call(p, "no address", send(pair.client, "x", 1, MSG_FASTOPEN));
	close(pair.server);
	note_poll(p, "poll", pair.client, POLLIN);
	call(p, "half closed", fast_send(p, pair.client, port, "x", 0));
	close(pair.client);
	close(pair.listener);
}

static void send__then_close(struct play *p)
{
	struct pair pair = known(p, O_NONBLOCK);

	send_hello(p, &pair);
	call(p, "shutdown", shutdown(pair.client, SHUT_WR));
	accept_with(p, &pair, 6);
	call(p, "answer", send(pair.server, "bye", 3, 0));
	note_read(p, pair.client, 3);
	close(pair.server);
	note_read(p, pair.client, 1);
	close(pair.client);
	close(pair.listener);
}

static void send__more(struct play *p)
{
	struct pair pair = known(p, 0);

	call(p, "sendto", fast_send(p, pair.client, port_of(pair.listener), "hello ", MSG_MORE));
	call(p, "send", send(pair.client, "world", 5, 0));
	accept_with(p, &pair, 11);
	done(&pair);
}

/* The listener does none, but the client has a cookie of the host's. */
static void send__to_an_ordinary_listener(struct play *p)
{
	int listener, fd, child;

	know(p);
	listener = listen_on(p, 8);
	fd = client(p, O_NONBLOCK);
	call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
	child = take(p, listener);
	note_read(p, child, 5);
	note_info(p, "server", child);
	note_info(p, "client", fd);
	close(child);
	close(fd);
	close(listener);
}

/* ------------------------------------------------------------ TCP_FASTOPEN_CONNECT */

static void deferred__write(struct play *p)
{
	struct pair pair = deferred(p, O_NONBLOCK);
	char c;

	note_poll(p, "poll", pair.client, POLLOUT);
	note_info(p, "client", pair.client);
	note(p, "port: %d\n", port_of(pair.client) > 0);
	call(p, "connect again", connect_to(p, pair.client, port_of(pair.listener)));
	call(p, "option", set(pair.client, TCP_FASTOPEN_CONNECT, 0));
	call(p, "recv", recv(pair.client, &c, 1, 0));
	call(p, "write", write(pair.client, "hello", 5));
	accept_with(p, &pair, 5);
	note_poll(p, "poll", pair.client, POLLOUT);
	note_info(p, "client", pair.client);
	call(p, "write", write(pair.client, "more", 4));
	note_read(p, pair.server, 4);
	done(&pair);
}

static void deferred__blocking(struct play *p)
{
	struct pair pair = deferred(p, 0);

	call(p, "write", write(pair.client, "hello", 5));
	note_info(p, "client", pair.client);
	accept_with(p, &pair, 5);
	done(&pair);
}

static void deferred__fast_send(struct play *p)
{
	struct pair pair = deferred(p, O_NONBLOCK);

	send_hello(p, &pair);
	accept_with(p, &pair, 5);
	done(&pair);
}

static void deferred__given_up(struct play *p)
{
	struct sockaddr_storage ss;
	int listener, fd, child;
	socklen_t len;

	know(p);
	listener = server(p);
	fd = client(p, O_NONBLOCK);
	call(p, "option", set(fd, TCP_FASTOPEN_CONNECT, 1));
	call(p, "connect", connect_to(p, fd, port_of(listener)));
	len = address(p, &ss, 0);
	ss.ss_family = AF_UNSPEC;
	call(p, "unspec", connect(fd, (void *)&ss, len));
	note_info(p, "client", fd);
	note_poll(p, "poll", fd, 0);
	call(p, "connect", connect_to(p, fd, port_of(listener)));
	call(p, "shutdown", shutdown(fd, SHUT_RDWR));
	note_info(p, "client", fd);
	call(p, "connect", connect_to(p, fd, port_of(listener)));
	call(p, "write", write(fd, "hello", 5));
	child = take(p, listener);
	note_read(p, child, 5);
	close(child);
	close(fd);
	fd = client(p, 0);
	call(p, "option", set(fd, TCP_FASTOPEN_CONNECT, 1));
	call(p, "connect", connect_to(p, fd, port_of(listener)));
	close(fd);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	call(p, "nobody", accept(listener, NULL, NULL));
	close(listener);
}

static void deferred__refused(struct play *p)
{
	int port, fd;

	know(p);
	port = closed_port(p);
	fd = client(p, 0);
	call(p, "option", set(fd, TCP_FASTOPEN_CONNECT, 1));
	call(p, "connect", connect_to(p, fd, port));
	call(p, "write", send(fd, "hello", 5, MSG_NOSIGNAL));
	note_info(p, "client", fd);
	close(fd);
}

static void deferred__nothing_written(struct play *p)
{
	struct pair pair = deferred(p, O_NONBLOCK);

	call(p, "send nothing", send(pair.client, "", 0, 0));
	pair.server = take(p, pair.listener);
	note_poll(p, "poll", pair.client, POLLOUT);
	done(&pair);
}

/* ------------------------------------------------------------ modes, options, keys */

static void mode__off(struct play *p)
{
	int listener = listen_on(p, 8), fd = client(p, O_NONBLOCK), child;

	know(p);
	set_mode(0);
	call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
	call(p, "option", set(fd, TCP_FASTOPEN_CONNECT, 1));
	call(p, "option", set(fd, TCP_FASTOPEN_CONNECT, 2));
	call(p, "option", set(fd, TCP_FASTOPEN_NO_COOKIE, 1));
	call(p, "listener", set(listener, TCP_FASTOPEN, 5));
	close(fd);
	/* the client would, the server does not */
	set_mode(CLIENT);
	fd = client(p, O_NONBLOCK);
	call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
	child = take(p, listener);
	note_read(p, child, 5);
	note_info(p, "client", fd);
	note_info(p, "server", child);
	set_mode(CLIENT | SERVER);
	close(child);
	close(fd);
	close(listener);
}

static void mode__every_listener(struct play *p)
{
	int listener, fd, child;

	set_mode(CLIENT | SERVER | EVERY_LISTENER);
	know(p);
	listener = listen_on(p, 8);
	set_mode(CLIENT | SERVER);
	fd = client(p, O_NONBLOCK);
	call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
	child = take(p, listener);
	note_read(p, child, 5);
	note_info(p, "server", child);
	close(child);
	close(fd);
	close(listener);
}

static void mode__without_cookies(struct play *p)
{
	int listener = server(p), fd, child;

	set_mode(CLIENT | SERVER | NO_COOKIE | 0x200);
	fd = client(p, O_NONBLOCK);
	call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
	child = take(p, listener);
	note_read(p, child, 5);
	note_info(p, "server", child);
	set_mode(CLIENT | SERVER);
	close(child);
	close(fd);
	close(listener);
}

static void option__no_cookie(struct play *p)
{
	int listener = server(p), fd = client(p, O_NONBLOCK), child;

	call(p, "server", set(listener, TCP_FASTOPEN_NO_COOKIE, 1));
	call(p, "client", set(fd, TCP_FASTOPEN_NO_COOKIE, 1));
	call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
	child = take(p, listener);
	note_read(p, child, 5);
	note_info(p, "server", child);
	call(p, "connected", set(fd, TCP_FASTOPEN_NO_COOKIE, 0));
	close(child);
	close(fd);
	close(listener);
}

static void option__states(struct play *p)
{
	struct pair pair = connected(p);
	int fd = make(p);

	call(p, "connected", set(pair.client, TCP_FASTOPEN, 5));
	call(p, "accepted", set(pair.server, TCP_FASTOPEN, 5));
	call(p, "connected", set(pair.client, TCP_FASTOPEN_CONNECT, 1));
	call(p, "listener", set(pair.listener, TCP_FASTOPEN_CONNECT, 1));
	call(p, "new", set(fd, TCP_FASTOPEN_CONNECT, 1));
	call(p, "listen", listen(fd, 1));
	call(p, "listening", set(fd, TCP_FASTOPEN_CONNECT, 0));
	call(p, "listening", set(fd, TCP_FASTOPEN, 3));
	close(fd);
	done(&pair);
}

static void note_key(struct play *p, int fd, socklen_t room)
{
	unsigned char key[64] = "";
	socklen_t len = room, i;

	call(p, "get", getsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_KEY, key, &len));
	note(p, "%u:", len);
	for (i = 0; i < len; i++)
		note(p, " %02x", key[i]);
	note(p, "\n");
}

static void option__keys(struct play *p)
{
	static const char keys[48] = "0123456789abcdeffedcba9876543210";
	int fd = server(p), i;

	note_key(p, fd, 64);
	for (i = 0; i <= 48; i += i == 16 || i == 32 ? 1 : i % 16 == 15 ? 1 : 5)
		call(p, "set", setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, i));
	note_key(p, fd, 64);
	note_key(p, fd, 20);
	note_key(p, fd, 0);
	call(p, "set", setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys + 16, 16));
	note_key(p, fd, 64);
	call(p, "NULL", setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_KEY, NULL, 16));
	close(fd);
}

/* Another key: the cookie that the client has is none any more. The next one is, again. */
static void option__other_key(struct play *p)
{
	int listener, fd, child, i;

	know(p);
	listener = server(p);
	call(p, "set", setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, "0123456789abcdef", 16));
	for (i = 0; i < 2; i++) {
		fd = client(p, O_NONBLOCK);
		call(p, "sendto", fast_send(p, fd, port_of(listener), "hello", 0));
		child = take(p, listener);
		note_read(p, child, 5);
		note_info(p, "client", fd);
		close(child);
		close(fd);
	}
	close(listener);
	/* of the old key again, for who comes next */
	know(p);
}

static const struct situation situations[] = {
	SITUATION(first__no_cookie),
	SITUATION(send__nonblocking),
	SITUATION(send__blocking),
	SITUATION(send__large),
	SITUATION(send__nothing),
	SITUATION(send__refused),
	SITUATION(send__bad_addresses),
	SITUATION(send__in_other_states),
	SITUATION(send__then_close),
	SITUATION(send__more),
	SITUATION(send__to_an_ordinary_listener),
	SITUATION(deferred__write),
	SITUATION(deferred__blocking),
	SITUATION(deferred__fast_send),
	SITUATION(deferred__given_up),
	SITUATION(deferred__refused),
	SITUATION(deferred__nothing_written),
	SITUATION(mode__off),
	SITUATION(mode__every_listener),
	SITUATION(mode__without_cookies),
	SITUATION(option__no_cookie),
	SITUATION(option__states),
	SITUATION(option__keys),
	SITUATION(option__other_key),
};

static const char *const setup[] = {
	"ip link set lo up",
	"echo 3 >/proc/sys/net/ipv4/tcp_fastopen",
	"echo 3 >/proc/sys/net/haul/fastopen",
	NULL
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), setup);
}
