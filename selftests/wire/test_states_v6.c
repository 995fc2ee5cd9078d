// SPDX-License-Identifier: GPL-2.0
/* Every state and every kind of packet, over IPv6: states.h. */
#define STATES_FAMILY AF_INET6
#include "states.h"

TEST_HARNESS_MAIN
