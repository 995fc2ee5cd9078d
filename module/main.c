// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload, in one visible order, and a namespace's coming and going.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>

#include "haul.h"
#include "conn/conn.h"
#include "conn/fastopen.h"
#include "dgram/dgram.h"
#include "ip/ip.h"
#include "ip/roll.h"
#include "observe/observe.h"
#include "sock/sock.h"

int haul_family = AF_HAUL;
module_param_named(family, haul_family, int, 0444);
MODULE_PARM_DESC(family, "number of the protocol family AF_HAUL (default 18)");

int haul_protocol = IPPROTO_HAUL;
module_param_named(protocol, haul_protocol, int, 0444);
MODULE_PARM_DESC(protocol, "IP protocol, third argument of socket(AF_INET, ...) (default 253)");

unsigned int haul_net_id;

/* ---------------------------------------------------------------- a namespace */

static int __net_init haul_net_init(struct net *net)
{
	int err;

	err = haul_fastopen_net_init(net);
	if (err)
		return err;
	err = haul_observe_net_init(net);
	if (err)
		goto no_observe;
	err = haul_ip_net_init(net);
	if (err)
		goto no_ip;
	return 0;

no_ip:
	haul_observe_net_exit(net);
no_observe:
	haul_fastopen_net_exit(net);
	return err;
}

/*
 * The namespace has no devices and no sockets any more. Requests and remnants answer through its
 * control sockets and count in its counters: they go first.
 */
static void __net_exit haul_net_exit(struct net *net)
{
	haul_early_disable(net);
	haul_conn_net_exit(net);
	haul_ip_net_exit(net);
	haul_observe_net_exit(net);
	haul_fastopen_net_exit(net);
}

static struct pernet_operations haul_net_ops = {
	.init	= haul_net_init,
	.exit	= haul_net_exit,
	.id	= &haul_net_id,
	.size	= sizeof(struct haul_net),
};

static int haul_pernet_init(void)
{
	return register_pernet_subsys(&haul_net_ops);
}

static void haul_pernet_exit(void)
{
	unregister_pernet_subsys(&haul_net_ops);
}

/* ---------------------------------------------------------------- the module */

static int haul_params_check(void)
{
	if (haul_family <= AF_UNSPEC || haul_family >= AF_MAX) {
		pr_err("family=%d: must be 1 to %d\n", haul_family, AF_MAX - 1);
		return -EINVAL;
	}
	if (haul_protocol <= 0 || haul_protocol >= IPPROTO_RAW) {
		pr_err("protocol=%d: must be 1 to %d\n", haul_protocol, IPPROTO_RAW - 1);
		return -EINVAL;
	}
	return 0;
}

/* Reno is what there is to fall back on: first in, last out */
static const struct haul_cc_ops *const haul_controllers[] = {
	&haul_cc_reno,
	&haul_cc_cubic,
	&haul_cc_bbr,
	&haul_cc_dctcp,
};

static void haul_controllers_exit(void)
{
	unsigned int i = ARRAY_SIZE(haul_controllers);

	while (i--)
		haul_cc_unregister(haul_controllers[i]);
}

/* what was not registered is none the worse for being unregistered */
static int haul_controllers_init(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(haul_controllers) && !err; i++)
		err = haul_cc_register(haul_controllers[i], NULL);
	if (err)
		haul_controllers_exit();
	return err;
}

struct haul_step {
	const char	*name;
	int		(*init)(void);
	void		(*exit)(void);
};

/*
 * Taken in this order, undone in the reverse one. What finds nothing to work on yet comes first,
 * the doors last: who can make a socket finds everything in place. While a socket exists, the
 * module cannot be unloaded; so on the way back nobody can come in, then no packet, then the last
 * remnants go, and rcu_barrier() waits for what was freed by a grace period before its cache goes.
 */
static const struct haul_step haul_steps[] = {
	{ "parameters",			haul_params_check,	NULL },
	{ "global settings",		haul_sysctl_init,	NULL },
	{ "congestion control",		haul_controllers_init,	haul_controllers_exit },
	{ "roll",			haul_roll_init,		haul_roll_exit },
	{ "flow table",			haul_demux_init,	haul_demux_exit },
	{ "port table",			haul_ports_init,	haul_ports_exit },
	{ "datagram ports",		haul_dgram_ports_init,	haul_dgram_ports_exit },
	{ "half-open connections",	haul_request_init,	haul_request_exit },
	{ "TIME-WAIT",			haul_remnant_init,	haul_remnant_exit },
	{ "grace period",		NULL,			rcu_barrier },
	{ "round trips",		haul_rtt_cache_init,	NULL },
	{ "batches",			haul_batch_init,	haul_batch_exit },
	{ "blocks",			haul_blocks_init,	haul_blocks_exit },
	{ "spare buffers",		haul_spare_init,	haul_spare_exit },
	{ "namespaces",			haul_pernet_init,	haul_pernet_exit },
	{ "sockets",			haul_proto_init,	haul_proto_exit },
	{ "datagram sockets",		haul_dgram_init,	haul_dgram_exit },
	{ "IPv4",			haul_ipv4_init,		haul_ipv4_exit },
	{ "IPv6",			haul_ipv6_init,		haul_ipv6_exit },
	{ "large segments",		haul_offload_init,	haul_offload_exit },
	{ "diagnosis",			haul_diag_init,		haul_diag_exit },
	{ "families",			haul_family_init,	haul_family_exit },
};

/* undoes the first @done steps */
static void haul_unwind(unsigned int done)
{
	while (done--)
		if (haul_steps[done].exit)
			haul_steps[done].exit();
}

static int __init haul_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(haul_steps); i++) {
		err = haul_steps[i].init ? haul_steps[i].init() : 0;
		if (err) {
			pr_err("%s: error %d\n", haul_steps[i].name, err);
			haul_unwind(i);
			return err;
		}
	}
	return 0;
}

static void __exit haul_exit(void)
{
	haul_unwind(ARRAY_SIZE(haul_steps));
}

module_init(haul_init);
module_exit(haul_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Haul: reliable streams, messages and datagrams over IPv4 and IPv6");
MODULE_ALIAS_NETPROTO(AF_HAUL);
/* of any type: SOCK_STREAM and its like are enumerators, which an alias can't be made of */
MODULE_ALIAS_NET_PF_PROTO(PF_INET, IPPROTO_HAUL);
MODULE_ALIAS_NET_PF_PROTO(PF_INET6, IPPROTO_HAUL);
