// SPDX-License-Identifier: GPL-2.0
/*
 * An example: Haul's sockets used from inside the kernel. Nothing of Haul is linked against: the
 * sockets come from sock_create_kern(), the calls are the kernel's own for all protocols. What is
 * written to the parameter "run" is done before write() returns, in the writer's namespace:
 *
 *	server stream|message|datagram ADDRESS PORT BYTES	sends back what one client sends
 *	client stream|message|datagram ADDRESS PORT BYTES	sends so many, and compares
 *	leave  stream|message ADDRESS PORT BYTES	sends them and closes, reads nothing
 *
 * write() fails with the error that the socket call had; -EBADMSG: what came back was not what was
 * sent, -EPROTO: nobody was told that it came. It can be interrupted.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/inet.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/haul.h>
#include <net/sock.h>

#define IN_KERNEL_CHUNK		16384U	/* bytes sent before they are awaited back */
#define IN_KERNEL_DATAGRAM	1400U	/* no datagram is larger */
#define IN_KERNEL_PATIENCE	(10 * HZ)

/**
 * struct in_kernel - what is to be done
 * @serves:	server
 * @leaves:	a client that does not wait for what comes back
 * @type:	SOCK_*
 * @addr:	the peer's address, or the server's own
 * @bytes:	to send, and to await
 * @sock:	the socket that carries them
 * @buf:	a chunk sent
 * @back:	a chunk come back
 * @told:	times that sk_data_ready was called
 * @data_ready:	what it was before
 */
struct in_kernel {
	bool			serves;
	bool			leaves;
	int			type;
	struct sockaddr_storage	addr;
	unsigned long		bytes;
	struct socket		*sock;
	u8			*buf;
	u8			*back;
	atomic_t		told;
	void			(*data_ready)(struct sock *sk);
};

/* ---------------------------------------------------------------- a socket */

static int in_kernel_addrlen(const struct in_kernel *k)
{
	return k->addr.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					       sizeof(struct sockaddr_in);
}

static int in_kernel_socket(struct in_kernel *k, struct socket **sock)
{
	int protocol = k->addr.ss_family == AF_INET6 ? HAULPROTO_INET6 : HAULPROTO_INET;
	int err;

	err = sock_create_kern(current->nsproxy->net_ns, AF_HAUL, k->type, protocol, sock);
	if (err)
		return err;
	(*sock)->sk->sk_rcvtimeo = IN_KERNEL_PATIENCE;
	(*sock)->sk->sk_sndtimeo = IN_KERNEL_PATIENCE;
	sock_set_reuseaddr((*sock)->sk);
	return 0;
}

