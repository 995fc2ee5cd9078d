/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that Haul is built for (6.1, 6.12, 7.3), each a named shim.
 * No other file looks at a kernel version. Where a kernel in between changed, the comment says
 * which it was; where that was not to be found out, the border is the newer of the two kernels that
 * were compiled.
 *
 * A shim has the newest kernel's form where it can: it disappears with the last kernel that needs
 * it.
 */
#ifndef HAUL_COMPAT_H
#define HAUL_COMPAT_H

#include <linux/bpf-cgroup.h>
#include <linux/errqueue.h>
#include <linux/hrtimer.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/sysctl.h>
#include <linux/tcp.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <net/gro.h>
#include <net/inet_common.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

/* what moved out of other headers */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h>		/* gso_make_checksum(), from linux/skbuff.h */
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#include <net/rps.h>		/* sock_rps_record_flow(), from net/sock.h */
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#include <linux/skbuff_ref.h>	/* skb_frag_unref(), from linux/skbuff.h */
#include <net/proto_memory.h>	/* sk_under_memory_pressure(), from net/sock.h */
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#include <net/tcp.h>		/* TCP_SKB_CB() */
#endif

/* MSG_SENDPAGE_NOTLAST was in the kernel until 6.4: splice() has more pages for sendmsg() */
#ifdef MSG_SENDPAGE_NOTLAST
#define HAUL_MSG_SENDPAGE_NOTLAST	MSG_SENDPAGE_NOTLAST
#else
#define HAUL_MSG_SENDPAGE_NOTLAST	0
#endif

/*
 * ---------------------------------------------------------------- addresses (6.19: struct
 * sockaddr_unsized)
 */

/* haul_sockaddr: what proto_ops' and proto's bind and connect are given */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
typedef struct sockaddr_unsized haul_sockaddr;
#else
typedef struct sockaddr haul_sockaddr;
#endif

/* ---------------------------------------------------------------- struct proto */

/*
 * proto.accept takes a struct proto_accept_arg since 6.10. HAUL_PROTO_ACCEPT defines @name over
 * @accept(sk, arg).
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define HAUL_PROTO_ACCEPT(name, accept)						\
static struct sock *name(struct sock *sk, struct proto_accept_arg *arg)		\
{										\
	return accept(sk, arg);							\
}
#else
struct proto_accept_arg {
	int	flags;
	int	err;
	int	is_empty;
	bool	kern;
};

#define HAUL_PROTO_ACCEPT(name, accept)						\
static struct sock *name(struct sock *sk, int flags, int *err, bool kern)	\
{										\
	struct proto_accept_arg arg = { .flags = flags, .kern = kern };		\
	struct sock *child = accept(sk, &arg);					\
										\
	*err = arg.err;								\
	return child;								\
}
#endif

/*
 * proto.ioctl gives its answer through an int since 6.5, and the caller copies it. Defines @name
 * over @ioctl(sk, cmd, int *).
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define HAUL_PROTO_IOCTL(name, ioctl)						\
static int name(struct sock *sk, int cmd, int *answer)				\
{										\
	return ioctl(sk, cmd, answer);						\
}
#else
#define HAUL_PROTO_IOCTL(name, ioctl)						\
static int name(struct sock *sk, int cmd, unsigned long arg)			\
{										\
	int answer, err = ioctl(sk, cmd, &answer);				\
										\
	return err ? : put_user(answer, (int __user *)arg);			\
}
#endif

/*
 * proto.recvmsg and inet_recv_error() lost the address length in 7.x. Defines @name over
 * @recvmsg(sk, msg, len, flags).
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
#define HAUL_PROTO_RECVMSG(name, recvmsg)					\
static int name(struct sock *sk, struct msghdr *msg, size_t len, int flags)	\
{										\
	return recvmsg(sk, msg, len, flags);					\
}

static inline int haul_inet_recv_error(struct sock *sk, struct msghdr *msg, int len)
{
	return inet_recv_error(sk, msg, len);
}
#else
#define HAUL_PROTO_RECVMSG(name, recvmsg)					\
static int name(struct sock *sk, struct msghdr *msg, size_t len, int flags,	\
		int *addr_len)							\
{										\
	int ret = recvmsg(sk, msg, len, flags);					\
										\
	*addr_len = msg->msg_namelen;						\
	return ret;								\
}

static inline int haul_inet_recv_error(struct sock *sk, struct msghdr *msg, int len)
{
	return inet_recv_error(sk, msg, len, &msg->msg_namelen);
}
#endif

/* where the ipv6_pinfo of an AF_INET6 socket is: said by proto since 6.5, its last bytes before */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define HAUL_PROTO_PINFO(type, member)	.ipv6_pinfo_offset = offsetof(type, member),
#else
#define HAUL_PROTO_PINFO(type, member)
#endif

