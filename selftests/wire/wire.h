/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packet-level harness. A test runs in a network namespace of its own, opens Haul sockets
 * there (the "host"), and plays the remote end (the "peer") by hand through a TUN device:
 *
 *	struct wire w;
 *	struct peer p;
 *
 *	wire_open(&w, variant->family);
 *	peer_open(&p, &w);
 *	fd = host_connect(&p);
 *	expect(&p, "SYN seq=0 init");
 *	inject(&p, "SYN ACK seq=0 ack=1 init");
 *	expect(&p, "ACK seq=1 ack=1 len=0 init");
 *	expect_silence(&p);
 *
 * The notation is text.h's. What inject() is not told comes from the connection: next sequence
 * number, cumulative acknowledgment, tags, timestamps. What expect() is not told is not
 * compared, but every packet that comes must be well-formed, carry a right checksum and the
 * peer's tag, keep INIT as it was, and never turn its clock back. On a mismatch both packets and
 * what went before are printed and the test case ends.
 *
 * expect_silence() takes no time: packets are answered in the order in which they come, so it
 * sends one for a port that nobody has, and the refusal must be the next that comes.
 * expect_silence_for() really waits.
 */
#ifndef HAUL_WIRE_H
#define HAUL_WIRE_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "packet.h"
#include "text.h"

#include <linux/haul.h>

#define WIRE_MTU	1500
#define WIRE_HISTORY	40
#define WIRE_PATIENCE_MS                                                                           \
	3000 /* how long expect() waits; HAUL_WIRE_PATIENCE_MS in the environment changes it */

struct wire_event {
	uint64_t us;
	bool sent;
	struct packet p;
};

struct wire {
	int tun;
	int family;
	int mtu;
	uint8_t buffer[65536];		/* the last packet received, with its IP header */
	const uint8_t *icmp;		/* the last ICMP message received, in buffer */
	size_t icmp_len;
	struct wire_event history[WIRE_HISTORY];
	unsigned int events;
	uint16_t fences;
	bool to_all;			/* send to all hosts, not to this one */
};

struct peer {
	struct wire *w;
	uint8_t kind;
	uint16_t port;
	uint16_t host_port;

	uint32_t iss;
	uint32_t irs;			/* known once @learned */
	uint32_t tag;
	uint32_t host_tag;
	bool learned;

	uint32_t snd_nxt;
	uint32_t rcv_nxt;
	uint32_t window;		/* announced when a text does not say */
	uint16_t mss;
	bool ecn;			/* ask for ECN, agree to it; packets may be ECT(0) */

	uint32_t ts_offset;
	uint32_t last_tsval;		/* sent */
	uint64_t host_tsval_us;		/* when it came */
	uint32_t host_tsval;		/* latest received, echoed */
	bool host_tsval_seen;
	uint32_t rtt_us;		/* echoes are made this much older: a long path */
	bool far;			/* the third step comes that late: the host believes them */

	uint32_t right_edge;		/* of the host's window; it never moves back */
	bool edge_seen;
	uint32_t tx_tag;		/* of the last injected: a reflected RST repeats it */
	unsigned int quote;		/* bytes that an ICMP error quotes; 0: all */

	struct packet rx;		/* the last packet expected */
	uint64_t rx_us;			/* CLOCK_MONOTONIC when it was read */
	uint64_t tx_us;			/* when the last one was injected */
	uint32_t written;		/* bytes of pattern() that host_write() wrote */
	uint32_t read;			/* and that host_read() read */
};

/* ---- tun.c: the namespace and its cable ---- */
void wire_open(struct wire *w, int family);
void wire_set_mtu(struct wire *w, int mtu);
uint64_t wire_now_us(void);
void wire_send(struct wire *w, const struct packet *p);
/* bytes after an IP header of protocol @protocol, from the peer to the host */
void wire_send_ip(struct wire *w, int protocol, const uint8_t *bytes, size_t len, uint8_t ecn);

