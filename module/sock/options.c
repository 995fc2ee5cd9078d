// SPDX-License-Identifier: GPL-2.0
/*
 * setsockopt() and getsockopt(). Options are rows of two tables, the integers and the others;
 * SOL_HAUL and IPPROTO_TCP share most. Numbers, types, ranges and errors are TCP's. What TCP has
 * and is in no table is refused (Documentation/parity.rst says why). SOL_SOCKET is the kernel's,
 * but for what it gives only to the protocols that it knows.
 */
#include <linux/capability.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "options.h"
#include "sock.h"
#include "../conn/conn.h"
#include "../conn/fastopen.h"

#define HAUL_KEEP_MAX_S		32767
#define HAUL_RETRIES_MAX	127
#define HAUL_MAXSEG_MAX		32767

/* the largest option is the answer's buffer, on the stack */
union haul_blob_value {
	struct haul_info	info;
	struct tcp_info		tcp_info;
	char			name[HAUL_CC_NAME_MAX];
	u8			keys[HAUL_FASTOPEN_KEYS * HAUL_FASTOPEN_KEY_LEN];
};

/**
 * struct haul_option - an integer option
 * @level:	SOL_HAUL, SOL_TCP; 0: both
 * @name:	HAUL_*
 * @min:	values outside [@min, @max] are -EINVAL
 * @max:	see @min
 * @set:	takes a value within them; socket lock. 0 or -errno
 * @get:	its value; without a lock
 */
struct haul_option {
	int	level;
	int	name;
	int	min;
	int	max;
	int	(*set)(struct sock *sk, int val);
	int	(*get)(struct sock *sk);
};

/**
 * struct haul_blob - an option that is no integer
 * @level:	SOL_HAUL, SOL_TCP; 0: both
 * @name:	HAUL_*, or its number at IPPROTO_TCP
 * @set:	takes the lock itself; NULL: read only
 * @get:	fills its value, returns its length; takes the lock itself
 * @give:	instead of @get: the whole of getsockopt(), room is 0 or more
 */
struct haul_blob {
	int	level;
	int	name;
	int	(*set)(struct sock *sk, sockptr_t val, unsigned int len);
	size_t	(*get)(struct sock *sk, union haul_blob_value *value);
	int	(*give)(struct sock *sk, char __user *val, int __user *optlen, int room);
};

/* ---------------------------------------------------------------- sending */

static int haul_set_nodelay(struct sock *sk, int val)
{
	haul_sk(sk)->nodelay = !!val;
	/* what waits goes, corked or not, as on TCP */
	if (val && haul_output(sk, HAUL_NAGLE_OFF))
		haul_persist_check(sk);
	return 0;
}

static int haul_get_nodelay(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->nodelay);
}

static int haul_set_cork(struct sock *sk, int val)
{
	haul_sk(sk)->cork = !!val;
	if (!val)
		haul_push(sk);
	return 0;
}

static int haul_get_cork(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->cork);
}

static int haul_set_maxseg(struct sock *sk, int val)
{
	if (val && val < HAUL_MIN_MSS)
		return -EINVAL;
	WRITE_ONCE(haul_sk(sk)->user_mss, val);
	return 0;
}

static int haul_get_maxseg(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	u8 state = inet_sk_state_load(sk);

	if (READ_ONCE(hs->user_mss) && (state == HAUL_CLOSED || state == HAUL_LISTEN))
		return READ_ONCE(hs->user_mss);
	return READ_ONCE(hs->snd.mss) ? : HAUL_DEFAULT_MSS;
}

static int haul_set_notsent_lowat(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->notsent_lowat, val);
	sk->sk_write_space(sk);
	return 0;
}

static int haul_get_notsent_lowat(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->notsent_lowat);
}

/* SO_ZEROCOPY, which the kernel gives to the protocols that it knows */
static int haul_set_zerocopy(struct sock *sk, int val)
{
	sock_valbool_flag(sk, SOCK_ZEROCOPY, val);
	return 0;
}

static int haul_get_zerocopy(struct sock *sk)
{
	return sock_flag(sk, SOCK_ZEROCOPY);
}

/* ---------------------------------------------------------------- receiving */

static int haul_set_quickack(struct sock *sk, int val)
{
	struct haul_sock *hs = haul_sk(sk);

	hs->rcv.interactive = !val;
	if (!val || !hs->rcv.ack_due || !haul_state_in(sk, HAUL_STATES_MAY_SEND))
		return 0;
	haul_ack_send(sk);
	/* an even value: the ACK that is owed and no other, as on TCP */
	hs->rcv.interactive = !(val & 1);
	return 0;
}

