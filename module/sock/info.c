// SPDX-License-Identifier: GPL-2.0
/*
 * struct haul_info: one connection, as HAUL_INFO tells it.
 */
#include <linux/string.h>
#include <net/sock.h>

#include "sock.h"
#include "../conn/conn.h"
#include "../ip/ip.h"

/* ms since @then (us); ~0: never, or too long ago to be said */
static u32 haul_info_since(u64 then, u64 now)
{
	return then ? min_t(u64, div_u64(now - then, USEC_PER_MSEC), U32_MAX) : U32_MAX;
}

static void haul_info_options(const struct haul_sock *hs, struct haul_info *info)
{
	if (hs->ecn_ok)
		info->options |= HAUL_INFO_ECN;
	if (hs->from_cookie || hs->stateless)
		info->options |= HAUL_INFO_COOKIE;
	if (hs->snd.rate_app_limited)
		info->options |= HAUL_INFO_APP_LIMITED;
	if (hs->mtu_cap)
		info->options |= HAUL_INFO_BLACK_HOLE;
	if (hs->syn_data)
		info->options |= HAUL_INFO_SYN_DATA;
	info->fastopen_fail = hs->fastopen_fail;
}

static void haul_info_rtt(const struct haul_sock *hs, struct haul_info *info)
{
	const struct haul_sender *snd = &hs->snd;
	u32 min_rtt = snd->rtt.min;

	info->backoff = snd->rtt.backoff;
	info->rto = haul_rtt_rto(&snd->rtt);
	info->srtt = haul_rtt_srtt(&snd->rtt);
	info->rttvar = snd->rtt.rttvar4 >> 2;
	info->min_rtt = min_rtt == HAUL_RTT_NONE ? 0 : min_rtt;
	info->latest_rtt = snd->rtt.latest;
	info->handshake_rtt = hs->handshake_rtt;
	info->ato = hs->rcv.ato_us;
	info->reordering = haul_rack_reo_wnd(&snd->rack, info->srtt, min_rtt,
					     haul_sender_recovering(snd),
					     snd->mss ? snd->sacked / snd->mss : 0);
}

static u64 haul_info_pacing_rate(const struct sock *sk)
{
	unsigned long rate = READ_ONCE(sk->sk_pacing_rate);

	return haul_paced(sk) && rate != ~0UL ? rate : ~0ULL;
}

static void haul_info_sending(const struct haul_sock *hs, struct haul_info *info)
{
	const struct haul_sender *snd = &hs->snd;

	info->recovery = snd->rec.state;
	info->snd_mss = snd->mss;
	info->pmtu = hs->pmtu;
	info->snd_cwnd = snd->cwnd;
	info->snd_ssthresh = snd->ssthresh;
	info->snd_wnd = snd->wnd;
	info->in_flight = haul_sender_in_flight(snd);
	info->unacked = haul_sender_outstanding(snd);
	info->sacked = snd->sacked;
	/* the sender's count includes what was sent again; that is retrans_out's here */
	info->lost = snd->lost > snd->retrans ? snd->lost - snd->retrans : 0;
	info->retrans_out = snd->retrans;
	info->notsent = hs->write_seq - snd->nxt;
	info->retransmits = hs->retransmits;
	info->probes = hs->probes_out;
	if (snd->rate_interval_us)
		info->delivery_rate = div_u64((u64)snd->rate_delivered * USEC_PER_SEC,
					      snd->rate_interval_us);
}

static void haul_info_receiving(const struct haul_sock *hs, struct haul_info *info)
{
	const struct haul_receiver *rcv = &hs->rcv;
	u32 unread = haul_sock_unread(&hs->inet.sk);

	info->rcv_mss = rcv->mss;
	info->adv_mss = rcv->adv_mss;
	info->rcv_wnd = haul_receiver_wnd(rcv);
	/* the number after the last byte is the FIN's */
	info->rcv_queue = unread - (unread && sock_flag(&hs->inet.sk, SOCK_DONE));
	info->ooo_queue = hs->ooo_bytes;
	info->rcv_space = rcv->space;
	info->rcv_ssthresh = rcv->ssthresh;
	info->ce_received = rcv->ce;
}

static void haul_info_counts(const struct haul_stats *stats, struct haul_info *info)
{
	info->bytes_acked = stats->bytes_acked;
	info->bytes_received = stats->bytes_received;
	info->bytes_sent = stats->bytes_sent;
	info->bytes_retrans = stats->bytes_retrans;
	info->segs_out = stats->segs_out;
	info->segs_in = stats->segs_in;
	info->data_segs_out = stats->data_segs_out;
	info->data_segs_in = stats->data_segs_in;
	info->retrans_segs = stats->retrans_segs;
	info->reord_seen = stats->reord_seen;
	info->timeouts = stats->timeouts;
	info->recoveries = stats->recoveries;
	info->undos = stats->undos;
	info->dsacks = stats->dsacks;
	info->tlps = stats->tlps;
	info->ce_delivered = stats->ce_delivered;
	info->zero_windows = stats->zero_windows;
	info->rcv_zero_windows = stats->rcv_zero_windows;
}

static void haul_info_times(const struct haul_sock *hs, struct haul_info *info)
{
	u64 now = haul_now_us();

	info->last_data_sent = haul_info_since(hs->stats.last_data_sent, now);
	info->last_data_recv = haul_info_since(hs->stats.last_data_recv, now);
	info->last_ack_recv = haul_info_since(hs->stats.last_ack_recv, now);
	info->cwnd_limited = haul_chrono_read(hs, HAUL_CHRONO_CWND);
	info->rwnd_limited = haul_chrono_read(hs, HAUL_CHRONO_RWND);
	info->sndbuf_limited = haul_chrono_read(hs, HAUL_CHRONO_SNDBUF);
	info->busy_time = haul_chrono_read(hs, HAUL_CHRONO_BUSY) + info->cwnd_limited +
			  info->rwnd_limited + info->sndbuf_limited;
}

/**
 * haul_sock_info - tells a socket's state
 * @sk:		the socket, in any state
 * @info:	filled; zeroed where there is nothing to tell
 *
 * Socket lock.
 */
void haul_sock_info(struct sock *sk, struct haul_info *info)
{
	const struct haul_sock *hs = haul_sk(sk);
	unsigned long max_rate = READ_ONCE(sk->sk_max_pacing_rate);

	memset(info, 0, sizeof(*info));
	info->state = sk->sk_state;
	info->kind = haul_sock_kind(sk);
	if (hs->snd.cc)
		strscpy(info->congestion, hs->snd.cc->name, sizeof(info->congestion));
	info->pacing_rate = haul_info_pacing_rate(sk);
	info->max_pacing_rate = max_rate == ~0UL ? ~0ULL : max_rate;
	haul_info_options(hs, info);
	haul_info_counts(&hs->stats, info);
	if (sk->sk_state == HAUL_LISTEN)
		return;
	haul_info_rtt(hs, info);
	haul_info_sending(hs, info);
	haul_info_receiving(hs, info);
	haul_info_times(hs, info);
}
