// SPDX-License-Identifier: GPL-2.0
/* A throw-away network namespace with one TUN device in it, and IP packets through that device. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "wire.h"
#include "../bytes.h"

#define DEVICE	"wire0"
#define IP4_HEADER 20
#define IP6_HEADER 40

static const char *const host4 = "192.0.2.1", *const peer4 = "192.0.2.2";
static const char *const host6 = "2001:db8::1", *const peer6 = "2001:db8::2";
static const char *const all4 = "255.255.255.255", *const all6 = "ff02::1";

uint64_t wire_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static void need(struct wire *w, bool ok, const char *what)
{
	if (!ok)
		wire_fail(w, NULL, "%s: %s", what, strerror(errno));
}

static void set_flags(struct wire *w, int control, const char *device)
{
	struct ifreq ifr = {};

	strcpy(ifr.ifr_name, device);
	need(w, !ioctl(control, SIOCGIFFLAGS, &ifr), "SIOCGIFFLAGS");
	ifr.ifr_flags |= IFF_UP;
	need(w, !ioctl(control, SIOCSIFFLAGS, &ifr), "SIOCSIFFLAGS");
}

static void set_address4(struct wire *w, int control)
{
	struct ifreq ifr = {};
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;

	strcpy(ifr.ifr_name, DEVICE);
	in->sin_family = AF_INET;
	inet_pton(AF_INET, host4, &in->sin_addr);
	need(w, !ioctl(control, SIOCSIFADDR, &ifr), "SIOCSIFADDR");
	inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
	need(w, !ioctl(control, SIOCSIFNETMASK, &ifr), "SIOCSIFNETMASK");
}

/* By netlink: only there can duplicate address detection be refused, and nothing is to wait for. */
static void set_address6(struct wire *w)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg msg;
		struct rtattr attr;
		struct in6_addr addr;
	} req = {
		.head = {
			.nlmsg_len = sizeof(req),
			.nlmsg_type = RTM_NEWADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
		},
		.msg = {
			.ifa_family = AF_INET6,
			.ifa_prefixlen = 64,
			.ifa_flags = IFA_F_NODAD,
			.ifa_index = if_nametoindex(DEVICE),
		},
		.attr = { .rta_len = RTA_LENGTH(sizeof(req.addr)), .rta_type = IFA_LOCAL },
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer = {};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	inet_pton(AF_INET6, host6, &req.addr);
	need(w, send(fd, &req, sizeof(req), 0) > 0, "RTM_NEWADDR");
	need(w, recv(fd, &answer, sizeof(answer), MSG_TRUNC) > 0, "RTM_NEWADDR");
	errno = -answer.error.error;
	need(w, answer.head.nlmsg_type == NLMSG_ERROR && !errno, "RTM_NEWADDR");
	close(fd);
}

static void open_tun(struct wire *w)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };

	/* no udev makes the node where the module is not loaded yet */
	if (access("/dev/net/tun", F_OK) && system("modprobe tun"))
		wire_fail(w, NULL, "modprobe tun failed");
	w->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	need(w, w->tun >= 0, "/dev/net/tun");
	strcpy(ifr.ifr_name, DEVICE);
	need(w, !ioctl(w->tun, TUNSETIFF, &ifr), "TUNSETIFF");
}

void wire_open(struct wire *w, int family)
{
	int control;

	memset(w, 0, sizeof(*w));
	w->family = family;
	w->mtu = WIRE_MTU;
	need(w, !unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET), as root");
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	need(w, control >= 0, "socket");
	open_tun(w);
	set_flags(w, control, "lo");
	set_flags(w, control, DEVICE);
	set_address4(w, control);
	set_address6(w);
	close(control);
	/* What a test leaves behind when it ends shall not keep the module busy for a minute. */
	if (!access("/proc/sys/net/haul", F_OK)) {
		wire_sysctl(w, "haul.orphan_retries", "1");
		wire_sysctl(w, "haul.fin_timeout_ms", "2000");
	}
	wire_wait_ready(w);
}

