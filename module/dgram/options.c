// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram socket's own options: those that UDP has and Haul does. Other levels are the
 * kernel's.
 */
#include <linux/uaccess.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "dgram.h"

/**
 * struct haul_dgram_option - an integer option
 * @level:	SOL_HAUL, or SOL_UDP with UDP's own number
 * @name:	HAUL_*, UDP_*
 * @set:	takes a value; socket lock. 0 or -errno
 * @get:	its value; without a lock
 */
struct haul_dgram_option {
	int	level;
	int	name;
	int	(*set)(struct sock *sk, int val);
	int	(*get)(const struct sock *sk);
};

/* Switched off, what is corked goes; nobody is told what becomes of it, as with UDP. */
static int haul_dgram_set_cork(struct sock *sk, int val)
{
	struct haul_dgram *hd = haul_dgram(sk);

	WRITE_ONCE(hd->corked, !!val);
	if (!val && hd->pending == AF_INET)
		haul_dgram_push4(sk);
	else if (!val && hd->pending == AF_INET6)
		haul_dgram_push6(sk);
	return 0;
}

static int haul_dgram_get_cork(const struct sock *sk)
{
	return READ_ONCE(haul_dgram(sk)->corked);
}

static int haul_dgram_set_segment(struct sock *sk, int val)
{
	if (val < 0 || val > U16_MAX)
		return -EINVAL;
	WRITE_ONCE(haul_dgram(sk)->segment, val);
	return 0;
}

static int haul_dgram_get_segment(const struct sock *sk)
{
	return READ_ONCE(haul_dgram(sk)->segment);
}

static int haul_dgram_set_gro(struct sock *sk, int val)
{
	haul_dgram_gro_set(sk, val);
	return 0;
}

static int haul_dgram_get_gro(const struct sock *sk)
{
	return READ_ONCE(haul_dgram(sk)->gro);
}

/* SO_ZEROCOPY, which not every kernel gives to protocols that it does not know */
static int haul_dgram_set_zerocopy(struct sock *sk, int val)
{
	if (val < 0 || val > 1)
		return -EINVAL;
	sock_valbool_flag(sk, SOCK_ZEROCOPY, val);
	return 0;
}

static int haul_dgram_get_zerocopy(const struct sock *sk)
{
	return sock_flag(sk, SOCK_ZEROCOPY);
}

static const struct haul_dgram_option haul_dgram_options[] = {
	{ SOL_HAUL,	HAUL_CORK,	haul_dgram_set_cork,	haul_dgram_get_cork },
	{ SOL_HAUL,	HAUL_ZEROCOPY,	haul_dgram_set_zerocopy, haul_dgram_get_zerocopy },
	{ SOL_UDP,	UDP_CORK,	haul_dgram_set_cork,	haul_dgram_get_cork },
	{ SOL_UDP,	UDP_SEGMENT,	haul_dgram_set_segment,	haul_dgram_get_segment },
	{ SOL_UDP,	UDP_GRO,	haul_dgram_set_gro,	haul_dgram_get_gro },
};

static const struct haul_dgram_option *haul_dgram_option_find(int level, int name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(haul_dgram_options); i++)
		if (haul_dgram_options[i].level == level && haul_dgram_options[i].name == name)
			return &haul_dgram_options[i];
	return NULL;
}

static int haul_dgram_set_own(struct sock *sk, int level, int name, sockptr_t val, unsigned int len)
{
	const struct haul_dgram_option *option = haul_dgram_option_find(level, name);
	int value, err;

	if (len < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, val, sizeof(value)))
		return -EFAULT;
	if (!option)
		return -ENOPROTOOPT;
	lock_sock(sk);
	err = option->set(sk, value);
	release_sock(sk);
	return err;
}

/**
 * haul_dgram_setsockopt - proto.setsockopt
 * @sk:		the socket
 * @level:	SOL_HAUL, SOL_UDP, IPPROTO_IP, IPPROTO_IPV6
 * @name:	option
 * @val:	its value
 * @len:	bytes
 *
 * Takes the socket lock; may sleep. Return: 0, -EINVAL, -EFAULT, -ENOPROTOOPT
 */
int haul_dgram_setsockopt(struct sock *sk, int level, int name, sockptr_t val, unsigned int len)
{
	if (level == SOL_HAUL || level == SOL_UDP)
		return haul_dgram_set_own(sk, level, name, val, len);
	if (level != SOL_IP && sk->sk_family == AF_INET6)
		return ipv6_setsockopt(sk, level, name, val, len);
	return ip_setsockopt(sk, level, name, val, len);
}

static int haul_dgram_get_own(struct sock *sk, int level, int name, char __user *val,
			      int __user *optlen)
{
	const struct haul_dgram_option *option = haul_dgram_option_find(level, name);
	int len, value;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (!option)
		return -ENOPROTOOPT;
	len = min_t(unsigned int, len, sizeof(value));
	value = option->get(sk);
	if (put_user(len, optlen) || copy_to_user(val, &value, len))
		return -EFAULT;
	return 0;
}

/**
 * haul_dgram_getsockopt - proto.getsockopt
 * @sk:		the socket
 * @level:	SOL_HAUL, SOL_UDP, IPPROTO_IP, IPPROTO_IPV6
 * @name:	option
 * @val:	its value goes here
 * @len:	room in bytes, then the bytes given
 *
 * May sleep. Return: 0, -EINVAL, -EFAULT, -ENOPROTOOPT
 */
int haul_dgram_getsockopt(struct sock *sk, int level, int name, char __user *val, int __user *len)
{
	if (level == SOL_HAUL || level == SOL_UDP)
		return haul_dgram_get_own(sk, level, name, val, len);
	if (level != SOL_IP && sk->sk_family == AF_INET6)
		return ipv6_getsockopt(sk, level, name, val, len);
	return ip_getsockopt(sk, level, name, val, len);
}
