// SPDX-License-Identifier: GPL-2.0
/*
 * connect(): address, route, port, flow, then the first SYN. The kernel's inet_stream_connect()
 * calls this and does the waiting, EINPROGRESS, EALREADY, EISCONN and AF_UNSPEC.
 */
#include <net/sock.h>

#include "sock.h"
#include "../conn/conn.h"
#include "../ip/ip.h"

/**
 * haul_sock_connect - proto.connect
 * @sk:		the socket, in CLOSED
 * @addr:	the peer's address
 * @len:	its length, bytes
 *
 * Socket lock; may sleep. On success the socket is in SYN-SENT, whether or not the SYN could leave.
 * Return: 0, -EINVAL, -EAFNOSUPPORT, -ENETUNREACH, -EACCES, -ECONNREFUSED, -EADDRNOTAVAIL,
 * -EADDRINUSE, -ENOMEM
 */
int haul_sock_connect(struct sock *sk, haul_sockaddr *addr, int len)
{
	int err;

	haul_assert_locked(sk);
	err = haul_route_connect(sk, (struct sockaddr *)addr, len);
	if (err)
		return err;
	/* nobody has port 0: a SYN to it is dropped without an answer (protocol.rst 1.6) */
	err = inet_sk(sk)->inet_dport ? haul_port_connect(sk) : -ECONNREFUSED;
	if (!err)
		err = haul_route_connected(sk);
	if (!err)
		err = haul_handshake_start(sk);
	if (err) {
		/* out of the tables, and the port goes unless bind() chose it */
		haul_set_state(sk, HAUL_CLOSED);
		haul_route_disconnect(sk);
	}
	return err;
}
