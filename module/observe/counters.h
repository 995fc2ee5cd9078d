/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every counter, with its name in /proc/net/haul/snmp and what it means: the documentation is made
 * from this list. Those that begin with Drop count packets thrown away, each under the one reason
 * that it was thrown away for.
 */
#ifndef HAUL_OBSERVE_COUNTERS_H
#define HAUL_OBSERVE_COUNTERS_H

#include <linux/types.h>

struct haul_flow;
struct net;
struct sk_buff;
struct sock;

/* X(enumerator, name, explanation) */
#define HAUL_COUNTERS(X) \
	X(IN_SEGS, "InSegs", \
	  "packets received, as on the wire, before any check") \
	X(OUT_SEGS, "OutSegs", \
	  "packets sent, as on the wire, retransmissions included") \
	X(RETRANS_SEGS, "RetransSegs", \
	  "segments sent again") \
	X(ACTIVE_OPENS, "ActiveOpens", \
	  "connections opened from here (CLOSED to SYN-SENT)") \
	X(PASSIVE_OPENS, "PassiveOpens", \
	  "connections opened by a peer (third step taken)") \
	X(ATTEMPT_FAILS, "AttemptFails", \
	  "connection attempts that ended before ESTABLISHED") \
	X(ESTAB_RESETS, "EstabResets", \
	  "connections that ended by a reset from ESTABLISHED or CLOSE-WAIT") \
	X(OUT_RSTS, "OutRsts", \
	  "resets sent") \
	X(IN_RSTS, "InRsts", \
	  "resets received and believed") \
	X(SYN_RETRANS, "SynRetrans", \
	  "SYNs sent again") \
	X(SYNACK_RETRANS, "SynAckRetrans", \
	  "SYN-ACKs sent again") \
	X(EARLY_SYNS, "EarlySyns", \
	  "of the two above, ahead of the timeout: the round trip is remembered") \
	X(SYNACK_GIVEUPS, "SynAckGiveUps", \
	  "half-open connections removed after the last SYN-ACK went unanswered") \
	X(COOKIES_SENT, "CookiesSent", \
	  "SYN-ACKs sent as cookies") \
	X(COOKIES_RECV, "CookiesRecv", \
	  "cookies that came back right") \
	X(COOKIES_FAILED, "CookiesFailed", \
	  "cookies that came back wrong or too late") \
	X(FASTOPEN_ACTIVE, "FastOpenActive", \
	  "fast opens from here: payload of our SYN was acknowledged (RFC 7413)") \
	X(FASTOPEN_ACTIVE_FAIL, "FastOpenActiveFail", \
	  "payload of our SYNs that was not, and had to be sent again") \
	X(FASTOPEN_PASSIVE, "FastOpenPassive", \
	  "fast opens by a peer: connections made of a SYN") \
	X(FASTOPEN_PASSIVE_FAIL, "FastOpenPassiveFail", \
	  "SYNs with a wrong fast open cookie, or of which no connection could be made") \
	X(FASTOPEN_PASSIVE_ALT_KEY, "FastOpenPassiveAltKey", \
	  "fast opens by a peer whose cookie was of the older key") \
	X(FASTOPEN_LISTEN_OVERFLOW, "FastOpenListenOverflow", \
	  "fast opens not taken as such: too many pending (HAUL_FASTOPEN)") \
	X(FASTOPEN_COOKIE_REQD, "FastOpenCookieReqd", \
	  "SYNs that ask for a fast open cookie") \
	X(FASTOPEN_BLACKHOLE, "FastOpenBlackhole", \
	  "times that fast open to a server was paused: SYNs with it seem to vanish") \
	X(SIMULTANEOUS_OPENS, "SimultaneousOpens", \
	  "SYNs that crossed ours") \
	X(TIME_WAITS, "TimeWaits", \
	  "connections that went to TIME-WAIT") \
	X(TIME_WAIT_OVERFLOW, "TimeWaitOverflow", \
	  "TIME-WAIT skipped: no memory or net.haul.max_remnants reached") \
	X(TIME_WAIT_REUSED, "TimeWaitReused", \
	  "TIME-WAIT cut short for a new connection (RFC 6191)") \
	X(TIME_WAIT_ACKS, "TimeWaitAcks", \
	  "FINs answered again in TIME-WAIT") \
	X(CHALLENGE_ACKS, "ChallengeAcks", \
	  "challenge ACKs sent (RFC 5961)") \
	X(CHALLENGE_LIMITED, "ChallengeLimited", \
	  "challenge ACKs not sent: rate limit") \
	X(TIMEOUTS, "Timeouts", \
	  "retransmission timeouts (RFC 6298)") \
	X(RECOVERIES, "Recoveries", \
	  "fast recoveries entered (RACK)") \
	X(UNDOS, "Undos", \
	  "window reductions taken back as spurious") \
	X(LOSS_PROBES, "LossProbes", \
	  "tail loss probes sent (RFC 8985)") \
	X(PERSIST_PROBES, "PersistProbes", \
	  "zero-window probes sent") \
	X(KEEPALIVE_PROBES, "KeepaliveProbes", \
	  "keepalive probes sent") \
	X(DSACKS_SENT, "DsacksSent", \
	  "duplicate reports sent (RFC 2883)") \
	X(DSACKS_RECV, "DsacksRecv", \
	  "duplicate reports received") \
	X(DELAYED_ACKS, "DelayedAcks", \
	  "ACKs sent by the delayed-ACK timer") \
	X(PURE_ACKS, "PureAcks", \
	  "ACKs received without payload") \
	X(OOO_QUEUED, "OooQueued", \
	  "packets queued out of order") \
	X(RCV_PRUNED, "RcvPruned", \
	  "times that the out-of-order queue was cut for memory") \
	X(SND_BLOCKS_REUSED, "SndBlocksReused", \
	  "blocks of pages for programs' bytes that were used before, and not got anew") \
	X(RCV_COALESCED, "RcvCoalesced", \
	  "received packets merged into the one before") \
	X(RCV_PACKED, "RcvPacked", \
	  "small packets of messages copied together to save memory") \
	X(ABORT_ON_DATA, "AbortOnData", \
	  "connections reset: closed with unread data, or data after close") \
	X(ABORT_ON_LINGER, "AbortOnLinger", \
	  "connections reset by SO_LINGER 0") \
	X(ABORT_ON_TIMEOUT, "AbortOnTimeout", \
	  "connections given up: the peer does not answer") \
	X(ABORT_ON_MEMORY, "AbortOnMemory", \
	  "orphans ended: too many or no memory") \
	X(ACCEPT_OVERFLOW, "AcceptOverflow", \
	  "third steps dropped: accept queue full") \
	X(REQUEST_OVERFLOW, "RequestOverflow", \
	  "SYNs dropped: SYN queue full and cookies off, or no memory") \
	X(ICMP_SOFT, "IcmpSoft", \
	  "believed ICMP errors kept as soft errors") \
	X(ICMP_HARD, "IcmpHard", \
	  "believed ICMP errors that ended a connection attempt") \
	X(ICMP_IGNORED, "IcmpIgnored", \
	  "ICMP errors that match nothing in flight") \
	X(PMTU_REDUCED, "PmtuReduced", \
	  "believed packet-too-big messages") \
	X(BLACK_HOLES, "BlackHoles", \
	  "smaller segments tried: full ones timed out, and no ICMP said why (RFC 8899)") \
	X(BACKLOGGED, "Backlogged", \
	  "packets that waited for a program to release the socket") \
	X(TX_NO_MEMORY, "TxNoMemory", \
	  "packets not sent: no memory, or the device took none (the timer sends them)") \
	X(DGRAM_IN, "DgramIn", \
	  "datagrams given to a socket, a multicast to each") \
	X(DGRAM_OUT, "DgramOut", \
	  "datagrams sent") \
	X(DGRAM_ERRORS, "DgramErrors", \
	  "ICMP errors and redirects about a datagram socket") \
	X(DGRAM_SEND_FULL, "DgramSendFull", \
	  "datagrams not sent: the device's queue was full") \
	X(DGRAM_COPY_FAILED, "DgramCopyFailed", \
	  "sockets that missed a multicast: no memory for their copy") \
	X(DROP_SHORT, "DropShort", \
	  "shorter than a header or than its own header length") \
	X(DROP_CHECKSUM, "DropChecksum", \
	  "wrong checksum") \
	X(DROP_VERSION, "DropVersion", \
	  "another protocol version") \
	X(DROP_KIND, "DropKind", \
	  "unknown kind") \
	X(DROP_HEADER, "DropHeader", \
	  "impossible header length") \
	X(DROP_FLAGS, "DropFlags", \
	  "flags that exclude each other") \
	X(DROP_OPTION, "DropOption", \
	  "malformed option") \
	X(DROP_PORT, "DropPort", \
	  "port 0") \
	X(DROP_ADDRESS, "DropAddress", \
	  "broadcast or multicast address on a connection's packet, or not for this host") \
	X(DROP_POLICY, "DropPolicy", \
	  "refused by IPsec policy") \
	X(DROP_FILTER, "DropFilter", \
	  "refused by a socket filter, cgroup or LSM") \
	X(DROP_NO_FLOW, "DropNoFlow", \
	  "matches no connection and no listener") \
	X(DROP_NO_PORT, "DropNoPort", \
	  "datagram to a port that nobody has") \
	X(DROP_NO_MEMBER, "DropNoMember", \
	  "multicast or broadcast datagram that no socket takes") \
	X(DROP_RCVBUF, "DropRcvbuf", \
	  "datagram to a socket whose receive buffer is full") \
	X(DROP_BACKLOG, "DropBacklog", \
	  "socket's backlog full") \
	X(DROP_TAG, "DropTag", \
	  "wrong connection tag") \
	X(DROP_PAWS, "DropPaws", \
	  "timestamp older than TS.Recent (RFC 7323)") \
	X(DROP_SEQUENCE, "DropSequence", \
	  "outside the receive window") \
	X(DROP_ACK, "DropAck", \
	  "acknowledges what was never sent, or is far too old (RFC 5961)") \
	X(DROP_NO_ACK, "DropNoAck", \
	  "no ACK flag where one must be") \
	X(DROP_SYN, "DropSyn", \
	  "SYN where none may be") \
	X(DROP_NO_INIT, "DropNoInit", \
	  "SYN or cookie's ACK without INIT") \
	X(DROP_RST, "DropRst", \
	  "reset not believed (RFC 5961)") \
	X(DROP_STATE, "DropState", \
	  "nothing to do with it in this state") \
	X(DROP_DUPLICATE, "DropDuplicate", \
	  "payload that is there already") \
	X(DROP_WINDOW, "DropWindow", \
	  "payload beyond the window offered") \
	X(DROP_MEMORY, "DropMemory", \
	  "payload for which there is no memory") \
	X(DROP_MESSAGE_CUT, "DropMessageCut", \
	  "payload of a message that FIN cut short") \
	X(DROP_CLOSED, "DropClosed", \
	  "payload after the program shut reading down") \
	X(DROP_DEFERRED, "DropDeferred", \
	  "third step without data for a listener that waits for data (HAUL_DEFER_ACCEPT)") \
	X(DROP_ACCEPT_FULL, "DropAcceptFull", \
	  "third step or SYN with the accept queue full") \
	X(DROP_REQUEST_FULL, "DropRequestFull", \
	  "SYN with the SYN queue full") \
	X(DROP_CHILD, "DropChild", \
	  "third step for which no child could be made")

enum haul_counter {
#define X(name, text, why)	HAUL_CNT_##name,
	HAUL_COUNTERS(X)
#undef X
	HAUL_NUM_COUNTERS
};

struct haul_mib {
	unsigned long	mibs[HAUL_NUM_COUNTERS];
};

/* any context */
void haul_count(const struct net *net, enum haul_counter counter);
void haul_count_add(const struct net *net, enum haul_counter counter, unsigned long n);
/* counts and frees a packet; any context */
void haul_drop(const struct net *net, struct sk_buff *skb, enum haul_counter why);

/* a socket's last moment: who follows closing sockets is told. Socket lock; any context */
void haul_report_destroyed(struct sock *sk, const struct haul_flow *flow);

/* main.c's calls */
int haul_observe_net_init(struct net *net);
void haul_observe_net_exit(struct net *net);
int haul_sysctl_init(void);

#endif /* HAUL_OBSERVE_COUNTERS_H */
