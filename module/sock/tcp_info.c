// SPDX-License-Identifier: GPL-2.0
/*
 * struct tcp_info: what HAUL_INFO tells, in TCP's terms, for programs that ask at IPPROTO_TCP.
 * Where TCP counts packets and Haul bytes, a packet is a full segment, and a started one counts.
 */
#include <linux/string.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "sock.h"
#include "../conn/conn.h"

static u32 haul_tcp_packets(u64 bytes, u32 mss)
{
	return mss ? min_t(u64, div_u64(bytes + mss - 1, mss), U32_MAX) : 0;
}

/* ms since; a connection that has had none counts from its beginning, as on TCP */
static u32 haul_tcp_since(u32 since, const struct haul_sock *hs)
{
	if (since != U32_MAX)
		return since;
	return hs->syn_us ? div_u64(haul_now_us() - hs->syn_us, USEC_PER_MSEC) : 0;
}

static void haul_tcp_info_listener(const struct sock *sk, struct tcp_info *ti)
{
	ti->tcpi_unacked = READ_ONCE(sk->sk_ack_backlog);
	ti->tcpi_sacked = READ_ONCE(sk->sk_max_ack_backlog);
}

static void haul_tcp_info_state(const struct haul_info *info, struct tcp_info *ti)
{
	ti->tcpi_ca_state = info->recovery;
	ti->tcpi_retransmits = info->retransmits;
	ti->tcpi_probes = info->probes;
	ti->tcpi_backoff = info->backoff;
	/* the options that TCP negotiates are always on here */
	ti->tcpi_options = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK;
	if (info->options & HAUL_INFO_ECN)
		ti->tcpi_options |= TCPI_OPT_ECN;
	if (info->ce_received || info->ce_delivered)
		ti->tcpi_options |= TCPI_OPT_ECN_SEEN;
	if (info->options & HAUL_INFO_SYN_DATA)
		ti->tcpi_options |= TCPI_OPT_SYN_DATA;
	ti->tcpi_fastopen_client_fail = info->fastopen_fail;
	ti->tcpi_delivery_rate_app_limited = !!(info->options & HAUL_INFO_APP_LIMITED);
}

static void haul_tcp_info_packets(const struct haul_info *info, struct tcp_info *ti)
{
	u32 mss = info->snd_mss;

	ti->tcpi_unacked = haul_tcp_packets(info->unacked, mss);
	ti->tcpi_sacked = haul_tcp_packets(info->sacked, mss);
	ti->tcpi_lost = haul_tcp_packets(info->lost, mss);
	ti->tcpi_retrans = haul_tcp_packets(info->retrans_out, mss);
	ti->tcpi_snd_cwnd = info->snd_cwnd / max(mss, 1U);
	/* not set yet is the same number in both */
	ti->tcpi_snd_ssthresh = info->snd_ssthresh >= TCP_INFINITE_SSTHRESH ?
				TCP_INFINITE_SSTHRESH : info->snd_ssthresh / max(mss, 1U);
	ti->tcpi_delivered = haul_tcp_packets(info->bytes_acked + info->sacked, mss);
	ti->tcpi_delivered_ce = info->ce_delivered;
}

static void haul_tcp_info_times(const struct haul_info *info, const struct haul_sock *hs,
				struct tcp_info *ti)
{
	ti->tcpi_rto = info->rto;
	ti->tcpi_ato = info->ato;
	ti->tcpi_rtt = info->srtt;
	ti->tcpi_rttvar = info->rttvar;
	ti->tcpi_min_rtt = info->min_rtt;
	ti->tcpi_rcv_rtt = hs->rcv.rtt_us;
	ti->tcpi_last_data_sent = haul_tcp_since(info->last_data_sent, hs);
	ti->tcpi_last_data_recv = haul_tcp_since(info->last_data_recv, hs);
	ti->tcpi_last_ack_recv = haul_tcp_since(info->last_ack_recv, hs);
	ti->tcpi_busy_time = info->busy_time;
	ti->tcpi_rwnd_limited = info->rwnd_limited;
	ti->tcpi_sndbuf_limited = info->sndbuf_limited;
}

static void haul_tcp_info_sizes(const struct haul_info *info, struct tcp_info *ti)
{
	ti->tcpi_snd_mss = info->snd_mss;
	ti->tcpi_rcv_mss = info->rcv_mss;
	ti->tcpi_advmss = info->adv_mss;
	ti->tcpi_pmtu = info->pmtu;
	ti->tcpi_rcv_ssthresh = info->rcv_ssthresh;
	ti->tcpi_rcv_space = info->rcv_space;
	ti->tcpi_notsent_bytes = info->notsent;
	ti->tcpi_snd_wnd = info->snd_wnd;
	haul_tcp_info_set_rcv_wnd(ti, info->rcv_wnd);
}

static void haul_tcp_info_counts(const struct haul_info *info, struct tcp_info *ti)
{
	ti->tcpi_total_retrans = info->retrans_segs;
	ti->tcpi_bytes_acked = info->bytes_acked;
	ti->tcpi_bytes_received = info->bytes_received;
	ti->tcpi_bytes_sent = info->bytes_sent;
	ti->tcpi_bytes_retrans = info->bytes_retrans;
	ti->tcpi_segs_out = info->segs_out;
	ti->tcpi_segs_in = info->segs_in;
	ti->tcpi_data_segs_out = info->data_segs_out;
	ti->tcpi_data_segs_in = info->data_segs_in;
	ti->tcpi_delivery_rate = info->delivery_rate;
	ti->tcpi_dsack_dups = info->dsacks;
	ti->tcpi_reord_seen = info->reord_seen;
	haul_tcp_info_set_total_rto(ti, info->timeouts);
}

/**
 * haul_sock_tcp_info - tells a socket's state as TCP_INFO does
 * @sk:		the socket, in any state
 * @ti:		filled; zeroed where there is nothing to tell: Haul has no window scale, no
 *		reordering degree (RACK has a time), no count of out-of-order packets
 *
 * Socket lock. A listener tells its queue, as TCP's does.
 */
void haul_sock_tcp_info(struct sock *sk, struct tcp_info *ti)
{
	struct haul_info info;

	haul_sock_info(sk, &info);
	memset(ti, 0, sizeof(*ti));
	ti->tcpi_state = info.state;
	ti->tcpi_pacing_rate = info.pacing_rate;
	ti->tcpi_max_pacing_rate = info.max_pacing_rate;
	if (sk->sk_state == HAUL_LISTEN) {
		haul_tcp_info_listener(sk, ti);
		return;
	}
	haul_tcp_info_state(&info, ti);
	haul_tcp_info_packets(&info, ti);
	haul_tcp_info_times(&info, haul_sk(sk), ti);
	haul_tcp_info_sizes(&info, ti);
	haul_tcp_info_counts(&info, ti);
}
