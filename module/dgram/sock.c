// SPDX-License-Identifier: GPL-2.0
/*
 * struct proto and proto_ops of SOCK_DGRAM: what the kernel's socket code calls. Where its own
 * functions for datagrams do exactly what is needed, they are used.
 */
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include <net/inet_common.h>
#include <net/transp_v6.h>

#include "dgram.h"
#include "../sock/sock.h"

static int haul_dgram_sock_init(struct sock *sk)
{
	sock_set_flag(sk, SOCK_RCU_FREE);
	haul_dgram(sk)->pending = 0;
	set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);	/* io_uring's send_zc */
	haul_take_sol_socket(sk->sk_socket);
	sk_sockets_allocated_inc(sk);
	return 0;
}

/* from sk_common_release(), before the port is given back */
static void haul_dgram_sock_destroy(struct sock *sk)
{
	struct haul_dgram *hd = haul_dgram(sk);

	lock_sock(sk);
	if (hd->pending == AF_INET)
		haul_dgram_flush4(sk);
	else if (hd->pending == AF_INET6)
		ip6_flush_pending_frames(sk);
	WRITE_ONCE(hd->pending, 0);
	haul_report_destroyed(sk, &hd->flow);
	haul_dgram_gro_set(sk, false);
	release_sock(sk);
	sk_sockets_allocated_dec(sk);
}

static void haul_dgram_close(struct sock *sk, long timeout)
{
	sk_common_release(sk);
}

/* connect() to AF_UNSPEC: what connect() chose is given up, what bind() was told stays. */
static int haul_dgram_disconnect(struct sock *sk, int flags)
{
	struct inet_sock *inet = inet_sk(sk);

	lock_sock(sk);
	sk->sk_state = TCP_CLOSE;
	inet->inet_daddr = 0;
	inet->inet_dport = 0;
	if (sk->sk_family == AF_INET6)
		sk->sk_v6_daddr = in6addr_any;
	sock_rps_reset_rxhash(sk);
	WRITE_ONCE(sk->sk_bound_dev_if, 0);
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK)) {
		inet_reset_saddr(sk);
		if (sk->sk_userlocks & SOCK_BINDPORT_LOCK)
			haul_dgram_rehash(sk);
	}
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK)) {
		haul_dgram_unhash(sk);
		inet->inet_sport = 0;
	}
	sk_dst_reset(sk);
	release_sock(sk);
	return 0;
}

/* A BPF program of the cgroup does not let bind() have what get_port() took. Socket lock */
static void haul_dgram_put_port(struct sock *sk)
{
	haul_dgram_unhash(sk);
	inet_sk(sk)->inet_sport = 0;
}

/* An error of the administrator's: the program sees it at its next call. */
static int haul_dgram_abort(struct sock *sk, int err)
{
	WRITE_ONCE(sk->sk_err, err);
	sk_error_report(sk);
	return haul_dgram_disconnect(sk, 0);
}

static int haul_dgram_ioctl(struct sock *sk, int cmd, int *answer)
{
	switch (cmd) {
	case SIOCOUTQ:
		*answer = sk_wmem_alloc_get(sk);
		return 0;
	case SIOCINQ:
		*answer = haul_dgram_inq(sk);
		return 0;
	default:
		return -ENOIOCTLCMD;
	}
}

/* inet_dgram_connect() does not hold the lock here, as its like for streams does */
static int haul_dgram_pre_connect4(struct sock *sk, haul_sockaddr *addr, int len)
{
	int err;

	lock_sock(sk);
	err = haul_pre_connect4(sk, addr, len);
	release_sock(sk);
	return err;
}

static int haul_dgram_pre_connect6(struct sock *sk, haul_sockaddr *addr, int len)
{
	int err;

	lock_sock(sk);
	err = haul_pre_connect6(sk, addr, len);
	release_sock(sk);
	return err;
}

HAUL_PROTO_IOCTL(haul_dgram_proto_ioctl, haul_dgram_ioctl)
HAUL_PROTO_RECVMSG(haul_dgram_proto_recvmsg, haul_dgram_recvmsg)

