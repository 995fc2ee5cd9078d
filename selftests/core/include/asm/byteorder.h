/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for the kernel's header of this name in user space: byte order without the leading
 * underscores.
 */
#ifndef HAUL_SHIM_ASM_BYTEORDER_H
#define HAUL_SHIM_ASM_BYTEORDER_H

#include_next <asm/byteorder.h>

#define cpu_to_be16(x)	__cpu_to_be16(x)
#define cpu_to_be32(x)	__cpu_to_be32(x)
#define cpu_to_be64(x)	__cpu_to_be64(x)
#define be16_to_cpu(x)	__be16_to_cpu(x)
#define be32_to_cpu(x)	__be32_to_cpu(x)
#define be64_to_cpu(x)	__be64_to_cpu(x)
#define htons(x)	__cpu_to_be16(x)
#define htonl(x)	__cpu_to_be32(x)
#define ntohs(x)	__be16_to_cpu(x)
#define ntohl(x)	__be32_to_cpu(x)

#endif /* HAUL_SHIM_ASM_BYTEORDER_H */
