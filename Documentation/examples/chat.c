// SPDX-License-Identifier: GPL-2.0
/*
 * chat: everybody on the network who is in the group hears what one says. Datagrams and multicast.
 *
 *	chat NAME [GROUP [PORT [DEVICE]]]	default: 239.192.7.7, 7000, the route's device
 *
 * A line of standard input is one datagram to the group. GROUP may be IPv4 or IPv6. There is no
 * server. What is lost is lost.
 */
#include <err.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/haul.h>

/* The group's address as getaddrinfo() has it. */
static struct addrinfo *resolve(const char *group, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *a;
	int rc = getaddrinfo(group, port, &hints, &a);

	if (rc)
		errx(1, "%s: %s", group, gai_strerror(rc));
	return a;
}

static void join(int fd, const struct addrinfo *group, unsigned int device)
{
	int level = group->ai_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	struct group_req req = { .gr_interface = device };
	struct ip_mreqn by = { .imr_ifindex = device };

	memcpy(&req.gr_group, group->ai_addr, group->ai_addrlen);
	if (setsockopt(fd, level, MCAST_JOIN_GROUP, &req, sizeof(req)))
		err(1, "joining the group");
	if (!device)
		return;
	if (group->ai_family == AF_INET ?
		    setsockopt(fd, level, IP_MULTICAST_IF, &by, sizeof(by)) :
		    setsockopt(fd, level, IPV6_MULTICAST_IF, &device, sizeof(device)))
		err(1, "choosing the device");
}

static int open_group(const struct addrinfo *group, unsigned int device)
{
	int fd = socket(group->ai_family, SOCK_DGRAM, IPPROTO_HAUL), one = 1;

	if (fd < 0)
		err(1, "socket (is the module loaded?)");
	/* several people on one host */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* bound to the group's own address, so that nothing else arrives here */
	if (bind(fd, group->ai_addr, group->ai_addrlen))
		err(1, "bind");
	join(fd, group, device);
	return fd;
}

static void hear(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char text[1500], host[NI_MAXHOST];
	ssize_t n = recvfrom(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&from, &len);

	if (n < 0) {
		warn("recvfrom");
		return;
	}
	text[n] = 0;
	if (getnameinfo((struct sockaddr *)&from, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST))
		snprintf(host, sizeof(host), "?");
	printf("%s %s\n", host, text);
}

int main(int argc, char **argv)
{
	unsigned int device = argc > 4 ? if_nametoindex(argv[4]) : 0;
	char line[1024], text[1100];
	struct addrinfo *group;
	struct pollfd fds[2];

	if (argc < 2 || (argc > 4 && !device))
		errx(2, "usage: chat NAME [GROUP [PORT [DEVICE]]]");
	group = resolve(argc > 2 ? argv[2] : "239.192.7.7", argc > 3 ? argv[3] : "7000");
	fds[0] = (struct pollfd){ .fd = open_group(group, device), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	setvbuf(stdin, NULL, _IONBF, 0); /* no line waits where poll() can't see it */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%s is in\n", argv[1]);
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			err(1, "poll");
		if (fds[0].revents)
			hear(fds[0].fd);
		if (!fds[1].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		line[strcspn(line, "\n")] = 0;
		snprintf(text, sizeof(text), "%s: %s", argv[1], line);
		if (sendto(fds[0].fd, text, strlen(text), 0, group->ai_addr, group->ai_addrlen) < 0)
			warn("sendto");
	}
}