static int haul_get_quickack(struct sock *sk)
{
	return !READ_ONCE(haul_sk(sk)->rcv.interactive);
}

static int haul_set_window_clamp(struct sock *sk, int val)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!val) {
		if (sk->sk_state != HAUL_CLOSED)
			return -EINVAL;
		WRITE_ONCE(hs->window_clamp, 0);
		return 0;
	}
	WRITE_ONCE(hs->window_clamp, max_t(u32, val, SOCK_MIN_RCVBUF / 2));
	haul_window_reclamp(sk);
	return 0;
}

static int haul_get_window_clamp(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (READ_ONCE(hs->window_clamp) || !READ_ONCE(hs->rcv_ratio))
		return READ_ONCE(hs->window_clamp);
	return READ_ONCE(hs->rcv.clamp);
}

static int haul_set_inq(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->inq_level, val ? SOL_HAUL : 0);
	return 0;
}

static int haul_set_inq_tcp(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->inq_level, val ? SOL_TCP : 0);
	return 0;
}

static int haul_get_inq(struct sock *sk)
{
	return !!READ_ONCE(haul_sk(sk)->inq_level);
}

/* ---------------------------------------------------------------- listening */

/*
 * Seconds are kept as how often a request's timer fires in them, and read as the time until it has
 * fired so often, as on TCP: 1, 3, 7, 15 s...
 */
static int haul_defer_seconds(u8 timeouts)
{
	const int most = HAUL_RTO_MAX_US / USEC_PER_SEC;
	int seconds = 0, step = HAUL_RTO_INITIAL_US / USEC_PER_SEC;

	for (; timeouts; timeouts--) {
		seconds += step;
		step = min(2 * step, most);
	}
	return seconds;
}

static int haul_set_defer_accept(struct sock *sk, int val)
{
	u8 timeouts = 0;

	while (timeouts < U8_MAX && haul_defer_seconds(timeouts) < val)
		timeouts++;
	WRITE_ONCE(haul_sk(sk)->defer_accept, timeouts);
	return 0;
}

static int haul_get_defer_accept(struct sock *sk)
{
	return haul_defer_seconds(READ_ONCE(haul_sk(sk)->defer_accept));
}

static int haul_set_save_syn(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->save_syn, val);
	return 0;
}

static int haul_get_save_syn(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->save_syn);
}

/* ---------------------------------------------------------------- fast open */

static int haul_set_fastopen(struct sock *sk, int val)
{
	if (!haul_state_in(sk, HAUL_STATE_BIT(HAUL_CLOSED) | HAUL_STATE_BIT(HAUL_LISTEN)))
		return -EINVAL;
	haul_fastopen_tune(sk, val);
	return 0;
}

static int haul_get_fastopen(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->fastopen_qlen);
}

static int haul_set_fastopen_connect(struct sock *sk, int val)
{
	if (!(READ_ONCE(haul_sk(sk)->hn->fastopen) & HAUL_FASTOPEN_CLIENT))
		return -EOPNOTSUPP;
	if (sk->sk_state != HAUL_CLOSED)
		return -EINVAL;
	WRITE_ONCE(haul_sk(sk)->fastopen_connect, val);
	return 0;
}

static int haul_get_fastopen_connect(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->fastopen_connect);
}

static int haul_set_fastopen_no_cookie(struct sock *sk, int val)
{
	if (!haul_state_in(sk, HAUL_STATE_BIT(HAUL_CLOSED) | HAUL_STATE_BIT(HAUL_LISTEN)))
		return -EINVAL;
	WRITE_ONCE(haul_sk(sk)->fastopen_no_cookie, val);
	return 0;
}

static int haul_get_fastopen_no_cookie(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->fastopen_no_cookie);
}

/* One key, or one and the older one whose cookies are good, too */
static int haul_set_fastopen_key(struct sock *sk, sockptr_t val, unsigned int len)
{
	u8 bytes[HAUL_FASTOPEN_KEYS * HAUL_FASTOPEN_KEY_LEN];
	struct haul_fastopen *fo;
	int i, num = len / HAUL_FASTOPEN_KEY_LEN;

	if (!len || len % HAUL_FASTOPEN_KEY_LEN || num > HAUL_FASTOPEN_KEYS)
		return -EINVAL;
	if (copy_from_sockptr(bytes, val, len))
		return -EFAULT;
	lock_sock(sk);
	fo = haul_fastopen_get(sk, GFP_KERNEL);
	if (fo) {
		fo->keys.num = num;
		for (i = 0; i < num; i++)
			fo->keys.key[i] =
				haul_fastopen_key_load(bytes + i * HAUL_FASTOPEN_KEY_LEN);
	}
	release_sock(sk);
	memzero_explicit(bytes, sizeof(bytes));
	return fo ? 0 : -ENOMEM;
}