enum wire_kind { WIRE_NOTHING, WIRE_HAUL, WIRE_ICMP };
/* the next packet from the host, until @deadline (us) */
enum wire_kind wire_receive(struct wire *w, struct packet *p, uint64_t deadline);
void wire_address(const struct wire *w, bool host, uint16_t port, struct sockaddr_storage *addr);
socklen_t wire_address_len(const struct wire *w);
/* net.NAME, e.g. "haul.msl_ms" */
void wire_sysctl(struct wire *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* a counter of /proc/net/haul/snmp */
long wire_counter(struct wire *w, const char *name);

/* ---- fence.c ---- */
/* true: the next packet is the refusal of one that was sent now; else it is in @rx */
bool wire_fence(struct wire *w, struct packet *rx, unsigned int ms);
/*
 * the next packet that was sent before the fence; false: none any more. *@fence is 0 before the
 * first call
 */
bool wire_before_fence(struct wire *w, struct packet *rx, uint32_t *fence);
/* until the host answers */
void wire_wait_ready(struct wire *w);

/* ---- fail.c: the end of a test case ---- */
extern const char *wire_file;
extern int wire_line;
extern const char *wire_note;	/* printed on failure: which row of a table it is */
#define wire_here()	((void)(wire_file = __FILE__, wire_line = __LINE__))
_Noreturn void wire_fail(struct wire *w, const struct frame *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- peer.c: one end of a connection, played by hand ---- */
void peer_open(struct peer *p, struct wire *w);
/* another connection, from the next port */
void peer_next(struct peer *p);
struct frame peer_frame(const struct peer *p, bool sent);
void peer_inject(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void peer_expect(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void peer_expect_silence(struct peer *p, unsigned int ms);
/* any packet, unchecked but for its form; false: none within @ms */
bool peer_receive(struct peer *p, unsigned int ms);
/*
 * ICMP error about a packet that the host would have sent with these numbers (text in the host's
 * direction)
 */
void peer_inject_icmp(struct peer *p, int type, int code, uint32_t info, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void peer_expect_icmp(struct peer *p, int type, int code);
/*
 * data segments in order up to relative sequence number @up_to, contents checked; nothing is
 * acknowledged
 */
void peer_expect_data(struct peer *p, uint32_t up_to);

#define inject(p, ...)			(wire_here(), peer_inject(p, __VA_ARGS__))
#define expect(p, ...)			(wire_here(), peer_expect(p, __VA_ARGS__))
#define expect_silence(p)		(wire_here(), peer_expect_silence(p, 0))
#define expect_silence_for(p, ms)	(wire_here(), peer_expect_silence(p, ms))
#define expect_data(p, up_to)		(wire_here(), peer_expect_data(p, up_to))
#define inject_icmp(p, ...)		(wire_here(), peer_inject_icmp(p, __VA_ARGS__))
#define expect_icmp(p, type, code)	(wire_here(), peer_expect_icmp(p, type, code))
#define expect_alive(p, fd, ack)	(wire_here(), peer_expect_alive(p, fd, ack))

/* ---- host.c: the sockets under test ---- */
int host_socket(struct wire *w);
int host_listen(struct wire *w, uint16_t port, int backlog);
int host_listen_kind(struct wire *w, uint16_t port, int backlog, int type);
/* starts to connect to the peer; does not wait */
int host_connect(struct peer *p);
int host_accept(struct peer *p, int listener);
/* next bytes of pattern(); all of them must fit the send buffer */
void host_write(struct peer *p, int fd, size_t len);
/* reads exactly @len bytes, which must be the next of pattern() */
void host_read(struct peer *p, int fd, size_t len);
void host_expect_eof(struct peer *p, int fd);
/* read() must fail so */
void host_expect_error(struct peer *p, int fd, int err);
void host_expect_state(struct peer *p, int fd, int state);
struct haul_info host_info(struct peer *p, int fd);
/* waits until poll() shows @events */
void host_wait(struct peer *p, int fd, short events);
void host_close(int fd);
/* SO_LINGER 0 and close: an abort */
void host_abort(int fd);
void host_option(struct peer *p, int fd, int level, int name, int value);

/* ---- conversation.c: the usual openings and endings ---- */
/* the peer connects to @listener's port; returns the accepted socket */
int peer_connect(struct peer *p, int listener);
/* the host connects to the peer; returns its socket */
int peer_accept(struct peer *p);
/* listens on p->host_port, connects, closes the listener */
int peer_establish(struct peer *p);
/*
 * the connection still works, in both directions; @ack: what the host's pure ACKs look like, as
 * peer_expect() has it
 */
void peer_expect_alive(struct peer *p, int fd, const char *ack);
/*
 * a new connection whose host end is in @state; returns the socket, -1 where there is none.
 * @listener: for LISTEN and on
 */
int peer_reach(struct peer *p, int listener, int state);
/* a connection whose host does not read, with the window that it announced full */
int peer_fill_window(struct peer *p);
const char *state_name(int state);

#endif /* HAUL_WIRE_H */
