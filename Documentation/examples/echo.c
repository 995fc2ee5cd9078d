// SPDX-License-Identifier: GPL-2.0
/*
 * echo: the smallest server and client that do everything properly.
 *
 *	echo server [PORT]
 *	echo client ADDRESS [PORT]	sends lines of its standard input, prints what comes back
 *
 * The server takes IPv6 and IPv4 and has one process for each connection.
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/haul.h>

/* A stream takes what it has room for: send until all of it is taken. */
static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			len -= n;
		}
	}
	return 0;
}

/* Until the client has no more to say (0) or the connection broke (-1). */
static int echo(int fd)
{
	char buf[65536];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		if (send_all(fd, buf, n))
			return -1;
	}
	return n;
}

static void serve(unsigned short port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int listener = socket(AF_INET6, SOCK_STREAM, IPPROTO_HAUL), one = 1, fd;

	if (listener < 0)
		err(1, "socket (is the module loaded?)");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 64))
		err(1, "port %u", port);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for the children */
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			warn("accept");
			continue;
		}
		if (!fork()) {
			close(listener);
			_exit(echo(fd) ? 1 : 0);
		}
		close(fd);
	}
}

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	int fd = -1, rc = getaddrinfo(host, port, &hints, &list);

	if (rc)
		errx(1, "%s: %s", host, gai_strerror(rc));
	for (a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM, IPPROTO_HAUL);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		err(1, "%s port %s", host, port);
	freeaddrinfo(list);
	return fd;
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc >= 2 && !strcmp(argv[1], "server"))
		serve(argc > 2 ? atoi(argv[2]) : 7000);
	if (argc < 3 || strcmp(argv[1], "client"))
		errx(2, "usage: echo server [PORT] | echo client ADDRESS [PORT]");

	int fd = connect_to(argv[2], argc > 3 ? argv[3] : "7000");

	while (fgets(line, sizeof(line), stdin)) {
		size_t len = strlen(line);

		if (send_all(fd, line, len))
			err(1, "send");
		if (recv(fd, line, len, MSG_WAITALL) != (ssize_t)len)
			errx(1, "the server has gone");
		fwrite(line, 1, len, stdout);
	}
	return 0;
}