/* ---------------------------------------------------------------- sockets */

/* inet_sock's flags: bit fields before 6.6, atomic bits since. Both names are given. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define haul_inet_flag(sk, field, BIT)			inet_test_bit(BIT, sk)
#define haul_inet_flag_assign(sk, field, BIT, value)	inet_assign_bit(BIT, sk, value)
#else
#define haul_inet_flag(sk, field, BIT)			(inet_sk(sk)->field)
#define haul_inet_flag_assign(sk, field, BIT, value)	(inet_sk(sk)->field = !!(value))
#endif

/* ipv6_pinfo's flags: the same, since 6.8 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define haul_inet6_flag(sk, field, BIT)			inet6_test_bit(BIT, sk)
#define haul_inet6_flag_assign(sk, field, BIT, value)	inet6_assign_bit(BIT, sk, value)
#else
#define haul_inet6_flag(sk, field, BIT)			(inet6_sk(sk)->field)
#define haul_inet6_flag_assign(sk, field, BIT, value)	(inet6_sk(sk)->field = !!(value))
#endif

/* the list of flow labels that a socket leases: in inet_sock since 7.x, in ipv6_pinfo before */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
#define haul_flowlabel_list(sk)	(inet_sk(sk)->ipv6_fl_list)
#else
#define haul_flowlabel_list(sk)	(inet6_sk(sk)->ipv6_fl_list)
#endif

/* struct tcp_info has the receive window since 6.2, the timeouts since 6.7 */
static inline void haul_tcp_info_set_rcv_wnd(struct tcp_info *info, u32 bytes)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	info->tcpi_rcv_wnd = bytes;
#endif
}

static inline void haul_tcp_info_set_total_rto(struct tcp_info *info, u32 times)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	info->tcpi_total_rto = min_t(u32, times, U16_MAX);
#endif
}

/* sk_uid(sk) is the socket's owner since 6.17 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define sk_uid(sk)	((sk)->sk_uid)
#endif

/*
 * ---------------------------------------------------------------- cgroup BPF on addresses (a
 * length argument since 6.7)
 */

/*
 * bind(): may rewrite *@addr and, in *@flags, waive the privileged ports. @type: CGROUP_INET4_BIND
 * or CGROUP_INET6_BIND
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define haul_bpf_bind(sk, addr, len, type, flags) \
	BPF_CGROUP_RUN_PROG_INET_BIND_LOCK(sk, addr, &(len), type, flags)
#define haul_bpf_connect4(sk, addr, len)	BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, addr, &(len))
#define haul_bpf_connect6(sk, addr, len)	BPF_CGROUP_RUN_PROG_INET6_CONNECT(sk, addr, &(len))
#else
#define haul_bpf_bind(sk, addr, len, type, flags) \
	BPF_CGROUP_RUN_PROG_INET_BIND_LOCK(sk, addr, type, flags)
#define haul_bpf_connect4(sk, addr, len)	BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, addr)
#define haul_bpf_connect6(sk, addr, len)	BPF_CGROUP_RUN_PROG_INET6_CONNECT(sk, addr)
#endif

/* datagrams: @len is an int variable; the BPF program may change address and source */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define haul_bpf_sendmsg4(sk, addr, len, saddr) \
	BPF_CGROUP_RUN_PROG_UDP4_SENDMSG_LOCK(sk, (struct sockaddr *)(addr), &(len), saddr)
#define haul_bpf_sendmsg6(sk, addr, len, saddr) \
	BPF_CGROUP_RUN_PROG_UDP6_SENDMSG_LOCK(sk, (struct sockaddr *)(addr), &(len), saddr)
#define haul_bpf_recvmsg4(sk, addr, len) \
	BPF_CGROUP_RUN_PROG_UDP4_RECVMSG_LOCK(sk, (struct sockaddr *)(addr), &(len))
#define haul_bpf_recvmsg6(sk, addr, len) \
	BPF_CGROUP_RUN_PROG_UDP6_RECVMSG_LOCK(sk, (struct sockaddr *)(addr), &(len))
#else
#define haul_bpf_sendmsg4(sk, addr, len, saddr) \
	((void)(len), BPF_CGROUP_RUN_PROG_UDP4_SENDMSG_LOCK(sk, (struct sockaddr *)(addr), saddr))
#define haul_bpf_sendmsg6(sk, addr, len, saddr) \
	((void)(len), BPF_CGROUP_RUN_PROG_UDP6_SENDMSG_LOCK(sk, (struct sockaddr *)(addr), saddr))
#define haul_bpf_recvmsg4(sk, addr, len) \
	((void)(len), BPF_CGROUP_RUN_PROG_UDP4_RECVMSG_LOCK(sk, (struct sockaddr *)(addr)))
