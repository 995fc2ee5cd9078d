/* SPDX-License-Identifier: GPL-2.0 */
/*
 * haulrun: what the launcher (main.c) tells the library (preload.c) that it puts into a program,
 * and what both use. The telling goes through the environment, so that children inherit it.
 */
#ifndef HAULRUN_H
#define HAULRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The environment: a decimal number; words between commas; port lists; a file ("": stderr). */
#define HAULRUN_ENV_PROTOCOL	"HAULRUN_PROTOCOL"
#define HAULRUN_ENV_FLAGS	"HAULRUN_FLAGS"
#define HAULRUN_ENV_PORTS	"HAULRUN_PORTS"
#define HAULRUN_ENV_NOT_PORTS	"HAULRUN_NOT_PORTS"
#define HAULRUN_ENV_TRACE	"HAULRUN_TRACE"

#define HAULRUN_FLAG_DGRAM		"dgram"
#define HAULRUN_FLAG_ONLY_LISTEN	"only-listen"
#define HAULRUN_FLAG_ONLY_CONNECT	"only-connect"
#define HAULRUN_FLAG_FALLBACK		"fallback"

/* ports.c: a set of ports, one bit each */
struct ports {
	uint8_t	bits[65536 / 8];
};

int ports_parse(struct ports *set, const char *list);
bool ports_has(const struct ports *set, unsigned int port);

/* elf.c: why a preload can't reach a program */
const char *elf_refusal(const char *path, const char **instead);

/* bpf.c: the kernel does it. NULL, or what it failed at, with errno */
const char *bpf_run(int protocol, bool dgram);

/* convert.c: another socket in a socket's place */
int convert(int fd, int protocol, bool keep_port);

/* What is beneath the hooks, which convert.c must not come through again. */
struct calls {
	int	(*socket)(int domain, int type, int protocol);
	int	(*bind)(int fd, const struct sockaddr *addr, socklen_t len);
	int	(*getsockopt)(int fd, int level, int name, void *val, socklen_t *len);
};

extern struct calls real;

void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* HAULRUN_H */
