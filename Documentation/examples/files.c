// SPDX-License-Identifier: GPL-2.0
/*
 * files: a file server. Files go to the network by sendfile(), not through the program.
 *
 *	files DIRECTORY [PORT]
 *
 * It speaks as much of HTTP/1.0 as a browser needs to fetch a file: haulrun curl http://HOST:7000/FILE
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/haul.h>

/* A regular file beneath the directory, whatever dots and links the name has; or -1. */
static int open_beneath(int dir, const char *name, struct stat *st)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT };
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The request's head as a string: it ends with an empty line. */
static int read_head(int fd, char *head, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = recv(fd, head + len, size - 1 - len, 0);
		if (n <= 0)
			return -1;
		len += n;
		head[len] = 0;
	} while (!strstr(head, "\r\n\r\n") && len < size - 1);
	return 0;
}

static int send_text(int fd, const char *text, int flags)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL | flags) > 0 ? 0 : -1;
}

static int send_file(int fd, int file, off_t size)
{
	char head[128];
	off_t at = 0;

	snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %lld\r\n\r\n",
		 (long long)size);
	/* MSG_MORE: the head leaves in one segment with the file's beginning */
	if (send_text(fd, head, size ? MSG_MORE : 0))
		return -1;
	while (at < size) {
		if (sendfile(fd, file, &at, size - at) <= 0)
			return -1;
	}
	return 0;
}

static int serve(int fd, int dir)
{
	char head[4096], name[1024];
	struct stat st;
	int file, rc;

	if (read_head(fd, head, sizeof(head)))
		return -1;
	if (sscanf(head, "GET %1023s HTTP/", name) != 1)
		return send_text(fd, "HTTP/1.0 400 Bad Request\r\n\r\n", 0);
	file = open_beneath(dir, name, &st);
	if (file < 0)
		return send_text(fd, "HTTP/1.0 404 Not Found\r\n\r\n", 0);
	rc = send_file(fd, file, st.st_size);
	close(file);
	return rc;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons(argc > 2 ? atoi(argv[2]) : 7000) };
	int listener, dir, fd, one = 1;

	dir = argc < 2 ? -1 : open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		err(2, "usage: files DIRECTORY [PORT]: %s", argc < 2 ? "DIRECTORY" : argv[1]);
	listener = socket(AF_INET6, SOCK_STREAM, IPPROTO_HAUL);
	if (listener < 0)
		err(1, "socket (is the module loaded?)");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 64))
		err(1, "port %u", ntohs(any.sin6_port));
	signal(SIGCHLD, SIG_IGN); /* nobody waits for the children */
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (!fork())
			_exit(serve(fd, dir) ? 1 : 0);
		close(fd);
	}
	err(1, "accept");
}
