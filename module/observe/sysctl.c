// SPDX-License-Identifier: GPL-2.0
/*
 * net.haul.*: settings, each with its default and range, in one table. Documentation/tuning.rst
 * explains them.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>

#include "../haul.h"
#include "../conn/conn.h"
#include "../conn/fastopen.h"
#include "observe.h"

long haul_sysctl_mem[3];
int haul_sysctl_max_orphans;

/**
 * struct haul_setting - an integer setting of a namespace, or a triple of them
 * @name:	under net.haul
 * @offset:	in struct haul_net
 * @num:	1 or 3
 * @min:	least value of each
 * @max:	greatest value of each
 * @def:	what a new namespace begins with
 */
struct haul_setting {
	const char	*name;
	size_t		offset;
	int		num;
	int		min;
	int		max;
	int		def[3];
};

#define HAUL_SETTING(field, low, high, ...)				\
	{								\
		.name	= #field,					\
		.offset	= offsetof(struct haul_net, field),		\
		.num	= sizeof_field(struct haul_net, field) / sizeof(int), \
		.min	= low,						\
		.max	= high,						\
		.def	= { __VA_ARGS__ },				\
	}

static const struct haul_setting haul_settings[] = {
	HAUL_SETTING(initial_cwnd,		1, 1000, 10),
	HAUL_SETTING(syn_retries,		1, 127, 6),
	HAUL_SETTING(synack_retries,		0, 127, 5),
	HAUL_SETTING(retries2,			1, 127, 15),
	HAUL_SETTING(orphan_retries,		0, 127, 8),
	HAUL_SETTING(msl_ms,			1, 240000, 30000),
	HAUL_SETTING(fin_timeout_ms,		1, 3600000, 60000),
	HAUL_SETTING(keepalive_time,		1, 32767, 7200),
	HAUL_SETTING(keepalive_intvl,		1, 32767, 75),
	HAUL_SETTING(keepalive_probes,		1, 127, 9),
	HAUL_SETTING(remember_rtt,		0, 1, 1),
	HAUL_SETTING(max_syn_backlog,		1, 1 << 24, 1024),
	HAUL_SETTING(syncookies,		0, 2, 1),
	HAUL_SETTING(max_remnants,		0, 1 << 24, 65536),
	HAUL_SETTING(rto_min_us,		1000, HAUL_RTO_MAX_US, HAUL_RTO_FLOOR_US),
	HAUL_SETTING(challenge_limit,		1, 255, 10),
	HAUL_SETTING(ecn,			0, 2, 2),
	HAUL_SETTING(fastopen,			INT_MIN, INT_MAX, HAUL_FASTOPEN_CLIENT),
	HAUL_SETTING(fastopen_blackhole_timeout_sec, 0, 86400, 60),
	HAUL_SETTING(moderate_rcvbuf,		0, 1, 1),
	HAUL_SETTING(slow_start_after_idle,	0, 1, 1),
	HAUL_SETTING(min_pmtu,			68, 65535, 552),
	HAUL_SETTING(black_hole_timeouts,	0, 127, 3),
	HAUL_SETTING(rmem,			2048, INT_MAX, 4096, 131072, 6291456),
	HAUL_SETTING(wmem,			2048, INT_MAX, 4096, 16384, 4194304),
};

/* settings that are not integers with a range, or not of a namespace */
enum {
	HAUL_CTL_CONGESTION = ARRAY_SIZE(haul_settings),
	HAUL_CTL_AVAILABLE,
	HAUL_CTL_NOTSENT_LOWAT,
	HAUL_CTL_MEM,
	HAUL_CTL_MAX_ORPHANS,
	HAUL_CTL_FASTOPEN_KEY,
	HAUL_NUM_CTLS
};

static const struct haul_cc_ops *haul_default_cc(const char *name)
{
	return haul_cc_get(name) ? : haul_cc_get(haul_cc_reno.name);
}

/* RCU: another may replace it now, and its module go */
static void haul_default_name(const struct net *net, char name[HAUL_CC_NAME_MAX])
{
	rcu_read_lock();
	strscpy(name, READ_ONCE(haul_pernet(net)->cc)->name, HAUL_CC_NAME_MAX);
	rcu_read_unlock();
}

/*
 * A restricted controller can be made the default by the host's own administrator only, as TCP's
 * can.
 */