void wire_set_mtu(struct wire *w, int mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(ifr.ifr_name, DEVICE);
	need(w, !ioctl(control, SIOCSIFMTU, &ifr), "SIOCSIFMTU");
	close(control);
	w->mtu = mtu;
}

socklen_t wire_address_len(const struct wire *w)
{
	return w->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

void wire_address(const struct wire *w, bool host, uint16_t port, struct sockaddr_storage *addr)
{
	struct sockaddr_in *in = (struct sockaddr_in *)addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = w->family;
	if (w->family == AF_INET) {
		in->sin_port = htons(port);
		inet_pton(AF_INET, host ? host4 : peer4, &in->sin_addr);
	} else {
		in6->sin6_port = htons(port);
		inet_pton(AF_INET6, host ? host6 : peer6, &in6->sin6_addr);
	}
}

static void remember(struct wire *w, bool sent, const struct packet *p)
{
	struct wire_event *event = &w->history[w->events++ % WIRE_HISTORY];

	event->us = wire_now_us();
	event->sent = sent;
	event->p = *p;
	event->p.payload = NULL;
}

static size_t put_ip4(const struct wire *w, uint8_t *at, int protocol, size_t len, uint8_t ecn)
{
	uint16_t total = htons(IP4_HEADER + len), sum;

	memset(at, 0, IP4_HEADER);
	at[0] = 0x45;
	at[1] = ecn;
	memcpy(at + 2, &total, 2);
	at[6] = 0x40;			/* DF */
	at[8] = 64;
	at[9] = protocol;
	inet_pton(AF_INET, peer4, at + 12);
	inet_pton(AF_INET, w->to_all ? all4 : host4, at + 16);
	sum = htons(internet_checksum(at, IP4_HEADER));
	memcpy(at + 10, &sum, 2);
	return IP4_HEADER;
}

static size_t put_ip6(const struct wire *w, uint8_t *at, int protocol, size_t len, uint8_t ecn)
{
	uint16_t payload = htons(len);

	memset(at, 0, IP6_HEADER);
	at[0] = 0x60;
	at[1] = ecn << 4;
	memcpy(at + 4, &payload, 2);
	at[6] = protocol;
	at[7] = 64;
	inet_pton(AF_INET6, peer6, at + 8);
	inet_pton(AF_INET6, w->to_all ? all6 : host6, at + 24);
	return IP6_HEADER;
}

void wire_send_ip(struct wire *w, int protocol, const uint8_t *bytes, size_t len, uint8_t ecn)
{
	uint8_t frame[65536];
	size_t at;

	at = w->family == AF_INET ? put_ip4(w, frame, protocol, len, ecn)
				  : put_ip6(w, frame, protocol, len, ecn);
	if (at + len > sizeof(frame))
		wire_fail(w, NULL, "a packet of %zu bytes is too long", len);
	memcpy(frame + at, bytes, len);
	need(w, write(w->tun, frame, at + len) == (ssize_t)(at + len), "write to TUN");
}

void wire_send(struct wire *w, const struct packet *p)
{
	uint8_t bytes[65536];
	size_t len = packet_encode(p, bytes, sizeof(bytes));

	remember(w, true, p);
	wire_send_ip(w, IPPROTO_HAUL, bytes, len, p->ecn);
}

/* Is it from the host to the peer? Then where its payload begins, else 0. */
static size_t check_ip4(struct wire *w, const uint8_t *ip, size_t len, int *protocol, uint8_t *ecn)
{
	uint8_t addr[4];

	inet_pton(AF_INET, peer4, addr);
	*protocol = ip[9];
	*ecn = ip[1] & 3;
	if (memcmp(ip + 16, addr, 4))
		return 0;
	if (internet_checksum(ip, IP4_HEADER) || (size_t)(ip[2] << 8 | ip[3]) != len)
		wire_fail(w, NULL, "an IPv4 header with a wrong checksum or length");
	if (*protocol == IPPROTO_HAUL && (ip[6] & 0x3f))
		wire_fail(w, NULL, "a fragment of a Haul packet");
	return IP4_HEADER;
}

static size_t check_ip6(struct wire *w, const uint8_t *ip, size_t len, int *protocol, uint8_t *ecn)
{
	uint8_t addr[16];

	inet_pton(AF_INET6, peer6, addr);
	*protocol = ip[6];
	*ecn = ip[1] >> 4 & 3;
	if (memcmp(ip + 24, addr, 16))
		return 0;
	if ((size_t)(ip[4] << 8 | ip[5]) + IP6_HEADER != len)
		wire_fail(w, NULL, "an IPv6 header with a wrong length");
	return IP6_HEADER;
}

static enum wire_kind take(struct wire *w, struct packet *p, size_t len)
{
	const uint8_t *ip = w->buffer;
	const char *wrong;
	uint8_t ecn;
	int protocol;
	size_t at;

	if (len < IP4_HEADER || ip[0] >> 4 != (w->family == AF_INET ? 4 : 6))
		return WIRE_NOTHING;
	if (w->family == AF_INET6 && len < IP6_HEADER)
		return WIRE_NOTHING;
	at = w->family == AF_INET ? check_ip4(w, ip, len, &protocol, &ecn)
				  : check_ip6(w, ip, len, &protocol, &ecn);
	if (!at)
		return WIRE_NOTHING;	/* to a multicast address: the kernel's own chatter */
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		w->icmp = ip + at;
		w->icmp_len = len - at;
		return WIRE_ICMP;
	}
	if (protocol != IPPROTO_HAUL)
		return WIRE_NOTHING;
	wrong = packet_decode(p, ip + at, len - at);
	p->ecn = ecn;
	remember(w, false, p);
	if (wrong)
		wire_fail(w, NULL, "the host sent a malformed packet: %s", wrong);
	return WIRE_HAUL;
}

