/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Haul: reliable streams, reliable messages and datagrams over IPv4 and IPv6.
 *
 * What a program needs beside <sys/socket.h> and <netinet/in.h>: numbers for socket(), option
 * numbers for getsockopt() and setsockopt() at level SOL_HAUL, and the structs that they carry.
 * Self-contained.
 *
 *	fd = socket(AF_HAUL, SOCK_STREAM, HAULPROTO_INET);
 *	fd = socket(AF_HAUL, SOCK_STREAM, HAULPROTO_INET6);
 * or
 *	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_HAUL);
 *	fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_HAUL);
 *
 * Addresses are struct sockaddr_in and struct sockaddr_in6, with their own families.
 */
#ifndef _UAPI_LINUX_HAUL_H
#define _UAPI_LINUX_HAUL_H

#include <linux/types.h>

/* The module's defaults; its parameters "family" and "protocol" change what it registers. */
#define AF_HAUL			18
#define PF_HAUL			AF_HAUL
#define IPPROTO_HAUL		253	/* RFC 3692: for experiments */

/* The third argument of socket(AF_HAUL, type, protocol) */
#define HAULPROTO_INET		0	/* IPv4 */
#define HAULPROTO_INET6		1	/* IPv6, and IPv4 as mapped addresses unless IPV6_V6ONLY */

/*
 * Options at this level have the numbers, types, ranges and errors of the TCP option of the same
 * name, see tcp(7).
 */
#define SOL_HAUL		253
#define HAUL_NODELAY		1	/* int, 0 or 1: send small segments at once */
#define HAUL_MAXSEG		2	/* int, bytes, 88 to 32767; 0: the path's. MSS announced */
#define HAUL_CORK		3	/* int, 0 or 1: hold partial segments, 200 ms at most */
#define HAUL_KEEPIDLE		4	/* int, seconds, 1 to 32767, of silence before a probe */
#define HAUL_KEEPINTVL		5	/* int, seconds, 1 to 32767, between probes */
#define HAUL_KEEPCNT		6	/* int, 1 to 127 unanswered probes before giving up */
#define HAUL_SYNCNT		7	/* int, 1 to 127 retransmissions of a SYN or SYN-ACK */
#define HAUL_LINGER2		8	/* int, seconds, up to 120, in FIN-WAIT-2; -1: none */
#define HAUL_DEFER_ACCEPT	9	/* int, seconds accept() waits for data: 1, 3, 7, 15... */
#define HAUL_WINDOW_CLAMP	10	/* int, bytes: never advertise more; 0: no limit */
#define HAUL_INFO		11	/* struct haul_info, read only; cut to the length given */
#define HAUL_QUICKACK		12	/* int, 0 or 1: acknowledge at once */
#define HAUL_CONGESTION		13	/* char[HAUL_CC_NAME_MAX]: congestion controller */
#define HAUL_USER_TIMEOUT	18	/* unsigned int, ms without ACK; 0: retries2 decides */
#define HAUL_FASTOPEN		23	/* int, fast opens (RFC 7413) that may be pending */
#define HAUL_NOTSENT_LOWAT	25	/* unsigned int, bytes not sent that end POLLOUT */
#define HAUL_SAVE_SYN		27	/* int: a listener keeps the headers of SYNs, 1: from
					 * IP's on, 2: the link's, too; 0: it does not
					 */
#define HAUL_SAVED_SYN		28	/* bytes, read only: those of an accepted connection's
					 * SYN, once; EINVAL and their length: too little room
					 */
#define HAUL_FASTOPEN_CONNECT	30	/* int, 0 or 1: the SYN waits for the first write, and
					 * carries it if there is a cookie
					 */
#define HAUL_FASTOPEN_KEY	33	/* 16 bytes, or 32 with an older key: a listener's own */
#define HAUL_FASTOPEN_NO_COOKIE	34	/* int, 0 or 1: payload in a SYN without cookie */
#define HAUL_INQ		36	/* int, 0 or 1: recvmsg() gives SOL_HAUL, HAUL_INQ, int:
					 * bytes left to read; 1 at the stream's end
					 */