static int haul_set_congestion(struct net *net, char *name)
{
	struct haul_net *hn = haul_pernet(net);
	const struct haul_cc_ops *cc = haul_cc_get(strim(name));

	if (!cc)
		return -ENOENT;
	if ((cc->flags & HAUL_CC_RESTRICTED) && !net_eq(net, &init_net)) {
		haul_cc_put(cc);
		return -EPERM;
	}
	haul_cc_put(xchg(&hn->cc, cc));
	return 0;
}

static int haul_do_congestion(haul_ctl_table *ctl, int write, void *buffer, size_t *lenp,
			      loff_t *ppos)
{
	struct net *net = ctl->data;
	char name[HAUL_CC_NAME_MAX];
	struct ctl_table text = { .data = name, .maxlen = sizeof(name) };
	int err;

	haul_default_name(net, name);
	err = proc_dostring(&text, write, buffer, lenp, ppos);
	if (!err && write)
		err = haul_set_congestion(net, name);
	return err;
}

static int haul_do_available(haul_ctl_table *ctl, int write, void *buffer, size_t *lenp,
			     loff_t *ppos)
{
	struct ctl_table text = { .maxlen = 1024 };
	int err;

	text.data = kmalloc(text.maxlen, GFP_USER);
	if (!text.data)
		return -ENOMEM;
	haul_cc_available(text.data, text.maxlen);
	err = proc_dostring(&text, write, buffer, lenp, ppos);
	kfree(text.data);
	return err;
}

/* "01234567-89abcdef-01234567-89abcdef", as TCP's, of 16 bytes. Returns its length */
static int haul_print_key(char *text, size_t room, const siphash_key_t *key)
{
	u8 bytes[HAUL_FASTOPEN_KEY_LEN];
	__le32 words[4];

	haul_fastopen_key_store(bytes, key);
	memcpy(words, bytes, sizeof(words));
	return scnprintf(text, room, "%08x-%08x-%08x-%08x", le32_to_cpu(words[0]),
			 le32_to_cpu(words[1]), le32_to_cpu(words[2]), le32_to_cpu(words[3]));
}

static int haul_scan_key(const char *text, siphash_key_t *key)
{
	__le32 words[4];
	u32 value[4];
	char more;
	int i;

	if (sscanf(text, "%x-%x-%x-%x%c", value, value + 1, value + 2, value + 3, &more) != 4)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = cpu_to_le32(value[i]);
	*key = haul_fastopen_key_load((u8 *)words);
	return 0;
}

/* KEY or KEY,OLDER */
static int haul_set_fastopen_keys(struct haul_net *hn, char *text)
{
	char *older = strim(text), *first = strsep(&older, ",");
	struct haul_fastopen_keys keys = { .num = older ? 2 : 1 };
	int err;

	err = haul_scan_key(first, &keys.key[0]);
	if (!err && older)
		err = haul_scan_key(older, &keys.key[1]);
	if (!err)
		haul_fastopen_net_set_keys(hn, &keys);
	return err;
}

static int haul_do_fastopen_key(haul_ctl_table *ctl, int write, void *buffer, size_t *lenp,
				loff_t *ppos)
{
	struct haul_net *hn = haul_pernet(ctl->data);
	char key[HAUL_FASTOPEN_KEYS * (2 * HAUL_FASTOPEN_KEY_LEN + 5)];
	struct ctl_table text = { .data = key, .maxlen = sizeof(key) };
	struct haul_fastopen_keys keys;
	int err, i, len = 0;

	haul_fastopen_net_keys(hn, &keys);
	for (i = 0; i < keys.num; i++) {
		if (i)
			key[len++] = ',';
		len += haul_print_key(key + len, sizeof(key) - len, &keys.key[i]);
	}
	err = proc_dostring(&text, write, buffer, lenp, ppos);
	return !err && write ? haul_set_fastopen_keys(hn, key) : err;
}

/* The integer settings of a namespace: defaults taken, entries of its table filled. */
static void haul_settings_fill(struct haul_net *hn, struct ctl_table *table)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(haul_settings); i++) {
		const struct haul_setting *s = &haul_settings[i];
		void *data = (void *)hn + s->offset;

		memcpy(data, s->def, s->num * sizeof(int));
		table[i] = (struct ctl_table){
			.procname	= s->name,
			.data		= data,
			.maxlen		= s->num * sizeof(int),
			.mode		= 0644,
			.proc_handler	= proc_dointvec_minmax,
			.extra1		= (void *)&s->min,
			.extra2		= (void *)&s->max,
		};
	}
}

