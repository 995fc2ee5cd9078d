// SPDX-License-Identifier: GPL-2.0
/*
 * messages: reliable messages (SOCK_SEQPACKET). A store of names and values.
 *
 *	messages server [PORT]
 *	messages client ADDRESS PORT REQUEST...		each is "set NAME VALUE" or "get NAME"
 *
 * One send() is one message and one recv() takes one, whole, in order, none lost: a protocol of
 * requests and answers needs no lengths and no separators.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/haul.h>

#define ENTRIES 64
#define LARGEST 4096 /* bytes of a message */

static struct {
	char name[64], value[LARGEST];
} store[ENTRIES];

/* The value of that name, or "" of a free entry, named so if @set; NULL: all are taken. */
static char *find(const char *name, int set)
{
	int i;

	for (i = 0; i < ENTRIES && store[i].name[0] && strcmp(store[i].name, name); i++)
		;
	if (i == ENTRIES)
		return NULL;
	if (set)
		snprintf(store[i].name, sizeof(store[i].name), "%s", name);
	return store[i].value;
}

static void answer(const char *request, char *reply)
{
	char name[64], *value = NULL;
	int at = 0, set;

	set = sscanf(request, "set %63s %n", name, &at) == 1 && at;
	if (set || sscanf(request, "get %63s", name) == 1)
		value = find(name, set);
	if (value && set)
		snprintf(value, LARGEST, "%s", request + at);
	snprintf(reply, LARGEST, "%s", value ? (*value ? value : "?") : "not understood");
}

/* One message as a string; 0: the peer has ended. A longer one has MSG_TRUNC, and is refused. */
static ssize_t receive(int fd, char *text)
{
	struct iovec iov = { .iov_base = text, .iov_len = LARGEST - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n > 0 && msg.msg_flags & MSG_TRUNC)
		snprintf(text, LARGEST, "too long");
	else
		text[n > 0 ? n : 0] = 0;
	return n;
}

static void serve(unsigned short port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int listener = socket(AF_HAUL, SOCK_SEQPACKET, HAULPROTO_INET6), one = 1, fd;
	char request[LARGEST], reply[LARGEST];

	if (listener < 0)
		err(1, "socket (is the module loaded?)");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 64))
		err(1, "port %u", port);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		while (receive(fd, request) > 0) {
			answer(request, reply);
			if (send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
				break;
		}
		close(fd);
	}
	err(1, "accept");
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	char reply[LARGEST];
	int fd, i;

	if (argc >= 2 && !strcmp(argv[1], "server"))
		serve(argc > 2 ? atoi(argv[2]) : 7000);
	if (argc < 5 || strcmp(argv[1], "client") || !inet_aton(argv[2], &to.sin_addr))
		errx(2, "usage: messages server [PORT] | messages client ADDRESS PORT REQUEST...");
	to.sin_port = htons(atoi(argv[3]));
	fd = socket(AF_HAUL, SOCK_SEQPACKET, HAULPROTO_INET);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s port %s", argv[2], argv[3]);
	/* all requests first, then all answers: messages keep their order and their ends */
	for (i = 4; i < argc; i++) {
		if (send(fd, argv[i], strlen(argv[i]), MSG_NOSIGNAL) < 0)
			err(1, "send");
	}
	for (i = 4; i < argc && receive(fd, reply) > 0; i++)
		puts(reply);
	return i < argc;
}
