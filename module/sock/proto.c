// SPDX-License-Identifier: GPL-2.0
/*
 * struct proto for IPv4 and IPv6: what the kernel's socket code calls, and the memory that it
 * accounts for us.
 */
#include <linux/percpu_counter.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include <net/inet_common.h>
#include <net/sock.h>
#include <net/transp_v6.h>

#include "sock.h"
#include "../conn/conn.h"
#include "../conn/fastopen.h"
#include "../ip/ip.h"

/*
 * ---------------------------------------------------------------- memory, as TCP's (net.haul.mem)
 */

atomic_long_t haul_memory_allocated;
DEFINE_PER_CPU(int, haul_memory_per_cpu_fw_alloc);
unsigned long haul_memory_pressure;
struct percpu_counter haul_sockets_allocated;
struct percpu_counter haul_orphans;

/*
 * Bytes that a socket always gets, even under pressure. The kernel wants a pointer; the namespaces'
 * rmem and wmem are not where it could find them.
 */
int haul_mem_floor = 4096;

/**
 * haul_enter_memory_pressure - proto.enter_memory_pressure
 * @sk:		whose demand it was
 */
void haul_enter_memory_pressure(struct sock *sk)
{
	WRITE_ONCE(haul_memory_pressure, max(jiffies, 1UL));
}

/**
 * haul_leave_memory_pressure - proto.leave_memory_pressure
 * @sk:		who gave memory back
 */
void haul_leave_memory_pressure(struct sock *sk)
{
	WRITE_ONCE(haul_memory_pressure, 0);
}

/* ---------------------------------------------------------------- calls */

/**
 * haul_pre_connect4 - proto.pre_connect: BPF programs of the cgroup look at the address, and may
 * change it, before connect() does
 * @sk:		the socket
 * @addr:	the program's
 * @len:	its length, bytes
 *
 * Context: socket lock. Return: 0, -EINVAL or a BPF program's error
 */
int haul_pre_connect4(struct sock *sk, haul_sockaddr *addr, int len)
{
	if (len < (int)sizeof(struct sockaddr_in))
		return -EINVAL;
	return haul_bpf_connect4(sk, addr, len);
}

/**
 * haul_pre_connect6 - the same for IPv6
 * @sk:		the socket
 * @addr:	the program's
 * @len:	its length, bytes
 *
 * Context: socket lock. Return: 0, -EINVAL or a BPF program's error
 */
int haul_pre_connect6(struct sock *sk, haul_sockaddr *addr, int len)
{
	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	return haul_bpf_connect6(sk, addr, len);
}

static void haul_sock_destruct(struct sock *sk)
{
	haul_pace_release(sk);
	if (sk->sk_family == AF_INET6)
		inet6_sock_destruct(sk);
	else
		inet_sock_destruct(sk);
}

static int haul_sock_init(struct sock *sk)
{
	const struct haul_net *hn = haul_pernet(sock_net(sk));

	sock_set_flag(sk, SOCK_RCU_FREE);
	/* haul_write_space() wakes, not sock_wfree() */
	sock_set_flag(sk, SOCK_USE_WRITE_QUEUE);
	sk->sk_write_space = haul_write_space;
	sk->sk_destruct = haul_sock_destruct;
	WRITE_ONCE(sk->sk_sndbuf, READ_ONCE(hn->wmem[1]));
	WRITE_ONCE(sk->sk_rcvbuf, READ_ONCE(hn->rmem[1]));
	haul_sk(sk)->af = sk->sk_family == AF_INET6 ? &haul_af_ipv6 : &haul_af_ipv4;
	haul_conn_init(sk);
	/* io_uring's send_zc; accept() hands it on */
	set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	haul_take_sol_socket(sk->sk_socket);
	sk_sockets_allocated_inc(sk);
	return 0;
}

/*
 * The last act, from haul_conn_destroy(), or from the kernel when a socket fails before it has
 * lived.
 */
static void haul_sock_destroy(struct sock *sk)
{
	haul_pace_stop(sk);
	haul_fastopen_forget(sk);
	haul_saved_syn_forget(sk);
	haul_cong_release(sk);
	sk_sockets_allocated_dec(sk);
}

/* Out of the tables; the port is kept. */
static void haul_sock_unhash(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_port_unlisten(sk);
	if (hs->flow.hashed)
		haul_flow_remove(&hs->flow);
}

static int haul_diag_destroy(struct sock *sk, int err)
{
	lock_sock(sk);
	haul_conn_abort(sk, err);
	release_sock(sk);
	return 0;
}

