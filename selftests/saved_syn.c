// SPDX-License-Identifier: GPL-2.0
/*
 * TCP_SAVE_SYN and TCP_SAVED_SYN: what an accepted connection can still read of its SYN's headers,
 * played over TCP and over Haul. The transports' own headers differ but for the ports, which are in
 * the same place: lengths are noted without them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/tcp.h>

#include "play_stream.h"

#define LINK_HEADER	14	/* of loopback */
#define OWN_HEADER	20	/* no transport's is shorter */

static void setting(const char *name, int value)
{
	static const char *const whose[] = { "ipv4/tcp_", "haul/" };
	char path[64];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/sys/net/%s%s", whose[i], name);
		file = fopen(path, "w");
		if (!file || fprintf(file, "%d\n", value) < 0 || fclose(file))
			ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	}
}

static int set(int fd, int value)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &value, sizeof(value));
}

/* a connection to a listener with TCP_SAVE_SYN */
static struct pair saved(struct play *p, int mode)
{
	struct pair pair = { .listener = listen_on(p, 8), .client = make(p) };

	call(p, "set", set(pair.listener, mode));
	call(p, "connect", connect_to(p, pair.client, port_of(pair.listener)));
	pair.server = accept(pair.listener, NULL, NULL);
	if (pair.server < 0)
		call(p, "accept", -1);
	return pair;
}

static void note_headers(struct play *p, const unsigned char *data, int len,
			 const struct pair *pair)
{
	int ip = p->family == AF_INET ? 20 : 40, said;
	const unsigned char *own = data + ip;
	unsigned short from, to;

	if (len < ip + OWN_HEADER) {
		note(p, "only %d bytes\n", len);
		return;
	}
	memcpy(&from, own, 2);
	memcpy(&to, own + 2, 2);
	note(p, "version %d, from %s port, to %s port, %s\n", data[0] >> 4,
	     ntohs(from) == port_of(pair->client) ? "the client's" : "another",
	     ntohs(to) == port_of(pair->listener) ? "the listener's" : "another",
	     (p->family == AF_INET ? data[9] : data[6]) == (p->protocol ?: IPPROTO_TCP) ?
	     "its protocol" : "another protocol");
	/* the header's own idea of its length, and IP's: no payload is kept */
	said = p->family == AF_INET ? data[2] << 8 | data[3] : ip + (data[4] << 8 | data[5]);
	note(p, "ip says %s\n", said == len ? "as many" : "more");
}

/* reads it, @skip bytes of link header before IP's */
static void note_saved(struct play *p, const char *what, int fd, const struct pair *pair, int skip)
{
	unsigned char data[256];
	socklen_t len = sizeof(data);
	int i;

	if (call(p, what, getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, data, &len)) || !len) {
		note(p, "length %u\n", len);
		return;
	}
	for (i = 0; i < skip; i++)
		note(p, "%02x", data[i]);
	note_headers(p, data + skip, len - skip, pair);
}

/* ------------------------------------------------------------ situations */

static void saved__read_once(struct play *p)
{
	struct pair pair = saved(p, 1);

	note_saved(p, "by the listener", pair.listener, &pair, 0);
	note_saved(p, "by the client", pair.client, &pair, 0);
	note_saved(p, "by the server", pair.server, &pair, 0);
	note_saved(p, "again", pair.server, &pair, 0);
	done(&pair);
}

static void saved__with_the_link(struct play *p)
{
	struct pair pair = saved(p, 2);

	note_saved(p, "by the server", pair.server, &pair, LINK_HEADER);
	done(&pair);
}

static void saved__too_little_room(struct play *p)
{
	struct pair pair = saved(p, 1);
	socklen_t len = 10, whole;
	char data[256];

	call(p, "10 bytes", getsockopt(pair.server, IPPROTO_TCP, TCP_SAVED_SYN, data, &len));
	whole = len;
	note(p, "told %s\n", len > 10 ? "how many are needed" : "nothing");
	len = 0;
	call(p, "none", getsockopt(pair.server, IPPROTO_TCP, TCP_SAVED_SYN, data, &len));
	len = -1;
	call(p, "negative", getsockopt(pair.server, IPPROTO_TCP, TCP_SAVED_SYN, data, &len));
	len = whole;
	call(p, "nowhere", getsockopt(pair.server, IPPROTO_TCP, TCP_SAVED_SYN, NULL, &len));
	call(p, "as many", getsockopt(pair.server, IPPROTO_TCP, TCP_SAVED_SYN, data, &len));
	note(p, "%s\n", len == whole ? "all" : "not all");
	done(&pair);
}

static void saved__not_asked_for(struct play *p)
{
	struct pair pair = saved(p, 0);

	note_saved(p, "by the server", pair.server, &pair, 0);
	call(p, "set by the server", set(pair.server, 1));
	note_saved(p, "afterwards", pair.server, &pair, 0);
	done(&pair);
}

/* what counts is the listener's mind when the SYN comes */
static void saved__changed_meanwhile(struct play *p)
{
	struct pair pair = { .listener = listen_on(p, 8), .client = make(p) };

	connect_to(p, pair.client, port_of(pair.listener));
	call(p, "set", set(pair.listener, 1));
	pair.server = accept(pair.listener, NULL, NULL);
	note_saved(p, "set too late", pair.server, &pair, 0);
	close(pair.client);
	close(pair.server);
	pair.client = make(p);
	connect_to(p, pair.client, port_of(pair.listener));
	call(p, "unset", set(pair.listener, 0));
	pair.server = accept(pair.listener, NULL, NULL);
	note_saved(p, "unset too late", pair.server, &pair, 0);
	done(&pair);
}

static void saved__gone_with_the_connection(struct play *p)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct pair pair = saved(p, 1);

	call(p, "dissolve", connect(pair.server, &nobody, sizeof(nobody)));
	note_saved(p, "afterwards", pair.server, &pair, 0);
	done(&pair);
}

/* nobody reads it, nobody even accepts */
static void saved__never_read(struct play *p)
{
	struct pair pair = saved(p, 1);
	int second = make(p);

	call(p, "second", connect_to(p, second, port_of(pair.listener)));
	close(second);
	done(&pair);
}

static void saved__none_by_cookie(struct play *p)
{
	struct pair pair;

	setting("syncookies", 2);
	pair = saved(p, 1);
	note_saved(p, "by the server", pair.server, &pair, 0);
	done(&pair);
	setting("syncookies", 1);
}

/* a SYN that is a connection at once, and brings payload, which is not kept */
static void saved__fast_open(struct play *p)
{
	struct pair pair = { .listener = listen_on(p, 8), .client = make(p) };
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, port_of(pair.listener));
	int pending = 4;

	setting("fastopen", 0x207);
	setsockopt(pair.listener, IPPROTO_TCP, TCP_FASTOPEN, &pending, sizeof(pending));
	call(p, "set", set(pair.listener, 1));
	call(p, "send", sendto(pair.client, "hello", 5, MSG_FASTOPEN, (void *)&ss, len));
	pair.server = accept(pair.listener, NULL, NULL);
	note_saved(p, "by the server", pair.server, &pair, 0);
	done(&pair);
	setting("fastopen", 1);
}

static const struct situation situations[] = {
	SITUATION(saved__read_once),
	SITUATION(saved__with_the_link),
	SITUATION(saved__too_little_room),
	SITUATION(saved__not_asked_for),
	SITUATION(saved__changed_meanwhile),
	SITUATION(saved__gone_with_the_connection),
	SITUATION(saved__never_read),
	SITUATION(saved__none_by_cookie),
	SITUATION(saved__fast_open),
};

int main(void)
{
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_stream_setup);
}
