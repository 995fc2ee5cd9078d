// SPDX-License-Identifier: GPL-2.0
/*
 * The two doors: socket(AF_HAUL, type, HAULPROTO_*) and socket(AF_INET or AF_INET6, type,
 * IPPROTO_HAUL). Behind both is the same socket; its sk_family is AF_INET or AF_INET6, its calls
 * are in haul_stream_ops.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <net/inet_common.h>
#include <net/protocol.h>
#include <net/sock.h>
#include <net/transp_v6.h>

#include "sock.h"
#include "../dgram/dgram.h"

/* inet_sendmsg() and inet_recvmsg(), without the way through struct proto. Nobody is autobound. */
static int haul_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t size)
{
	sock_rps_record_flow(sock->sk);
	return haul_sock_sendmsg(sock->sk, msg, size);
}

static int haul_stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	if (likely(!(flags & MSG_ERRQUEUE)))
		sock_rps_record_flow(sock->sk);
	return haul_sock_recvmsg(sock->sk, msg, size, flags);
}

/*
 * Where the kernel's own inet_* functions do exactly what a transport needs, they are used: they
 * call back into struct proto (proto.c) for all that has to do with a connection.
 */
#define HAUL_STREAM_OPS						\
	.owner		= THIS_MODULE,				\
	.bind		= haul_sock_bind,			\
	.connect	= inet_stream_connect,			\
	.socketpair	= sock_no_socketpair,			\
	.accept		= haul_inet_accept,			\
	.poll		= haul_sock_poll,			\
	.gettstamp	= sock_gettstamp,			\
	.listen		= haul_sock_listen,			\
	.shutdown	= inet_shutdown,			\
	.setsockopt	= haul_ops_setsockopt,			\
	.getsockopt	= sock_common_getsockopt,		\
	.sendmsg	= haul_stream_sendmsg,			\
	.recvmsg	= haul_stream_recvmsg,			\
	.mmap		= sock_no_mmap,				\
	.splice_read	= haul_sock_splice_read,		\
	.set_peek_off	= sk_set_peek_off,			\
	.set_rcvlowat	= haul_sock_set_rcvlowat

const struct proto_ops haul_stream_ops = {
	HAUL_STREAM_OPS,
	.family		= PF_INET,
	.release	= inet_release,
	.getname	= inet_getname,
	.ioctl		= inet_ioctl,
};

const struct proto_ops haul6_stream_ops = {
	HAUL_STREAM_OPS,
	.family		= PF_INET6,
	.release	= inet6_release,
	.getname	= inet6_getname,
	.ioctl		= inet6_ioctl,
};

/* ---------------------------------------------------------------- a new socket */

/*
 * What the kernel's inet_create() gives a new socket, and options' defaults that getsockopt()
 * shows.
 */
static void haul_create_inet(struct sock *sk, struct net *net)
{
	struct inet_sock *inet = inet_sk(sk);

	sk->sk_destruct = inet_sock_destruct;
	sk->sk_protocol = haul_protocol;
	sk->sk_backlog_rcv = sk->sk_prot->backlog_rcv;
	sk->sk_txrehash = READ_ONCE(net->core.sysctl_txrehash);
	inet->uc_ttl = -1;
	inet->mc_ttl = 1;
	haul_inet_flag_assign(sk, mc_loop, MC_LOOP, true);
	haul_inet_flag_assign(sk, mc_all, MC_ALL, true);
	inet->pmtudisc = IP_PMTUDISC_WANT;
	if (READ_ONCE(net->ipv4.sysctl_ip_no_pmtu_disc))
		inet->pmtudisc = IP_PMTUDISC_DONT;
}

/* And what its inet6_create() adds. */
static void haul_create_inet6(struct sock *sk, struct net *net)
{
	/* the last part of any of our sockets */
	struct ipv6_pinfo *np = (void *)sk + sk->sk_prot->obj_size - sizeof(*np);

	inet_sk(sk)->pinet6 = np;
	sk->sk_destruct = inet6_sock_destruct;
	sk->sk_ipv6only = net->ipv6.sysctl.bindv6only;
	np->hop_limit = -1;
	np->mcast_hops = IPV6_DEFAULT_MCASTHOPS;
	np->pmtudisc = IPV6_PMTUDISC_WANT;
	haul_inet6_flag_assign(sk, mc_loop, MC6_LOOP, true);
	haul_inet6_flag_assign(sk, mc_all, MC6_ALL, true);
	haul_inet6_flag_assign(sk, repflow, REPFLOW,
			       net->ipv6.sysctl.flowlabel_reflect & FLOWLABEL_REFLECT_ESTABLISHED);
}