#define haul_bpf_recvmsg6(sk, addr, len) \
	((void)(len), BPF_CGROUP_RUN_PROG_UDP6_RECVMSG_LOCK(sk, (struct sockaddr *)(addr)))
#endif

/*
 * ---------------------------------------------------------------- SOL_SOCKET's options
 */

/*
 * @sock takes its own SOL_SOCKET options in proto_ops.setsockopt: newer than 6.1, there before
 * 6.12. An accepted socket has to be told anew: haul_inet_accept() for proto_ops.accept
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static inline void haul_take_sol_socket(struct socket *sock)
{
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
}

static inline int haul_inet_accept(struct socket *sock, struct socket *newsock,
				   struct proto_accept_arg *arg)
{
	int err = inet_accept(sock, newsock, arg);

	if (!err)
		haul_take_sol_socket(newsock);
	return err;
}
#else
static inline void haul_take_sol_socket(struct socket *sock)
{
}

#define haul_inet_accept	inet_accept
#endif

/* ---------------------------------------------------------------- memory cgroups */

/* inet_accept() finds an accepted socket's memory cgroup since 6.18: sock/memcg.c before */
#if IS_ENABLED(CONFIG_MEMCG) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define HAUL_MEMCG_ACCEPTS
#endif

/* the first version of cgroups counts sockets where there is a limit; a choice since 6.11 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0) || defined(CONFIG_MEMCG_V1)
#define haul_memcg_v1_counts(memcg)	((memcg)->tcpmem_active)
#else
#define haul_memcg_v1_counts(memcg)	false
#endif

/* ---------------------------------------------------------------- datagrams */

#ifndef MSG_SPLICE_PAGES		/* 6.5 */
#define MSG_SPLICE_PAGES	0
#endif

/* the message itself is not looked at since 6.12 */
static inline int haul_sock_cmsg_send(struct sock *sk, struct msghdr *msg, struct cmsghdr *cmsg,
				      struct sockcm_cookie *sockc)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return __sock_cmsg_send(sk, cmsg, sockc);
#else
	return __sock_cmsg_send(sk, msg, cmsg, sockc);
#endif
}

/* is given the socket since 6.12; sets mark and timestamps only in 7.x */
static inline void haul_ipcm6_init(struct ipcm6_cookie *ipc6, const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	ipcm6_init_sk(ipc6, sk);
#else
	ipcm6_init_sk(ipc6, inet6_sk(sk));
#endif
	ipc6->sockc.mark = READ_ONCE(sk->sk_mark);
	ipc6->sockc.tsflags = READ_ONCE(sk->sk_tsflags);
}

/* a control message may set a packet's priority since 6.14 */
static inline u32 haul_sockc_priority(const struct sockcm_cookie *sockc, const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	return sockc->priority;
#else
	return READ_ONCE(sk->sk_priority);
#endif
}

/* SCM_DEVMEM_DMABUF: a control message may name a device's memory to send from since 6.16 */
static inline bool haul_sockc_wants_device(const struct sockcm_cookie *sockc)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return sockc->dmabuf_id;
#else
	return false;
#endif
}

/* SCM_TXTIME: the socket's clock goes with the time since 6.11 */
static inline void haul_skb_set_txtime(struct sk_buff *skb, const struct sock *sk,
				       const struct sockcm_cookie *sockc)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	skb_set_delivery_type_by_clockid(skb, sockc->transmit_time, sk->sk_clockid);
#else
	skb->tstamp = sockc->transmit_time;
#endif
}

/* SO_TIMESTAMPING of sending: the whole cookie since 6.13 */
static inline void haul_skb_tx_timestamp(struct sk_buff *skb, const struct sockcm_cookie *sockc)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	skb_setup_tx_timestamp(skb, sockc);
#else
	skb_setup_tx_timestamp(skb, sockc->tsflags);
#endif
}

/* the same of a stream, which numbers bytes and not packets */
static inline void haul_sock_tx_timestamp(struct sock *sk, const struct sockcm_cookie *sockc,
					  u8 *tx_flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	sock_tx_timestamp(sk, sockc, tx_flags);
#else
	sock_tx_timestamp(sk, sockc->tsflags, tx_flags);
#endif
}

/*
 * The time of an acknowledgment: since 6.15 the kernel asks TCP's part of the packet whether it is
 * wanted. What is ours there is put back.
 */
static inline void haul_skb_tstamp_ack(struct sk_buff *skb, struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	struct tcp_skb_cb ours = *TCP_SKB_CB(skb);

	TCP_SKB_CB(skb)->txstamp_ack = TSTAMP_ACK_SK;
	__skb_tstamp_tx(skb, NULL, NULL, sk, SCM_TSTAMP_ACK);
	*TCP_SKB_CB(skb) = ours;
#else
	__skb_tstamp_tx(skb, NULL, NULL, sk, SCM_TSTAMP_ACK);
#endif
}