#define HAUL_RTO_MAX_MS		44	/* int, ms, 1000 to 120000: most a timeout grows to */
#define HAUL_RTO_MIN_US		45	/* int, us, two ticks of the kernel to 200000: what is
					 * added to the round trip at least
					 */
#define HAUL_DELACK_MAX_US	46	/* int, us, the same: most an ACK is delayed */

#define HAUL_ZEROCOPY		256	/* int, 0 or 1: as SO_ZEROCOPY, for MSG_ZEROCOPY */

#define HAUL_CC_NAME_MAX	16	/* bytes, with the terminating zero */

/* haul_info.state: RFC 9293's states, with the numbers that TCP's tools use */
enum {
	HAUL_ESTABLISHED	= 1,
	HAUL_SYN_SENT		= 2,
	HAUL_SYN_RECEIVED	= 3,
	HAUL_FIN_WAIT_1		= 4,
	HAUL_FIN_WAIT_2		= 5,
	HAUL_TIME_WAIT		= 6,
	HAUL_CLOSED		= 7,
	HAUL_CLOSE_WAIT		= 8,
	HAUL_LAST_ACK		= 9,
	HAUL_LISTEN		= 10,
	HAUL_CLOSING		= 11,
	HAUL_NUM_STATES		= 12
};

/* haul_info.recovery: what the sender is doing about loss */
enum {
	HAUL_RECOVERY_OPEN	= 0,	/* nothing amiss */
	HAUL_RECOVERY_DISORDER	= 1,	/* holes reported, nothing lost yet */
	HAUL_RECOVERY_CWR	= 2,	/* window reduced for a congestion mark */
	HAUL_RECOVERY_FAST	= 3,	/* repairing losses found by RACK (RFC 8985, 9937) */
	HAUL_RECOVERY_LOSS	= 4	/* repairing after a timeout (RFC 5681 3.1) */
};

/* haul_info.options */
#define HAUL_INFO_ECN		0x01	/* both sides agreed on ECN */
#define HAUL_INFO_COOKIE	0x02	/* the connection came through a SYN cookie */
#define HAUL_INFO_APP_LIMITED	0x04	/* the latest delivery rate was the application's */
#define HAUL_INFO_BLACK_HOLE	0x08	/* pmtu is a guess: larger packets vanish without ICMP */
#define HAUL_INFO_SYN_DATA	0x10	/* fast open: the SYN's payload was taken */

/* haul_info.fastopen_fail: why a client's fast open was none, as tcpi_fastopen_client_fail */
enum {
	HAUL_FASTOPEN_UNSPEC		= 0,	/* it was one, or was not tried */
	HAUL_FASTOPEN_NO_COOKIE_YET	= 1,	/* there was no cookie */
	HAUL_FASTOPEN_NOT_ACKED		= 2,	/* the payload was not acknowledged */
	HAUL_FASTOPEN_SYN_RESENT	= 3	/* nor was it, after the SYN had timed out */
};

/**
 * struct haul_info - one connection, for whoever wants to know why it is slow
 *
 * New fields are appended. A shorter buffer gets what fits, a longer one is filled as far as the
 * kernel knows and the length returned tells how far.
 */
struct haul_info {
	__u8	state;			/* HAUL_ESTABLISHED ... */
	__u8	recovery;		/* HAUL_RECOVERY_* */
	__u8	kind;			/* 1 stream, 2 message, 3 datagram */
	__u8	options;		/* HAUL_INFO_* */
	__u8	retransmits;		/* successive timeouts of the segment at SND.UNA */
	__u8	probes;			/* unanswered zero-window or keepalive probes */
	__u8	backoff;		/* exponent of the retransmission timeout's back-off */
	__u8	fastopen_fail;		/* HAUL_FASTOPEN_UNSPEC ... */
	char	congestion[HAUL_CC_NAME_MAX];	/* the controller's name */

