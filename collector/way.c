/* SPDX-License-Identifier: MIT */
/* One row for each way; pace.h says when, docs/PERFORMANCE.md how fast. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_c_literalCompressionMode; nothing breaks without it */
#include "collector/way.h"

enum { LEVEL = 1 }; /* 3 costs half as much again for 5 % */

struct way {
    int target_length, min_match, hash_log;
    ZSTD_paramSwitch_e literals;
};
static const struct way ways[] = {
    /* Steps of 128 KiB between the places looked at: no search at all. */
    [PACE_STORED] = {ZSTD_TARGETLENGTH_MAX, 7, ZSTD_HASHLOG_MIN, ZSTD_ps_disable},
    /* And Huffman codes. */
    [PACE_QUICK] = {ZSTD_TARGETLENGTH_MAX, 7, ZSTD_HASHLOG_MIN, ZSTD_ps_enable},
    /* A table that stays in the first-level cache: python3 27.7 for 29.6 ns, 2 % more bytes. */
    [PACE_DENSE] = {0, 7, 12, ZSTD_ps_auto},
};

ZSTD_CCtx *way_new_context(void)
{
    ZSTD_CCtx *const context = ZSTD_createCCtx();
    if (!context)
        return NULL;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    way_take(context, PACE_DENSE);
    return context;
}

void way_take(ZSTD_CCtx *context, enum pace_way way)
{
    const struct way *const taken = &ways[way];
    ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, taken->target_length);
    ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, taken->min_match);
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, taken->hash_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_literalCompressionMode, (int)taken->literals);
}
