// SPDX-License-Identifier: GPL-2.0
/*
 * Names for numbers: states, kinds, timers, addresses, ports.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "haulss.h"

/* ---------------------------------------------------------------- states */

static const struct {
	const char *name;		/* as ss has it */
	const char *other;		/* in the filter, too */
} states[HAUL_NUM_STATES] = {
	[HAUL_ESTABLISHED] = { "ESTAB", "established" },
	[HAUL_SYN_SENT] = { "SYN-SENT", "syn-sent" },
	[HAUL_SYN_RECEIVED] = { "SYN-RECV", "syn-received" },
	[HAUL_FIN_WAIT_1] = { "FIN-WAIT-1", "fin-wait-1" },
	[HAUL_FIN_WAIT_2] = { "FIN-WAIT-2", "fin-wait-2" },
	[HAUL_TIME_WAIT] = { "TIME-WAIT", "time-wait" },
	[HAUL_CLOSED] = { "UNCONN", "closed" },
	[HAUL_CLOSE_WAIT] = { "CLOSE-WAIT", "close-wait" },
	[HAUL_LAST_ACK] = { "LAST-ACK", "last-ack" },
	[HAUL_LISTEN] = { "LISTEN", "listening" },
	[HAUL_CLOSING] = { "CLOSING", "closing" },
};

#define BIT(state)	(1U << (state))
#define ALL		(BIT(HAUL_NUM_STATES) - 2)
#define NO_CONNECTION	(BIT(HAUL_LISTEN) | BIT(HAUL_CLOSED))
#define SMALL		(BIT(HAUL_TIME_WAIT) | BIT(HAUL_SYN_RECEIVED))

static const struct {
	const char *name;
	uint32_t bits;
} groups[] = {
	{ "all", ALL },
	{ "connected", ALL & ~NO_CONNECTION },
	{ "synchronized", ALL & ~(NO_CONNECTION | BIT(HAUL_SYN_SENT)) },
	{ "bucket", SMALL },
	{ "big", ALL & ~SMALL },
	{ "close", BIT(HAUL_CLOSED) },
};

const char *state_name(unsigned int state)
{
	return state < HAUL_NUM_STATES && states[state].name ? states[state].name : "UNKNOWN";
}

uint32_t state_bits(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strcasecmp(name, groups[i].name))
			return groups[i].bits;
	for (i = 0; i < HAUL_NUM_STATES; i++)
		if (states[i].name && (!strcasecmp(name, states[i].name) ||
				       !strcasecmp(name, states[i].other)))
			return BIT(i);
	return 0;
}

const char *kind_name(unsigned int kind)
{
	static const char *const kinds[] = { "?", "stream", "message", "dgram" };

	return kinds[kind < 4 ? kind : 0];
}

const char *timer_name(unsigned int timer)
{
	static const char *const timers[] = {
		[HAUL_DIAG_TIMER_NONE] = "off",
		[HAUL_DIAG_TIMER_RETRANSMIT] = "on",
		[HAUL_DIAG_TIMER_KEEPALIVE] = "keepalive",
		[HAUL_DIAG_TIMER_TIME_WAIT] = "timewait",
		[HAUL_DIAG_TIMER_PERSIST] = "persist",
		[HAUL_DIAG_TIMER_PROBE] = "probe",
		[HAUL_DIAG_TIMER_REORDER] = "reorder",
		[HAUL_DIAG_TIMER_DELACK] = "delack",
		[HAUL_DIAG_TIMER_FIN_WAIT_2] = "fin-wait-2",
	};

	return timer < sizeof(timers) / sizeof(timers[0]) ? timers[timer] : "unknown";
}

/* ---------------------------------------------------------------- addresses */

static bool any_address(const struct entry *e, const struct in6_addr *addr)
{
	static const struct in6_addr any4 = { { { [10] = 0xff, [11] = 0xff } } };

	return !memcmp(addr, &any4, sizeof(any4)) ||
	       (IN6_IS_ADDR_UNSPECIFIED(addr) && e->msg.net == AF_INET6);
}

/* "0.0.0.0", "[::]", or "*" where both are meant, as ss has them */
static const char *any_name(const struct entry *e)
{
	if (e->msg.net == AF_INET)
		return "0.0.0.0";
	return e->msg.flags & HAUL_DIAG_V6ONLY ? "[::]" : "*";
}

/* the host's name; false: it has none */
static bool resolved(const struct entry *e, const struct in6_addr *addr, char *text, size_t size)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = *addr };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (!IN6_IS_ADDR_V4MAPPED(addr))
		return !getnameinfo((void *)&sin6, sizeof(sin6), text, size, NULL, 0,
				    NI_NAMEREQD);
	memcpy(&sin.sin_addr, &addr->s6_addr[12], 4);
	return !getnameinfo((void *)&sin, sizeof(sin), text, size, NULL, 0, NI_NAMEREQD);
}

static void number_text(const struct entry *e, const struct in6_addr *addr, char *text, size_t size)
{
	char number[INET6_ADDRSTRLEN];

	if (e->msg.net == AF_INET) {
		inet_ntop(AF_INET, &addr->s6_addr[12], text, size);
		return;
	}
	inet_ntop(AF_INET6, addr, number, sizeof(number));
	snprintf(text, size, "[%s]", number);
}

void name_address(const struct entry *e, bool peer, bool numeric, char *text, size_t size)
{
	char device[IF_NAMESIZE];
	struct in6_addr addr;
	size_t len;

	memcpy(&addr, peer ? e->msg.id.dst : e->msg.id.src, sizeof(addr));
	if (any_address(e, &addr))
		snprintf(text, size, "%s", any_name(e));
	else if (numeric || !opt.resolve || !resolved(e, &addr, text, size))
		number_text(e, &addr, text, size);
	if (peer || !e->msg.id.dev)
		return;
	len = strlen(text);
	if (if_indextoname(e->msg.id.dev, device))
		snprintf(text + len, size - len, "%%%s", device);
	else
		snprintf(text + len, size - len, "%%if%u", e->msg.id.dev);
}

static char *services[2][65536];	/* by protocol (UDP?) and port */

static void read_services(void)
{
	const struct servent *s;

	setservent(1);
	while ((s = getservent())) {
		bool udp = !strcmp(s->s_proto, "udp");
		char **at = &services[udp][ntohs(s->s_port)];

		if (!*at && (udp || !strcmp(s->s_proto, "tcp")))
			*at = strdup(s->s_name);
	}
	endservent();
}

/* The name that TCP or UDP has for it: what speaks HTTP has the same port here. */
static const char *service(const struct entry *e, uint16_t port)
{
	static bool known;

	if (!known)
		read_services();
	known = true;
	return services[e->msg.kind == 3][port];
}

void name_port(const struct entry *e, bool peer, bool numeric, char *text, size_t size)
{
	uint16_t port = ntohs(peer ? e->msg.id.dport : e->msg.id.sport);
	const char *name = port && !numeric && !opt.numeric ? service(e, port) : NULL;

	if (!port)
		snprintf(text, size, "*");
	else if (name)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "%u", port);
}