	__u32	rto;			/* us, retransmission timeout with back-off */
	__u32	srtt;			/* us, smoothed round trip (RFC 6298) */
	__u32	rttvar;			/* us, its variation */
	__u32	min_rtt;		/* us, least of the last 5 minutes */
	__u32	latest_rtt;		/* us, latest sample */
	__u32	handshake_rtt;		/* us, from the SYN (or SYN-ACK) to its answer */
	__u32	ato;			/* us, delay of a delayed ACK now */
	__u32	reordering;		/* us, RACK's reordering window */

	__u32	snd_mss;		/* bytes, payload of a full segment sent */
	__u32	rcv_mss;		/* bytes, estimate of the peer's */
	__u32	adv_mss;		/* bytes, MSS announced */
	__u32	pmtu;			/* bytes, path MTU */

	__u32	snd_cwnd;		/* bytes, congestion window */
	__u32	snd_ssthresh;		/* bytes, slow start threshold; 0x7fffffff: not set yet */
	__u32	snd_wnd;		/* bytes, window the peer offers */
	__u32	rcv_wnd;		/* bytes, window offered to the peer */
	__u32	in_flight;		/* bytes on the way, estimated (RFC 6675's pipe) */
	__u32	unacked;		/* bytes sent and not acknowledged */
	__u32	sacked;			/* bytes of those that the peer holds out of order */
	__u32	lost;			/* bytes of those taken for lost, sent again or not */
	__u32	retrans_out;		/* bytes of those sent again and not yet acknowledged */
	__u32	notsent;		/* bytes in the send buffer not sent yet */
	__u32	rcv_queue;		/* bytes in order, not yet read */
	__u32	ooo_queue;		/* bytes out of order, waiting for a hole to fill */
	__u32	rcv_space;		/* bytes read in the last round trip (autotuning) */
	__u32	rcv_ssthresh;		/* bytes, cap of the window offered, growing with use */

	__u32	last_data_sent;		/* ms since; ~0: never */
	__u32	last_data_recv;		/* ms since; ~0: never */
	__u32	last_ack_recv;		/* ms since; ~0: never */

	__u32	reord_seen;		/* times that the path was seen reordering */
	__u32	timeouts;		/* retransmission timeouts that fired */
	__u32	recoveries;		/* times that fast recovery was entered */
	__u32	undos;			/* reductions taken back as spurious */
	__u32	dsacks;			/* duplicate reports received (RFC 2883) */
	__u32	tlps;			/* tail loss probes sent (RFC 8985) */
	__u32	ce_received;		/* CE-marked packets received */
	__u32	ce_delivered;		/* CE marks that the peer reported */
	__u32	zero_windows;		/* times that the peer closed its window */
	__u32	rcv_zero_windows;	/* times that this side closed its window */

	__u64	pacing_rate;		/* bytes per second; ~0: not paced */
	__u64	max_pacing_rate;	/* bytes per second; ~0: no limit */
	__u64	delivery_rate;		/* bytes per second, latest sample */
	__u64	bytes_acked;		/* payload acknowledged by the peer */
	__u64	bytes_received;		/* payload received in order */
	__u64	bytes_sent;		/* payload sent, with retransmissions */
	__u64	bytes_retrans;		/* payload retransmitted */
	/* segments are counted modulo 2^32, as for struct tcp_info */
	__u64	segs_out;		/* segments sent, as on the wire */
	__u64	segs_in;		/* segments received, as on the wire */
	__u64	data_segs_out;		/* of those, with payload */
	__u64	data_segs_in;		/* of those, with payload */
	__u64	retrans_segs;		/* segments retransmitted */
	__u64	busy_time;		/* us that data was outstanding or waiting */
	__u64	rwnd_limited;		/* us of those that the peer's window held sending back */
	__u64	sndbuf_limited;		/* us of those that the send buffer was full */
	__u64	cwnd_limited;		/* us of those that cwnd held sending back */
};

#endif /* _UAPI_LINUX_HAUL_H */
