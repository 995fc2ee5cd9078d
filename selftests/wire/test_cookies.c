// SPDX-License-Identifier: GPL-2.0
/* A listener that keeps nothing of a SYN (SYN cookies): protocol.rst 3.4. */
#include "fixture.h"

WIRE_FIXTURE(cookie);

static int cookie_listener(struct wire *w, struct peer *p)
{
	wire_sysctl(w, "haul.syncookies", "2");
	return host_listen(w, p->host_port, 8);
}

WIRE_TEST(cookie, three_steps)
{
	int listener = cookie_listener(w, p), fd;

	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS seq=0 ack=1 init tsecr=%u", p->last_tsval);
	inject(p, "ACK init mss=500");
	expect(p, "ACK seq=1 ack=1 len=0 noinit");
	fd = host_accept(p, listener);
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	EXPECT_TRUE(host_info(p, fd).options & HAUL_INFO_COOKIE);
	p->mss = 500;
	host_write(p, fd, 1000);
	expect(p, "ACK seq=1 len=500");
	expect(p, "ACK seq=501 len=500");
}

WIRE_TEST(cookie, payload_in_the_third_step)
{
	int listener = cookie_listener(w, p), fd;

	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS");
	inject(p, "PSH ACK init len=50");
	expect(p, "ACK seq=1 ack=51");
	fd = host_accept(p, listener);
	host_read(p, fd, 50);
}

/* The same answer to a repeated SYN: the harness refuses another ISN or tag. */
WIRE_TEST(cookie, repeated_syn)
{
	cookie_listener(w, p);
	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS seq=0 ack=1");
	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS seq=0 ack=1");
}

WIRE_TEST(cookie, repeated_third_step)
{
	int listener = cookie_listener(w, p);

	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS");
	inject(p, "ACK init");
	expect(p, "ACK");
	inject(p, "ACK init");
	expect_silence(p);
	host_accept(p, listener);
	EXPECT_EQ(-1, accept4(listener, NULL, NULL, SOCK_NONBLOCK));
}

/* What is wrong in one of the things that the cookie covers matches nothing. */
WIRE_TEST(cookie, forged_third_steps)
{
	static const char *const forged[] = {
		"ACK seq=1 ack=1",
		"ACK init seq=1 ack=2",
		"ACK init seq=1 ack=1 tag=bad",
		"ACK itag=0x99 seq=1 ack=1",
		"ACK isn=1 seq=2 ack=1",
		"ACK init seq=1 ack=1 sport=1234",
	};
	int listener = cookie_listener(w, p);
	size_t i;

	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS");
	for (i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		uint16_t port = p->port;

		wire_note = forged[i];
		inject(p, "%s", forged[i]);
		p->port = strstr(forged[i], "sport") ? 1234 : port;
		expect(p, "RST REFLECTED seq=%d", strstr(forged[i], "ack=2") ? 2 : 1);
		p->port = port;
	}
	inject(p, "ACK init");
	expect(p, "ACK seq=1 ack=1");
	host_accept(p, listener);
}

/* Switched off, what was sent before is worth nothing any more. */
WIRE_TEST(cookie, third_step_after_they_were_switched_off)
{
	cookie_listener(w, p);
	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS");
	wire_sysctl(w, "haul.syncookies", "0");
	inject(p, "ACK init");
	expect(p, "RST REFLECTED seq=1");
	EXPECT_EQ(0, wire_counter(w, "CookiesRecv"));
}

WIRE_TEST(cookie, client_repeats_its_init)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK STATELESS");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	host_write(p, fd, 10);
	expect(p, "ACK seq=1 ack=1 len=10 init");
	inject(p, "ACK len=5");
	expect(p, "ACK seq=11 ack=6 noinit");
	host_read(p, fd, 5);
}

TEST_HARNESS_MAIN
