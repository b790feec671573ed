/* SPDX-License-Identifier: MIT */
/* What zstd is told for each way to compress a frame. */
#ifndef HEAPWISE_COLLECTOR_WAY_H
#define HEAPWISE_COLLECTOR_WAY_H

#include <zstd.h>

#include "collector/pace.h"

/* Make a context whose frames have checksums, PACE_DENSE. For ZSTD_freeCCtx(); NULL without memory. */
ZSTD_CCtx *way_new_context(void);

/* Compress by `way` from the next frame on. */
void way_take(ZSTD_CCtx *context, enum pace_way way);

#endif
