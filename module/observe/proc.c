// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/haul/snmp: the namespace's counters, in the format of /proc/net/netstat.
 * /proc/net/haul/sockets: its connections, half-open and TIME-WAIT ones too, its listeners and
 * datagram sockets, one a line, for who has only cat: haulss tells more.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "../haul.h"
#include "../dgram/dgram.h"
#include "../ip/roll.h"
#include "../sock/sock.h"
#include "observe.h"

static const char *const haul_counter_names[HAUL_NUM_COUNTERS] = {
#define X(name, text, why)	text,
	HAUL_COUNTERS(X)
#undef X
};

static int haul_snmp_show(struct seq_file *seq, void *v)
{
	struct net *net = seq_file_single_net(seq);
	unsigned int i;

	seq_puts(seq, "Haul:");
	for (i = 0; i < HAUL_NUM_COUNTERS; i++)
		seq_printf(seq, " %s", haul_counter_names[i]);
	seq_puts(seq, "\nHaul:");
	for (i = 0; i < HAUL_NUM_COUNTERS; i++)
		seq_printf(seq, " %lu", haul_counter_read(net, i));
	seq_putc(seq, '\n');
	return 0;
}

/* ---------------------------------------------------------------- sockets */

static const char *haul_kind_name(u32 kind)
{
	switch (kind) {
	case HAUL_KIND_STREAM:
		return "stream";
	case HAUL_KIND_MESSAGE:
		return "message";
	case HAUL_KIND_DATAGRAM:
		return "datagram";
	default:
		return "?";
	}
}

static void haul_show_address(struct seq_file *seq, const struct in6_addr *addr, __be16 port)
{
	char text[64];

	if (ipv6_addr_v4mapped(addr))
		snprintf(text, sizeof(text), "%pI4:%u", &addr->s6_addr32[3], ntohs(port));
	else
		snprintf(text, sizeof(text), "[%pI6c]:%u", addr, ntohs(port));
	seq_printf(seq, " %-47s", text);
}

/* the columns that all owners have */
static void haul_show_flow(struct seq_file *seq, const struct haul_flow_key *key, u8 state, u32 inq,
			   u32 outq)
{
	seq_printf(seq, "%-8s %-12s %10u %10u", haul_kind_name(key->kind), haul_state_name(state),
		   inq, outq);
	haul_show_address(seq, &key->local, key->lport);
	haul_show_address(seq, &key->remote, key->rport);
}

static void haul_show_program(struct seq_file *seq, struct sock *sk)
{
	seq_printf(seq, " %5u %llu\n", from_kuid_munged(seq_user_ns(seq), sk_uid(sk)),
		   (unsigned long long)sock_i_ino(sk));
}

/* Read without the socket's lock: a line of a busy connection is a glance, not a snapshot. */
static void haul_show_sock(struct seq_file *seq, struct haul_sock *hs)
{
	struct sock *sk = haul_sock_sk(hs);
	u32 inq, outq;

	haul_sock_queues(sk, &inq, &outq);
	haul_show_flow(seq, &hs->flow.key, inet_sk_state_load(sk), inq, outq);
	haul_show_program(seq, sk);
}

/* the same */
static void haul_show_dgram(struct seq_file *seq, struct sock *sk)
{
	struct haul_flow_key key;
	u32 inq, outq;

	haul_dgram_sock_key(sk, &key);
	haul_dgram_queues(sk, &inq, &outq);
	haul_show_flow(seq, &key, inet_sk_state_load(sk), inq, outq);
	haul_show_program(seq, sk);
}

/* one that has no socket (any more) */
static void haul_show_rest(struct seq_file *seq, const struct haul_flow *flow, u8 state, kuid_t uid)
{
	haul_show_flow(seq, &flow->key, state, 0, 0);
	seq_printf(seq, " %5u 0\n", from_kuid_munged(seq_user_ns(seq), uid));
}