/* none of its own: an empty answer, as on TCP */
static size_t haul_get_fastopen_key(struct sock *sk, union haul_blob_value *value)
{
	const struct haul_fastopen *fo;
	size_t len = 0;
	int i;

	lock_sock(sk);
	fo = haul_sk(sk)->fastopen;
	for (i = 0; fo && i < fo->keys.num; i++, len += HAUL_FASTOPEN_KEY_LEN)
		haul_fastopen_key_store(value->keys + len, &fo->keys.key[i]);
	release_sock(sk);
	return len;
}

/* ---------------------------------------------------------------- of no effect, as on TCP */

static int haul_set_nothing(struct sock *sk, int val)
{
	return 0;
}

static int haul_get_nothing(struct sock *sk)
{
	return 0;
}

/* ---------------------------------------------------------------- no integers */

static int haul_set_congestion(struct sock *sk, sockptr_t val, unsigned int len)
{
	char name[HAUL_CC_NAME_MAX] = {};
	int err;

	if (len < 1)
		return -EINVAL;
	if (strncpy_from_sockptr(name, val, min_t(unsigned int, len, sizeof(name) - 1)) < 0)
		return -EFAULT;
	lock_sock(sk);
	err = haul_cong_set(sk, name);
	release_sock(sk);
	return err;
}

static size_t haul_get_congestion(struct sock *sk, union haul_blob_value *value)
{
	lock_sock(sk);
	strscpy(value->name, haul_sk(sk)->snd.cc->name, sizeof(value->name));
	release_sock(sk);
	return sizeof(value->name);
}

static size_t haul_get_info(struct sock *sk, union haul_blob_value *value)
{
	lock_sock(sk);
	haul_sock_info(sk, &value->info);
	release_sock(sk);
	return sizeof(value->info);
}

static size_t haul_get_tcp_info(struct sock *sk, union haul_blob_value *value)
{
	lock_sock(sk);
	haul_sock_tcp_info(sk, &value->tcp_info);
	release_sock(sk);
	return sizeof(value->tcp_info);
}

/* Nothing is there to be put under a stream, whatever its name. */
static int haul_set_ulp(struct sock *sk, sockptr_t val, unsigned int len)
{
	char name;

	if (len < 1)
		return -EINVAL;
	return copy_from_sockptr(&name, val, sizeof(name)) ? -EFAULT : -ENOENT;
}

/* there is none, which TCP says by an empty answer */
static size_t haul_get_none(struct sock *sk, union haul_blob_value *value)
{
	return 0;
}

/* ---------------------------------------------------------------- tables */