static int haul_sock_ioctl(struct sock *sk, int cmd, int *answer)
{
	if (cmd == SIOCATMARK) {
		*answer = 0;			/* there is no urgent data */
		return 0;
	}
	if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return -ENOIOCTLCMD;
	if (inet_sk_state_load(sk) == HAUL_LISTEN)
		return -EINVAL;
	if (cmd == SIOCINQ)
		*answer = haul_sock_inq(sk);
	else if (cmd == SIOCOUTQ)
		*answer = haul_sock_outq(sk);
	else
		*answer = haul_sock_outq_nsd(sk);
	return 0;
}

HAUL_PROTO_ACCEPT(haul_proto_accept, haul_sock_accept)
HAUL_PROTO_IOCTL(haul_proto_ioctl, haul_sock_ioctl)
HAUL_PROTO_RECVMSG(haul_proto_recvmsg, haul_sock_recvmsg)

/* what both address families share */
#define HAUL_PROTO						\
	.owner			= THIS_MODULE,			\
	.close			= haul_conn_close,		\
	.connect		= haul_sock_connect,		\
	.disconnect		= haul_conn_disconnect,		\
	.accept			= haul_proto_accept,		\
	.ioctl			= haul_proto_ioctl,		\
	.init			= haul_sock_init,		\
	.destroy		= haul_sock_destroy,		\
	.shutdown		= haul_sock_shutdown,		\
	.setsockopt		= haul_sock_setsockopt,		\
	.getsockopt		= haul_sock_getsockopt,		\
	.keepalive		= haul_keepalive_set,		\
	.sendmsg		= haul_sock_sendmsg,		\
	.recvmsg		= haul_proto_recvmsg,		\
	.backlog_rcv		= haul_conn_rcv,		\
	.release_cb		= haul_release_cb,		\
	.unhash			= haul_sock_unhash,		\
	.enter_memory_pressure	= haul_enter_memory_pressure,	\
	.leave_memory_pressure	= haul_leave_memory_pressure,	\
	.stream_memory_free	= haul_memory_free,		\
	.memory_allocated	= &haul_memory_allocated,	\
	.per_cpu_fw_alloc	= &haul_memory_per_cpu_fw_alloc, \
	.sockets_allocated	= &haul_sockets_allocated,	\
	.memory_pressure	= &haul_memory_pressure,	\
	.sysctl_mem		= haul_sysctl_mem,		\
	.sysctl_wmem		= &haul_mem_floor,		\
	.sysctl_rmem		= &haul_mem_floor,		\
	.max_header		= HAUL_MAX_HEADER,		\
	.no_autobind		= true,				\
	.diag_destroy		= haul_diag_destroy

struct proto haul_prot = {
	HAUL_PROTO,
	.name		= "HAUL",
	.pre_connect	= haul_pre_connect4,
	.obj_size	= sizeof(struct haul_sock),
};

struct proto haul6_prot = {
	HAUL_PROTO,
	.name		= "HAULv6",
	.pre_connect	= haul_pre_connect6,
	.obj_size	= sizeof(struct haul6_sock),
	HAUL_PROTO_PINFO(struct haul6_sock, inet6)
};

/* before 6.5 the kernel takes an object's last bytes for the ipv6_pinfo */
static_assert(offsetofend(struct haul6_sock, inet6) == sizeof(struct haul6_sock));
#ifndef __CHECKER__	/* sparse gives a bool of one bit a byte */
/*
 * What there is once per socket grows by decision only: bytes beyond the kernel's part. With more
 * than these an IPv4 socket takes another cache line in its slab (inet_sock of 6.1: 992).
 */
static_assert(sizeof(struct haul_sock) - sizeof(struct inet_sock) <= 1056);
#endif

/**
 * haul_proto_init - makes the sockets' slabs and counters
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_proto_init(void)
{
	int err;

	err = percpu_counter_init(&haul_sockets_allocated, 0, GFP_KERNEL);
	if (err)
		return err;
	err = percpu_counter_init(&haul_orphans, 0, GFP_KERNEL);
	if (err)
		goto no_orphans;
	err = proto_register(&haul_prot, 1);
	if (err)
		goto no_proto;
	err = proto_register(&haul6_prot, 1);
	if (err)
		goto no_proto6;
	return 0;

no_proto6:
	proto_unregister(&haul_prot);
no_proto:
	percpu_counter_destroy(&haul_orphans);
no_orphans:
	percpu_counter_destroy(&haul_sockets_allocated);
	return err;
}

/**
 * haul_proto_exit - undoes haul_proto_init(); no socket exists any more
 *
 * May sleep.
 */
void haul_proto_exit(void)
{
	proto_unregister(&haul6_prot);
	proto_unregister(&haul_prot);
	percpu_counter_destroy(&haul_orphans);
	percpu_counter_destroy(&haul_sockets_allocated);
}