static void haul_show_one(struct seq_file *seq, struct haul_flow *flow)
{
	switch (flow->owner) {
	case HAUL_OWNER_SOCK:
		haul_show_sock(seq, haul_flow_sock(flow));
		break;
	case HAUL_OWNER_DGRAM:
		haul_show_dgram(seq, &haul_flow_dgram(flow)->inet.sk);
		break;
	case HAUL_OWNER_REQUEST:
		haul_show_rest(seq, flow, HAUL_SYN_RECEIVED,
			       sk_uid(haul_flow_request(flow)->listener));
		break;
	case HAUL_OWNER_REMNANT:
		haul_show_rest(seq, flow, HAUL_TIME_WAIT, haul_flow_remnant(flow)->uid);
		break;
	}
}

/* Where a reader is: at @next, the entry of position @pos; @after is behind it. */
struct haul_sockets_reader {
	struct seq_net_private	net;		/* first: seq_file_net() */
	struct haul_roll_cursor	at;
	struct haul_roll_cursor	after;
	loff_t			pos;
};

/*
 * The line of position @pos, 0 being the head's, with a reference. A reader who goes on where he
 * was is given what comes next; only one who goes elsewhere has it counted from the beginning.
 */
static void *haul_sockets_at(struct seq_file *seq, loff_t pos)
{
	struct haul_sockets_reader *r = seq->private;
	struct haul_flow *flow = NULL;

	if (pos != r->pos) {
		r->pos = 1;
		r->at = HAUL_ROLL_START;
		while (r->pos < pos) {
			flow = haul_roll_next(seq_file_net(seq), &r->at);
			if (!flow)
				return NULL;
			haul_flow_put(flow);
			r->pos++;
		}
	}
	r->after = r->at;
	return haul_roll_next(seq_file_net(seq), &r->after);
}

static void *haul_sockets_start(struct seq_file *seq, loff_t *pos)
{
	return *pos ? haul_sockets_at(seq, *pos) : SEQ_START_TOKEN;
}

static void haul_sockets_stop(struct seq_file *seq, void *v)
{
	if (v && v != SEQ_START_TOKEN)
		haul_flow_put(v);
}

static void *haul_sockets_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct haul_sockets_reader *r = seq->private;

	haul_sockets_stop(seq, v);
	if (v == SEQ_START_TOKEN)
		r->after = HAUL_ROLL_START;
	r->at = r->after;
	r->pos = ++*pos;
	return haul_sockets_at(seq, *pos);
}

static int haul_sockets_show(struct seq_file *seq, void *v)
{
	if (v == SEQ_START_TOKEN)
		seq_printf(seq, "%-8s %-12s %10s %10s %-47s %-47s %5s %s\n", "kind", "state",
			   "recv-q", "send-q", "local", "remote", "uid", "inode");
	else
		haul_show_one(seq, v);
	return 0;
}

static const struct seq_operations haul_sockets_ops = {
	.start	= haul_sockets_start,
	.next	= haul_sockets_next,
	.stop	= haul_sockets_stop,
	.show	= haul_sockets_show,
};

/**
 * haul_proc_net_init - makes a namespace's /proc/net/haul
 * @net:	the namespace
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_proc_net_init(struct net *net)
{
	struct proc_dir_entry *dir;

	if (!IS_ENABLED(CONFIG_PROC_FS))
		return 0;
	dir = proc_net_mkdir(net, "haul", net->proc_net);
	if (!dir)
		return -ENOMEM;
	if (!proc_create_net_single("snmp", 0444, dir, haul_snmp_show, NULL) ||
	    !proc_create_net("sockets", 0444, dir, &haul_sockets_ops,
			     sizeof(struct haul_sockets_reader))) {
		haul_proc_net_exit(net);
		return -ENOMEM;
	}
	return 0;
}

/**
 * haul_proc_net_exit - removes it
 * @net:	the namespace
 *
 * May sleep: waits for readers.
 */
void haul_proc_net_exit(struct net *net)
{
	remove_proc_subtree("haul", net->proc_net);
}