#define HAUL_OPTION(NAME, low, high, stem) \
	{ .name = NAME, .min = low, .max = high, .set = haul_set_##stem, .get = haul_get_##stem }

static const struct haul_option haul_options[] = {
	HAUL_OPTION(HAUL_NODELAY,	INT_MIN, INT_MAX, nodelay),
	HAUL_OPTION(HAUL_MAXSEG,	0, HAUL_MAXSEG_MAX, maxseg),
	HAUL_OPTION(HAUL_CORK,		INT_MIN, INT_MAX, cork),
	HAUL_OPTION(HAUL_KEEPIDLE,	1, HAUL_KEEP_MAX_S, keepidle),
	HAUL_OPTION(HAUL_KEEPINTVL,	1, HAUL_KEEP_MAX_S, keepintvl),
	HAUL_OPTION(HAUL_KEEPCNT,	1, HAUL_RETRIES_MAX, keepcnt),
	HAUL_OPTION(HAUL_SYNCNT,	1, HAUL_RETRIES_MAX, syncnt),
	HAUL_OPTION(HAUL_LINGER2,	INT_MIN, INT_MAX, linger2),
	HAUL_OPTION(HAUL_DEFER_ACCEPT,	INT_MIN, INT_MAX, defer_accept),
	HAUL_OPTION(HAUL_WINDOW_CLAMP,	INT_MIN, INT_MAX, window_clamp),
	HAUL_OPTION(HAUL_QUICKACK,	INT_MIN, INT_MAX, quickack),
	HAUL_OPTION(HAUL_USER_TIMEOUT,	0, INT_MAX, user_timeout),
	HAUL_OPTION(HAUL_NOTSENT_LOWAT,	INT_MIN, INT_MAX, notsent_lowat),
	HAUL_OPTION(HAUL_FASTOPEN,	0, INT_MAX, fastopen),
	HAUL_OPTION(HAUL_FASTOPEN_CONNECT, 0, 1, fastopen_connect),
	HAUL_OPTION(HAUL_FASTOPEN_NO_COOKIE, 0, 1, fastopen_no_cookie),
	HAUL_OPTION(HAUL_SAVE_SYN,	0, 2, save_syn),
	HAUL_OPTION(HAUL_RTO_MAX_MS,	HAUL_RTO_MAX_LEAST_MS, HAUL_RTO_MAX_MOST_MS, rto_max_ms),
	HAUL_OPTION(HAUL_RTO_MIN_US,	INT_MIN, INT_MAX, rto_min_us),
	HAUL_OPTION(HAUL_DELACK_MAX_US,	INT_MIN, INT_MAX, delack_max_us),
	{ SOL_HAUL, HAUL_ZEROCOPY, 0, 1, haul_set_zerocopy, haul_get_zerocopy },
	{ SOL_HAUL, HAUL_INQ, 0, 1, haul_set_inq, haul_get_inq },
	{ SOL_TCP, HAUL_INQ, 0, 1, haul_set_inq_tcp, haul_get_inq },
	{ SOL_TCP, TCP_THIN_DUPACK, 0, 1, haul_set_nothing, haul_get_nothing },
};

static const struct haul_blob haul_blobs[] = {
	{ 0,		HAUL_CONGESTION,	haul_set_congestion,	haul_get_congestion },
	{ 0,		HAUL_FASTOPEN_KEY,	haul_set_fastopen_key,	haul_get_fastopen_key },
	{ SOL_HAUL,	HAUL_INFO,		NULL,			haul_get_info },
	{ SOL_TCP,	HAUL_INFO,		NULL,			haul_get_tcp_info },
	{ 0,		HAUL_SAVED_SYN,		NULL,			NULL, haul_saved_syn_get },
	{ SOL_TCP,	TCP_CC_INFO,	NULL,			haul_get_none },
	{ SOL_TCP,	TCP_ULP,		haul_set_ulp,		haul_get_none },
};

static const struct haul_option *haul_option_find(int level, int name)
{
	const struct haul_option *o;

	for (o = haul_options; o < haul_options + ARRAY_SIZE(haul_options); o++)
		if (o->name == name && (!o->level || o->level == level))
			return o;
	return NULL;
}

static const struct haul_blob *haul_blob_find(int level, int name)
{
	const struct haul_blob *b;

	for (b = haul_blobs; b < haul_blobs + ARRAY_SIZE(haul_blobs); b++)
		if (b->name == name && (!b->level || b->level == level))
			return b;
	return NULL;
}

/* ---------------------------------------------------------------- set */

static int haul_set_own(struct sock *sk, int level, int name, sockptr_t val, unsigned int len)
{
	const struct haul_option *option = haul_option_find(level, name);
	const struct haul_blob *blob = haul_blob_find(level, name);
	int value, err;

	if (blob && blob->set)
		return blob->set(sk, val, len);
	/* an unknown option is told after a bad length or address, as on TCP */
	if (len < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, val, sizeof(value)))
		return -EFAULT;
	if (!option)
		return -ENOPROTOOPT;
	if (value < option->min || value > option->max)
		return -EINVAL;
	lock_sock(sk);
	err = option->set(sk, value);
	release_sock(sk);
	return err;
}

/* A stream has one peer: it joins no group. In IPv6 a bad length is told first, as on TCP. */
static bool haul_joins_group(const struct sock *sk, int level, int name, unsigned int len)
{
	if (sk->sk_type == SOCK_DGRAM)
		return false;
	if (level == SOL_IP)
		return name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP;
	return level == SOL_IPV6 && sk->sk_family == AF_INET6 &&
	       (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP) &&
	       len >= sizeof(struct ipv6_mreq);
}

/*
 * The kernel's own options. IP options and extension headers are part of each packet from now on:
 * a segment must be the shorter.
 */
