// SPDX-License-Identifier: GPL-2.0
/*
 * haulrun: lists of ports, as in --ports 80,443,8000-8100.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "haulrun.h"

/* a port at *@text, which is moved behind it; -1: there is none */
static long ports_number(const char **text)
{
	char *end;
	long port;

	if (**text < '0' || **text > '9')
		return -1;
	errno = 0;
	port = strtol(*text, &end, 10);
	if (errno || port < 1 || port > 65535)
		return -1;
	*text = end;
	return port;
}

/**
 * ports_parse - reads a list
 * @set:	becomes what the list says
 * @list:	ports and ranges of ports between commas
 *
 * Return: 0, or -1: it is no such list, or an empty one
 */
int ports_parse(struct ports *set, const char *list)
{
	long first, last;

	memset(set, 0, sizeof(*set));
	for (;;) {
		first = ports_number(&list);
		last = first;
		if (first > 0 && *list == '-') {
			list++;
			last = ports_number(&list);
		}
		if (first < 0 || last < first)
			return -1;
		for (; first <= last; first++)
			set->bits[first / 8] |= 1 << first % 8;
		if (!*list)
			return 0;
		if (*list++ != ',')
			return -1;
	}
}

/**
 * ports_has - is a port in the set?
 * @set:	the set
 * @port:	host byte order
 */
bool ports_has(const struct ports *set, unsigned int port)
{
	return port < 65536 && set->bits[port / 8] & 1 << port % 8;
}