/* memory of a device can be sent since 6.16: not here */
static inline struct ubuf_info *haul_zerocopy_realloc(struct sock *sk, size_t size,
						      struct ubuf_info *uarg)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return msg_zerocopy_realloc(sk, size, uarg, false);
#else
	return msg_zerocopy_realloc(sk, size, uarg);
#endif
}

static inline int haul_zerocopy_iter_stream(struct sock *sk, struct sk_buff *skb,
					    struct msghdr *msg, int len, struct ubuf_info *uarg)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return skb_zerocopy_iter_stream(sk, skb, msg, len, uarg, NULL);
#else
	return skb_zerocopy_iter_stream(sk, skb, msg, len, uarg);
#endif
}

/* MSG_SPLICE_PAGES is there since 6.5; pages are copied before */
static inline ssize_t haul_splice_from_iter(struct sk_buff *skb, struct iov_iter *iter,
					    ssize_t most, gfp_t gfp)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	return skb_splice_from_iter(skb, iter, most);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return skb_splice_from_iter(skb, iter, most, gfp);
#else
	return -EOPNOTSUPP;
#endif
}

/* counts what SO_RXQ_OVFL tells */
static inline void haul_sk_dropped(struct sock *sk, const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	sk_drops_skbadd(sk, skb);
#else
	sk_drops_add(sk, skb);
#endif
}

/*
 * A route that goes no further than the link has a scope of its own; as long as there was
 * RTO_ONLINK, it was a bit of the type of service.
 */
static inline void haul_flowi4_init(struct flowi4 *fl4, int oif, u32 mark, u8 tos, u8 scope,
				    u8 proto, u8 flags, __be32 daddr, __be32 saddr, __be16 dport,
				    __be16 sport, kuid_t uid)
{
	tos &= INET_DSCP_MASK;
#ifdef RTO_ONLINK
	if (scope == RT_SCOPE_LINK)
		tos |= RTO_ONLINK;
#endif
	flowi4_init_output(fl4, oif, mark, tos, scope, proto, flags, daddr, saddr, dport, sport,
			   uid);
}

/* ---------------------------------------------------------------- time */

#ifndef timer_container_of		/* 6.16 */
#define timer_container_of(var, callback_timer, timer_fieldname) \
	from_timer(var, callback_timer, timer_fieldname)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

/* skb->tstamp becomes the departure time @ns of CLOCK_MONOTONIC (a bool before 6.11) */
static inline void haul_skb_set_departure(struct sk_buff *skb, u64 ns)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	skb_set_delivery_time(skb, ns, SKB_CLOCK_MONOTONIC);
#else
	skb_set_delivery_time(skb, ns, true);
#endif
}

/* ---------------------------------------------------------------- sysctl */

/* handlers are given a const table since 6.11; the list ends with an empty entry before that */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
typedef const struct ctl_table haul_ctl_table;
#define HAUL_CTL_SENTINEL	0
#else
typedef struct ctl_table haul_ctl_table;
#define HAUL_CTL_SENTINEL	1
#endif

/* @table has @num entries, and HAUL_CTL_SENTINEL empty ones behind them */
static inline struct ctl_table_header *
haul_register_sysctl(struct net *net, const char *path, struct ctl_table *table, size_t num)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	return register_net_sysctl_sz(net, path, table, num);
#else
	return register_net_sysctl(net, path, table);
#endif
}

/* ---------------------------------------------------------------- ip/: routes, GRO */

/* the third and fourth argument of ip6_dst_store() are truth values in 7.x, addresses before */
static inline void haul_ip6_dst_store(struct sock *sk, struct dst_entry *dst)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	ip6_dst_store(sk, dst, false, false);
#else
	ip6_dst_store(sk, dst, NULL, NULL);
#endif
}

/*
 * Do the IP headers of two packets in GRO forbid to merge them? Asked by the transport since 6.10,
 * with the two transport headers; before, IP had left its answer in @p and the transport had to
 * read it.
 */
static inline int haul_gro_network_flush(const void *held_header, const void *header,
					 struct sk_buff *p)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return gro_receive_network_flush(header, held_header, p);
#else
	int flush = NAPI_GRO_CB(p)->flush;

	/*
	 * the second packet tells whether the IP identification counts (1 apart) or stands still
	 * (DF set)
	 */
	if (NAPI_GRO_CB(p)->flush_id != 1 || NAPI_GRO_CB(p)->count != 1 ||
	    !NAPI_GRO_CB(p)->is_atomic)
		return flush | NAPI_GRO_CB(p)->flush_id;
	NAPI_GRO_CB(p)->is_atomic = false;
	return flush;
#endif
}

#endif /* HAUL_COMPAT_H */