/* what both address families share */
#define HAUL_DGRAM_PROTO					\
	.owner			= THIS_MODULE,			\
	.close			= haul_dgram_close,		\
	.disconnect		= haul_dgram_disconnect,	\
	.ioctl			= haul_dgram_proto_ioctl,	\
	.init			= haul_dgram_sock_init,		\
	.destroy		= haul_dgram_sock_destroy,	\
	.setsockopt		= haul_dgram_setsockopt,	\
	.getsockopt		= haul_dgram_getsockopt,	\
	.recvmsg		= haul_dgram_proto_recvmsg,	\
	.unhash			= haul_dgram_unhash,		\
	.rehash			= haul_dgram_rehash,		\
	.get_port		= haul_dgram_get_port,		\
	.put_port		= haul_dgram_put_port,		\
	.enter_memory_pressure	= haul_enter_memory_pressure,	\
	.leave_memory_pressure	= haul_leave_memory_pressure,	\
	.memory_allocated	= &haul_memory_allocated,	\
	.per_cpu_fw_alloc	= &haul_memory_per_cpu_fw_alloc, \
	.sockets_allocated	= &haul_sockets_allocated,	\
	.memory_pressure	= &haul_memory_pressure,	\
	.sysctl_mem		= haul_sysctl_mem,		\
	.sysctl_wmem		= &haul_mem_floor,		\
	.sysctl_rmem		= &haul_mem_floor,		\
	.diag_destroy		= haul_dgram_abort

struct proto haul_dgram_prot = {
	HAUL_DGRAM_PROTO,
	.name		= "HAULDGRAM",
	.pre_connect	= haul_dgram_pre_connect4,
	.connect	= ip4_datagram_connect,
	.sendmsg	= haul_dgram_sendmsg4,
	.release_cb	= ip4_datagram_release_cb,
	.obj_size	= sizeof(struct haul_dgram),
};

struct proto haul6_dgram_prot = {
	HAUL_DGRAM_PROTO,
	.name		= "HAULDGRAMv6",
	.pre_connect	= haul_dgram_pre_connect6,
	.connect	= ip6_datagram_connect,
	.sendmsg	= haul_dgram_sendmsg6,
	.release_cb	= ip6_datagram_release_cb,
	.obj_size	= sizeof(struct haul6_dgram),
	HAUL_PROTO_PINFO(struct haul6_dgram, inet6)
};

/* before 6.5 the kernel takes an object's last bytes for the ipv6_pinfo */
static_assert(offsetofend(struct haul6_dgram, inet6) == sizeof(struct haul6_dgram));

#define HAUL_DGRAM_OPS						\
	.owner		= THIS_MODULE,				\
	.connect	= inet_dgram_connect,			\
	.socketpair	= sock_no_socketpair,			\
	.accept		= sock_no_accept,			\
	.poll		= datagram_poll,			\
	.gettstamp	= sock_gettstamp,			\
	.listen		= sock_no_listen,			\
	.shutdown	= inet_shutdown,			\
	.setsockopt	= haul_ops_setsockopt,			\
	.getsockopt	= sock_common_getsockopt,		\
	.sendmsg	= inet_sendmsg,				\
	.recvmsg	= inet_recvmsg,				\
	.mmap		= sock_no_mmap,				\
	.set_peek_off	= sk_set_peek_off

const struct proto_ops haul_dgram_ops = {
	HAUL_DGRAM_OPS,
	.family		= PF_INET,
	.bind		= inet_bind,
	.release	= inet_release,
	.getname	= inet_getname,
	.ioctl		= inet_ioctl,
};

const struct proto_ops haul6_dgram_ops = {
	HAUL_DGRAM_OPS,
	.family		= PF_INET6,
	.bind		= inet6_bind,
	.release	= inet6_release,
	.getname	= inet6_getname,
	.ioctl		= inet6_ioctl,
};

/**
 * haul_dgram_init - makes the datagram sockets' slabs
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_dgram_init(void)
{
	int err = proto_register(&haul_dgram_prot, 1);

	if (err)
		return err;
	err = proto_register(&haul6_dgram_prot, 1);
	if (err)
		proto_unregister(&haul_dgram_prot);
	return err;
}

/**
 * haul_dgram_exit - undoes haul_dgram_init(); no socket exists any more
 *
 * May sleep.
 */
void haul_dgram_exit(void)
{
	proto_unregister(&haul6_dgram_prot);
	proto_unregister(&haul_dgram_prot);
}