/* A user of its own may look at what has come here, without sleeping. */
static void in_kernel_data_ready(struct sock *sk)
{
	struct in_kernel *k;

	read_lock_bh(&sk->sk_callback_lock);
	k = sk->sk_user_data;
	if (k) {
		atomic_inc(&k->told);
		k->data_ready(sk);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void in_kernel_listen_to(struct in_kernel *k, bool on)
{
	struct sock *sk = k->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	if (on)
		k->data_ready = sk->sk_data_ready;
	sk->sk_user_data = on ? k : NULL;
	sk->sk_data_ready = on ? in_kernel_data_ready : k->data_ready;
	write_unlock_bh(&sk->sk_callback_lock);
}

/* ---------------------------------------------------------------- bytes */

static u8 in_kernel_byte(unsigned long at)
{
	return (at * 2654435761U) >> 11;
}

/* all of a chunk; a datagram or a message is sent by one call anyway */
static int in_kernel_send(struct socket *sock, const u8 *buf, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
		struct kvec vec = { .iov_base = (u8 *)buf + sent, .iov_len = len - sent };
		int n = kernel_sendmsg(sock, &msg, &vec, 1, vec.iov_len);

		if (n < 0)
			return n;
		sent += n;
	}
	return 0;
}

/* bytes, 0 at the end, or -errno */
static int in_kernel_receive(struct socket *sock, u8 *buf, size_t len, int flags)
{
	struct msghdr msg = { };
	struct kvec vec = { .iov_base = buf, .iov_len = len };

	return kernel_recvmsg(sock, &msg, &vec, 1, len, flags);
}

/* ---------------------------------------------------------------- the client */

static int in_kernel_exchange(struct in_kernel *k, unsigned long at, size_t len)
{
	int err, got;
	size_t i;

	for (i = 0; i < len; i++)
		k->buf[i] = in_kernel_byte(at + i);
	err = in_kernel_send(k->sock, k->buf, len);
	if (err || k->leaves)
		return err;
	got = in_kernel_receive(k->sock, k->back, len, MSG_WAITALL);
	if (got < 0)
		return got;
	return got == len && !memcmp(k->buf, k->back, len) ? 0 : -EBADMSG;
}

/* Our end first, then the server's, which comes when it has seen ours; datagrams: an empty one. */
static int in_kernel_finish(struct in_kernel *k)
{
	struct msghdr msg = { };
	int err;

	if (k->type == SOCK_DGRAM)
		return kernel_sendmsg(k->sock, &msg, NULL, 0, 0);
	err = kernel_sock_shutdown(k->sock, SHUT_WR);
	if (err)
		return err;
	return in_kernel_receive(k->sock, k->back, 1, 0) ? -EBADMSG : 0;
}

static int in_kernel_client(struct in_kernel *k)
{
	size_t most = k->type == SOCK_DGRAM ? IN_KERNEL_DATAGRAM : IN_KERNEL_CHUNK;
	unsigned long at = 0;
	size_t len;
	int err;

	err = in_kernel_socket(k, &k->sock);
	if (err)
		return err;
	in_kernel_listen_to(k, true);
	/* its argument's type differs between kernels: no cast suits all */
	err = kernel_connect(k->sock, (void *)&k->addr, in_kernel_addrlen(k), 0);
	for (; !err && at < k->bytes; at += len) {
		len = min_t(unsigned long, most, k->bytes - at);
		err = in_kernel_exchange(k, at, len);
	}
	if (!err && !k->leaves)
		err = in_kernel_finish(k);
	if (!err && !k->leaves && !atomic_read(&k->told))
		err = -EPROTO;
	in_kernel_listen_to(k, false);
	sock_release(k->sock);
	return err;
}

/* ---------------------------------------------------------------- the server */

static int in_kernel_echo(struct in_kernel *k)
{
	unsigned long echoed = 0;
	int n = 0, err = 0;

	while (!err) {
		n = in_kernel_receive(k->sock, k->buf, IN_KERNEL_CHUNK, 0);
		if (n <= 0)
			break;
		err = in_kernel_send(k->sock, k->buf, n);
		echoed += n;
	}
	if (n < 0 || err)
		return n < 0 ? n : err;
	return echoed == k->bytes ? 0 : -EBADMSG;
}

/* Datagrams come from whom they like: each is sent back there, until an empty one comes. */
static int in_kernel_echo_datagrams(struct in_kernel *k, struct socket *sock)
{
	struct sockaddr_storage from;
	unsigned long echoed = 0;
	int n;

	for (;;) {
		struct msghdr msg = { .msg_name = &from };
		struct kvec vec = { .iov_base = k->buf, .iov_len = IN_KERNEL_CHUNK };

		n = kernel_recvmsg(sock, &msg, &vec, 1, IN_KERNEL_CHUNK, 0);
		if (n <= 0)
			break;
		vec.iov_len = n;
		msg.msg_flags = 0;
		n = kernel_sendmsg(sock, &msg, &vec, 1, n);
		if (n < 0)
			break;
		echoed += n;
	}
	if (n < 0)
		return n;
	return echoed == k->bytes ? 0 : -EBADMSG;
}

static int in_kernel_server(struct in_kernel *k)
{
	struct socket *sock;
	int err;

	err = in_kernel_socket(k, &sock);
	if (err)
		return err;
	err = kernel_bind(sock, (void *)&k->addr, in_kernel_addrlen(k));
	if (!err && k->type == SOCK_DGRAM) {
		err = in_kernel_echo_datagrams(k, sock);
	} else if (!err) {
		err = kernel_listen(sock, 1);
		if (!err)
			err = kernel_accept(sock, &k->sock, 0);
		if (!err) {
			err = in_kernel_echo(k);
			sock_release(k->sock);
		}
	}
	sock_release(sock);
	return err;
}

/* ---------------------------------------------------------------- the parameter */

static int in_kernel_parse(struct in_kernel *k, const char *text)
{
	char role[8], kind[10], address[INET6_ADDRSTRLEN], port[6];

	if (sscanf(text, "%7s %9s %47s %5s %lu", role, kind, address, port, &k->bytes) != 5)
		return -EINVAL;
	k->serves = !strcmp(role, "server");
	k->leaves = !strcmp(role, "leave");
	if (!k->serves && !k->leaves && strcmp(role, "client"))
		return -EINVAL;
	if (!strcmp(kind, "stream"))
		k->type = SOCK_STREAM;
	else if (!strcmp(kind, "message"))
		k->type = SOCK_SEQPACKET;
	else if (!strcmp(kind, "datagram"))
		k->type = SOCK_DGRAM;
	else
		return -EINVAL;
	return inet_pton_with_scope(current->nsproxy->net_ns, AF_UNSPEC, address, port, &k->addr);
}

static int in_kernel_do(struct in_kernel *k, const char *text)
{
	int err = in_kernel_parse(k, text);

	if (err)
		return err;
	k->buf = kmalloc(IN_KERNEL_CHUNK, GFP_KERNEL);
	k->back = kmalloc(IN_KERNEL_CHUNK, GFP_KERNEL);
	if (!k->buf || !k->back)
		err = -ENOMEM;
	else
		err = k->serves ? in_kernel_server(k) : in_kernel_client(k);
	kfree(k->buf);
	kfree(k->back);
	return err;
}

/* The parameters' lock is let go: a server and a client may be at it at once. */
static int in_kernel_run(const char *text, const struct kernel_param *kp)
{
	struct in_kernel *k = kzalloc(sizeof(*k), GFP_KERNEL);
	int err;

	if (!k)
		return -ENOMEM;
	kernel_param_unlock(THIS_MODULE);
	err = in_kernel_do(k, text);
	kernel_param_lock(THIS_MODULE);
	kfree(k);
	return err;
}

static const struct kernel_param_ops in_kernel_ops = { .set = in_kernel_run };

module_param_cb(run, &in_kernel_ops, NULL, 0200);
MODULE_PARM_DESC(run, "ROLE KIND ADDRESS PORT BYTES");

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Haul's sockets used from inside the kernel: an example");
