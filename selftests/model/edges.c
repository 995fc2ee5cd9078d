// SPDX-License-Identifier: GPL-2.0
/*
 * Prints, for the model, the states and the legal edges of module/core/state.c, with which it is
 * linked: the model can't have others than the module.
 */
#include <stdio.h>
#include "core/state.h"

/* "FIN-WAIT-1" as a name in Promela */
static void print_name(int state)
{
	const char *at = haul_state_name(state);

	for (; *at; at++)
		putchar(*at == '-' ? '_' : *at);
}

int main(void)
{
	int from, to;

	printf("/* made from the legal edges of the module, which the model must not leave */\n");
	for (from = 1; from < HAUL_NUM_STATES; from++) {
		printf("#define ");
		print_name(from);
		printf(" %d\n", from);
	}
	printf("#define LEGAL(from, to) (0");
	for (from = 1; from < HAUL_NUM_STATES; from++)
		for (to = 1; to < HAUL_NUM_STATES; to++)
			if (haul_state_edge_legal(from, to))
				printf(" || ((from) == %d && (to) == %d)", from, to);
	printf(")\n");
	return 0;
}
