/* SPDX-License-Identifier: MIT */
/* How are the words of heapwise-findings/1 spelled? */
#include "findings/rule.h"

static const char *const categories[] = {
    [CATEGORY_ALLOCATION] = "allocation",           [CATEGORY_LEAK] = "leak",
    [CATEGORY_PEAK_MEMORY] = "peak_memory",         [CATEGORY_FRAGMENTATION] = "fragmentation",
    [CATEGORY_LOCK_CONTENTION] = "lock_contention", [CATEGORY_IO_WAIT] = "io_wait",
    [CATEGORY_IO_PATTERN] = "io_pattern",           [CATEGORY_IO_METADATA] = "io_metadata",
    [CATEGORY_IO_DURABILITY] = "io_durability",     [CATEGORY_RESOURCE_LEAK] = "resource_leak",
};

static const char *const severities[] = {
    [SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low",           [SEVERITY_MEDIUM] = "medium",
    [SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical",
};

static const char *const wholes[] = {
    [OF_ALLOC_COUNT] = "alloc_count", [OF_ALLOC_BYTES] = "alloc_bytes",
    [OF_PEAK_BYTES] = "peak_bytes",   [OF_LEAKED_BYTES] = "leaked_bytes",
    [OF_IO_CALLS] = "io_calls",       [OF_IO_BYTES] = "io_bytes",
    [OF_IO_TIME] = "io_time",         [OF_WALL_TIME] = "wall_time",
};

static const char *const kinds[] = {
    [SUGGEST_REUSE_BUFFER] = "reuse_buffer",
    [SUGGEST_OBJECT_POOL] = "object_pool",
    [SUGGEST_ARENA] = "arena",
    [SUGGEST_STACK_OR_INLINE] = "stack_or_inline",
    [SUGGEST_RESERVE_CAPACITY] = "reserve_capacity",
    [SUGGEST_MOVE_OR_BORROW] = "move_or_borrow",
    [SUGGEST_FREE_IT] = "free_it",
    [SUGGEST_LAZY_ALLOCATE] = "lazy_allocate",
    [SUGGEST_SHRINK] = "shrink",
    [SUGGEST_BUFFER_IO] = "buffer_io",
    [SUGGEST_BATCH_IO] = "batch_io",
    [SUGGEST_VECTORED_IO] = "vectored_io",
    [SUGGEST_CACHE_RESULT] = "cache_result",
    [SUGGEST_READAHEAD_OR_MMAP] = "readahead_or_mmap",
    [SUGGEST_DROP_SYNC] = "drop_sync",
    [SUGGEST_KEEP_OPEN] = "keep_open",
    [SUGGEST_COPY_IN_KERNEL] = "copy_in_kernel",
    [SUGGEST_REVIEW] = "review",
};

const char *rule_category_name(enum finding_category category)
{
    return categories[category];
}

const char *rule_severity_name(enum finding_severity severity)
{
    return severities[severity];
}

const char *rule_whole_name(enum finding_whole whole)
{
    return wholes[whole];
}

const char *rule_kind_name(enum suggestion_kind kind)
{
    return kinds[kind];
}