static int haul_set_ip(struct sock *sk, int level, int name, sockptr_t val, unsigned int len)
{
	const u32 none = HAUL_STATE_BIT(HAUL_CLOSED) | HAUL_STATE_BIT(HAUL_LISTEN);
	int err;

	if (level != SOL_IP && sk->sk_family == AF_INET6)
		err = ipv6_setsockopt(sk, level, name, val, len);
	else
		err = ip_setsockopt(sk, level, name, val, len);
	if (err)
		return err;
	lock_sock(sk);
	if (!haul_state_in(sk, none))
		haul_mss_sync(sk, haul_sk(sk)->pmtu);
	release_sock(sk);
	return 0;
}

/**
 * haul_sock_setsockopt - proto.setsockopt
 * @sk:		the socket
 * @level:	SOL_HAUL, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6
 * @name:	option
 * @val:	its value
 * @len:	bytes
 *
 * Takes the socket lock; may sleep.
 * Return: 0, -EINVAL, -EFAULT, -ENOPROTOOPT, -EPROTO: a stream joins no group, -ENOENT or -EPERM:
 * no such congestion controller, or not for this user
 */
int haul_sock_setsockopt(struct sock *sk, int level, int name, sockptr_t val, unsigned int len)
{
	if (level == SOL_HAUL || level == SOL_TCP)
		return haul_set_own(sk, level, name, val, len);
	if (haul_joins_group(sk, level, name, len))
		return -EPROTO;
	return haul_set_ip(sk, level, name, val, len);
}

/* ---------------------------------------------------------------- get */

/* the first bytes of @from, as many as the program has room for; and how many that were */
static int haul_give(char __user *val, int __user *optlen, int room, const void *from, size_t size)
{
	int len = min_t(size_t, room, size);

	if (put_user(len, optlen) || copy_to_user(val, from, len))
		return -EFAULT;
	return 0;
}

static int haul_get_blob(struct sock *sk, const struct haul_blob *blob, char __user *val,
			 int __user *optlen, int room)
{
	union haul_blob_value value;

	if (blob->give)
		return blob->give(sk, val, optlen, room);
	memset(&value, 0, sizeof(value));
	return haul_give(val, optlen, room, &value, blob->get(sk, &value));
}

static int haul_get_own(struct sock *sk, int level, int name, char __user *val, int __user *optlen)
{
	const struct haul_option *option = haul_option_find(level, name);
	const struct haul_blob *blob = haul_blob_find(level, name);
	int room, value;

	if (get_user(room, optlen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (blob)
		return haul_get_blob(sk, blob, val, optlen, room);
	if (!option)
		return -ENOPROTOOPT;
	value = option->get(sk);
	return haul_give(val, optlen, room, &value, sizeof(value));
}

/**
 * haul_sock_getsockopt - proto.getsockopt
 * @sk:		the socket
 * @level:	SOL_HAUL, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6
 * @name:	option
 * @val:	its value goes here
 * @len:	room in bytes, then the bytes given
 *
 * May take the socket lock; may sleep.
 * Return: 0, -EINVAL, -EFAULT, -ENOPROTOOPT
 */
int haul_sock_getsockopt(struct sock *sk, int level, int name, char __user *val, int __user *len)
{
	if (level == SOL_HAUL || level == SOL_TCP)
		return haul_get_own(sk, level, name, val, len);
	if (level != SOL_IP && sk->sk_family == AF_INET6)
		return ipv6_getsockopt(sk, level, name, val, len);
	return ip_getsockopt(sk, level, name, val, len);
}

/* SO_ZEROCOPY with TCP's errors */
static int haul_ops_set_zerocopy(struct sock *sk, sockptr_t val, unsigned int len)
{
	int value;

	if (len < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, val, sizeof(value)))
		return -EFAULT;
	if (value < 0 || value > 1)
		return -EINVAL;
	lock_sock(sk);
	haul_set_zerocopy(sk, value);
	release_sock(sk);
	return 0;
}

/**
 * haul_ops_setsockopt - proto_ops.setsockopt of all sockets
 * @sock:	the program's socket
 * @level:	SOL_HAUL, IPPROTO_TCP, SOL_UDP, IPPROTO_IP, IPPROTO_IPV6; SOL_SOCKET where the
 *		kernel lets a protocol have it (haul_take_sol_socket())
 * @name:	option
 * @val:	its value
 * @len:	bytes
 *
 * Takes the socket lock; may sleep. Return: 0 or -errno
 */
int haul_ops_setsockopt(struct socket *sock, int level, int name, sockptr_t val, unsigned int len)
{
	if (level != SOL_SOCKET)
		return sock_common_setsockopt(sock, level, name, val, len);
	if (name == SO_ZEROCOPY)
		return haul_ops_set_zerocopy(sock->sk, val, len);
	return sock_setsockopt(sock, level, name, val, len);
}
