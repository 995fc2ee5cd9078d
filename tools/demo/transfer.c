// SPDX-License-Identifier: GPL-2.0
/*
 * hauldemo: one file over one connection.
 *
 * The sender writes the file and shuts its direction down; the receiver stores what comes until end
 * of file, then answers one byte through the direction that is still open. When the sender reads
 * it, everything has arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/haul.h>

#include "demo.h"

#define DEMO_CHUNK (64 * 1024)
#define DEMO_TICK 50000 /* us */

/* The far end's addresses, as scripts/demo.d/link has them; loopback where there is no link. */
#define DEMO_FAR4 0xc6336402u /* 198.51.100.2, RFC 5737 */
static const struct in6_addr demo_far6 = { .s6_addr = { 0x20, 0x01, 0x0d,
							0xb8, [15] = 2 } }; /* RFC 3849 */

static int demo_fail(struct demo_flow *f, const char *fmt, ...)
{
	int err = errno;
	va_list args;
	size_t len;

	if (f->error[0])
		return -1;
	va_start(args, fmt);
	vsnprintf(f->error, sizeof(f->error), fmt, args);
	va_end(args);
	len = strlen(f->error);
	snprintf(f->error + len, sizeof(f->error) - len, ": %s", strerror(err));
	return -1;
}

static int demo_socket(const struct demo_run *run, struct demo_flow *f)
{
	int fd;

	if (run->transport == DEMO_HAUL)
		fd = socket(AF_HAUL, SOCK_STREAM | SOCK_CLOEXEC,
			    f->family == AF_INET6 ? HAULPROTO_INET6 : HAULPROTO_INET);
	else
		fd = socket(f->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? demo_fail(f, "socket") : fd;
}

static socklen_t demo_address(const struct demo_run *run, const struct demo_flow *f, bool any,
			      struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = f->family;
	if (f->family == AF_INET6) {
		in6->sin6_port = htons(f->port);
		in6->sin6_addr = any ? in6addr_any : run->far ? demo_far6 : in6addr_loopback;
		return sizeof(*in6);
	}
	in->sin_port = htons(f->port);
	in->sin_addr.s_addr = htonl(any ? INADDR_ANY : run->far ? DEMO_FAR4 : INADDR_LOOPBACK);
	return sizeof(*in);
}

/* Calls that block return after a while, so that the screen learns how the connection is. */
static void demo_impatient(int fd)
{
	const struct timeval tick = { .tv_usec = DEMO_TICK };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof(tick));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
}

/* Tell the screen, if what it knows is old. */
static void demo_tell(const struct demo_run *run, struct demo_flow *f, int fd, uint64_t *told)
{
	uint64_t now = demo_now();

	if (now - *told < DEMO_TICK)
		return;
	*told = now;
	demo_report_read(fd, run->transport, &f->report);
}

static int demo_send_file(const struct demo_run *run, struct demo_flow *f, int fd, uint64_t *told)
{
	const char *data = run->data;
	size_t done = 0;

	while (done < run->size && (!run->until || demo_now() < run->until)) {
		size_t want = run->size - done < DEMO_CHUNK ? run->size - done : DEMO_CHUNK;
		ssize_t n = send(fd, data + done, want, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return demo_fail(f, "send after %zu bytes", done);
		if (n > 0)
			done += n;
		demo_tell(run, f, fd, told);
	}
	return 0;
}

static int demo_send(const struct demo_run *run, struct demo_flow *f, int fd, uint64_t began)
{
	uint64_t told = 0;
	ssize_t n;
	char word;

	demo_impatient(fd);
	do {
		if (demo_send_file(run, f, fd, &told))
			return -1;
	} while (run->until && demo_now() < run->until);
	if (shutdown(fd, SHUT_WR))
		return demo_fail(f, "shutdown");
	do {
		n = recv(fd, &word, 1, 0);
		demo_tell(run, f, fd, &told);
	} while (n < 0 && errno == EAGAIN);
	if (!n)
		errno = ECONNABORTED;
	if (n != 1)
		return demo_fail(f, "waiting for the receiver's last word");
	f->took = demo_now() - began;
	if (demo_report_read(fd, run->transport, &f->report))
		return demo_fail(f, "asking for the connection's numbers");
	return 0;
}

/* What comes, into the file @out; -1: nowhere. */
static int demo_store(struct demo_flow *f, int fd, int out)
{
	static char buf[DEMO_CHUNK];

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0)
			return demo_fail(f, "recv after %llu bytes",
					 (unsigned long long)f->arrived);
		if (!n)
			return 0;
		if (out >= 0 && write(out, buf, n) != n)
			return demo_fail(f, "writing the received file");
		f->arrived += n;
	}
}

static int demo_receive(const struct demo_run *run, struct demo_flow *f, int fd)
{
	int out = -1, ret;
	char path[256];

	demo_output_path(path, sizeof(path), run, f);
	if (!run->until) {
		out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (out < 0)
			return demo_fail(f, "%s", path);
	}
	ret = demo_store(f, fd, out);
	if (out >= 0)
		close(out);
	if (!ret && send(fd, "!", 1, MSG_NOSIGNAL) != 1)
		return demo_fail(f, "sending the last word");
	return ret;
}

/* Where a received file goes. */
void demo_output_path(char *path, size_t len, const struct demo_run *run, const struct demo_flow *f)
{
	snprintf(path, len, "%s/%s-%u", run->out_dir, demo_transport_name[run->transport], f->port);
}

/* A listening socket for the flow, or -1 with the reason in the flow. */
int demo_listen(const struct demo_run *run, struct demo_flow *f)
{
	struct sockaddr_storage ss;
	socklen_t len = demo_address(run, f, true, &ss);
	int fd = demo_socket(run, f), one = 1;

	if (fd < 0)
		return -1;
	if (f->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		return demo_fail(f, "setsockopt(IPV6_V6ONLY)");
	if (bind(fd, (struct sockaddr *)&ss, len))
		return demo_fail(f, "bind to port %u", f->port);
	if (listen(fd, 1))
		return demo_fail(f, "listen");
	return fd;
}

/* The server's part: take one connection and send or receive the file. */
int demo_serve(const struct demo_run *run, struct demo_flow *f, int listener)
{
	int fd = accept(listener, NULL, NULL), ret;

	if (fd < 0)
		return demo_fail(f, "accept");
	ret = f->to_client ? demo_send(run, f, fd, demo_now()) : demo_receive(run, f, fd);
	close(fd);
	return ret;
}

/* The client's part: connect, then send or receive the file. */
int demo_connect(const struct demo_run *run, struct demo_flow *f)
{
	struct sockaddr_storage ss;
	socklen_t len = demo_address(run, f, false, &ss);
	int fd = demo_socket(run, f), ret;
	uint64_t began = demo_now();

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&ss, len))
		return demo_fail(f, "connect to port %u", f->port);
	f->handshake = demo_now() - began;
	ret = f->to_client ? demo_receive(run, f, fd) : demo_send(run, f, fd, began);
	close(fd);
	return ret;
}