/* ---------------------------------------------------------------- what there is */

/* by socket type; the protocol's number is a parameter of the module */
static struct inet_protosw haul_protosw[] = {
	{ .type = SOCK_STREAM, .prot = &haul_prot, .ops = &haul_stream_ops },
	{ .type = SOCK_SEQPACKET, .prot = &haul_prot, .ops = &haul_stream_ops },
	{ .type = SOCK_DGRAM, .prot = &haul_dgram_prot, .ops = &haul_dgram_ops },
};

static struct inet_protosw haul6_protosw[] = {
	{ .type = SOCK_STREAM, .prot = &haul6_prot, .ops = &haul6_stream_ops },
	{ .type = SOCK_SEQPACKET, .prot = &haul6_prot, .ops = &haul6_stream_ops },
	{ .type = SOCK_DGRAM, .prot = &haul6_dgram_prot, .ops = &haul6_dgram_ops },
};

/* NULL: no such type */
static const struct inet_protosw *haul_protosw_find(bool six, unsigned short type)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(haul_protosw) != ARRAY_SIZE(haul6_protosw));
	for (i = 0; i < ARRAY_SIZE(haul_protosw); i++)
		if (haul_protosw[i].type == type)
			return six ? &haul6_protosw[i] : &haul_protosw[i];
	return NULL;
}

/* ---------------------------------------------------------------- AF_HAUL */

static int haul_create(struct net *net, struct socket *sock, int protocol, int kern)
{
	bool six = protocol == HAULPROTO_INET6;
	const struct inet_protosw *sw = haul_protosw_find(six, sock->type);
	struct sock *sk;
	int err;

	if (!sw)
		return -ESOCKTNOSUPPORT;
	if (!six && protocol != HAULPROTO_INET)
		return -EPROTONOSUPPORT;
	if (six && !ipv6_mod_enabled())
		return -EAFNOSUPPORT;

	sock->state = SS_UNCONNECTED;
	sock->ops = sw->ops;
	sk = sk_alloc(net, six ? PF_INET6 : PF_INET, GFP_KERNEL, sw->prot, kern);
	if (!sk)
		return -ENOBUFS;
	sock_init_data(sock, sk);
	haul_create_inet(sk, net);
	if (six)
		haul_create_inet6(sk, net);

	err = sk->sk_prot->init(sk);
	if (!err && !kern)
		err = BPF_CGROUP_RUN_PROG_INET_SOCK(sk);
	if (err) {
		sk_common_release(sk);
		sock->sk = NULL;
	}
	return err;
}

static struct net_proto_family haul_net_family = {
	.create	= haul_create,
	.owner	= THIS_MODULE,
};

/* ---------------------------------------------------------------- IPPROTO_HAUL */

static void haul_family_unregister(unsigned int num4, unsigned int num6)
{
	while (num6)
		inet6_unregister_protosw(&haul6_protosw[--num6]);
	while (num4)
		inet_unregister_protosw(&haul_protosw[--num4]);
}

/**
 * haul_family_init - opens both doors
 *
 * May sleep. Return: 0, -EEXIST: the family's number is taken
 */
int haul_family_init(void)
{
	unsigned int num4, num6;
	int err;

	haul_net_family.family = haul_family;
	for (num4 = 0; num4 < ARRAY_SIZE(haul_protosw); num4++) {
		haul_protosw[num4].protocol = haul_protocol;
		inet_register_protosw(&haul_protosw[num4]);
	}
	for (num6 = 0; num6 < ARRAY_SIZE(haul6_protosw); num6++) {
		haul6_protosw[num6].protocol = haul_protocol;
		err = inet6_register_protosw(&haul6_protosw[num6]);
		if (err)
			goto failed;
	}
	err = sock_register(&haul_net_family);
	if (!err)
		return 0;
failed:
	haul_family_unregister(num4, num6);
	return err;
}

/**
 * haul_family_exit - closes them
 *
 * May sleep: waits until nobody is inside.
 */
void haul_family_exit(void)
{
	sock_unregister(haul_family);
	haul_family_unregister(ARRAY_SIZE(haul_protosw), ARRAY_SIZE(haul6_protosw));
}