static void haul_specials_fill(struct net *net, struct ctl_table *table)
{
	struct haul_net *hn = haul_pernet(net);
	umode_t global = net_eq(net, &init_net) ? 0644 : 0444;

	table[HAUL_CTL_CONGESTION] = (struct ctl_table){
		.procname	= "congestion_control",
		.data		= net,
		.maxlen		= HAUL_CC_NAME_MAX,
		.mode		= 0644,
		.proc_handler	= haul_do_congestion,
	};
	table[HAUL_CTL_AVAILABLE] = (struct ctl_table){
		.procname	= "available_congestion_control",
		.maxlen		= 1024,
		.mode		= 0444,
		.proc_handler	= haul_do_available,
	};
	hn->notsent_lowat = UINT_MAX;
	table[HAUL_CTL_NOTSENT_LOWAT] = (struct ctl_table){
		.procname	= "notsent_lowat",
		.data		= &hn->notsent_lowat,
		.maxlen		= sizeof(hn->notsent_lowat),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
	};
	table[HAUL_CTL_MEM] = (struct ctl_table){
		.procname	= "mem",
		.data		= haul_sysctl_mem,
		.maxlen		= sizeof(haul_sysctl_mem),
		.mode		= global,
		.proc_handler	= proc_doulongvec_minmax,
	};
	table[HAUL_CTL_MAX_ORPHANS] = (struct ctl_table){
		.procname	= "max_orphans",
		.data		= &haul_sysctl_max_orphans,
		.maxlen		= sizeof(int),
		.mode		= global,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ZERO,
	};
	table[HAUL_CTL_FASTOPEN_KEY] = (struct ctl_table){
		.procname	= "fastopen_key",
		.data		= net,
		.maxlen		= HAUL_FASTOPEN_KEYS * (2 * HAUL_FASTOPEN_KEY_LEN + 5),
		.mode		= 0600,
		.proc_handler	= haul_do_fastopen_key,
	};
}

/**
 * haul_sysctl_net_init - a new namespace's defaults and net.haul.*
 * @net:	the namespace; its congestion controller is the first namespace's
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_sysctl_net_init(struct net *net)
{
	struct haul_net *hn = haul_pernet(net);
	char cc[HAUL_CC_NAME_MAX];

	strscpy(cc, haul_cc_cubic.name, sizeof(cc));
	if (!net_eq(net, &init_net))
		haul_default_name(&init_net, cc);
	hn->cc = haul_default_cc(cc);
	if (!hn->cc)
		return -ENOENT;
	hn->table = kcalloc(HAUL_NUM_CTLS + HAUL_CTL_SENTINEL, sizeof(*hn->table),
			    GFP_KERNEL_ACCOUNT);
	if (!hn->table)
		goto put_cc;
	haul_settings_fill(hn, hn->table);
	haul_specials_fill(net, hn->table);
	hn->sysctl = haul_register_sysctl(net, "net/haul", hn->table, HAUL_NUM_CTLS);
	if (hn->sysctl)
		return 0;

	kfree(hn->table);
put_cc:
	haul_cc_put(hn->cc);
	return -ENOMEM;
}

/**
 * haul_sysctl_net_exit - removes it
 * @net:	the namespace
 *
 * May sleep: waits for readers and writers.
 */
void haul_sysctl_net_exit(struct net *net)
{
	struct haul_net *hn = haul_pernet(net);

	unregister_net_sysctl_table(hn->sysctl);
	kfree(hn->table);
	haul_cc_put(hn->cc);
}

/**
 * haul_sysctl_init - the settings that all namespaces share
 *
 * Memory: a sixteenth of what the machine can give to buffers, with pressure from three quarters of
 * that on and a hard limit at one and a half times, as TCP's.
 *
 * Return: 0
 */
int haul_sysctl_init(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 16, 128UL);

	haul_sysctl_mem[0] = limit / 4 * 3;
	haul_sysctl_mem[1] = limit;
	haul_sysctl_mem[2] = haul_sysctl_mem[0] * 2;
	haul_sysctl_max_orphans = clamp(limit * 4, 1024UL, 65536UL);
	return 0;
}