enum wire_kind wire_receive(struct wire *w, struct packet *p, uint64_t deadline)
{
	struct pollfd pfd = { .fd = w->tun, .events = POLLIN };
	enum wire_kind kind;
	ssize_t len;

	for (;;) {
		uint64_t now = wire_now_us();
		int ms = deadline > now ? (deadline - now + 999) / 1000 : 0;

		len = read(w->tun, w->buffer, sizeof(w->buffer));
		if (len > 0) {
			kind = take(w, p, len);
			if (kind != WIRE_NOTHING)
				return kind;
			continue;
		}
		need(w, errno == EAGAIN, "read from TUN");
		if (!ms)
			return WIRE_NOTHING;
		poll(&pfd, 1, ms);
	}
}

void wire_sysctl(struct wire *w, const char *name, const char *fmt, ...)
{
	char path[256], value[64], *dot;
	va_list args;
	int fd, len;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	for (dot = path + strlen("/proc/sys/net/"); (dot = strchr(dot, '.')); )
		*dot = '/';
	va_start(args, fmt);
	len = vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	fd = open(path, O_WRONLY);
	need(w, fd >= 0, path);
	need(w, write(fd, value, len) == len, path);
	close(fd);
}

/* pairs of lines, names above values, as in /proc/net/netstat */
long wire_counter(struct wire *w, const char *name)
{
	char names[65536], values[65536], *save_name, *save_value;
	FILE *file = fopen("/proc/net/haul/snmp", "r");
	char *n, *v;

	need(w, file, "/proc/net/haul/snmp");
	while (fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		n = strtok_r(names, " \n", &save_name);
		v = strtok_r(values, " \n", &save_value);
		while (n && v) {
			if (!strcmp(n, name)) {
				fclose(file);
				return strtol(v, NULL, 10);
			}
			n = strtok_r(NULL, " \n", &save_name);
			v = strtok_r(NULL, " \n", &save_value);
		}
	}
	wire_fail(w, NULL, "/proc/net/haul/snmp has no counter %s", name);
}
