/* SPDX-License-Identifier: MIT */
/* What a rule is: one row of a table, and the function that looks for it.
 *
 * Rules stand in rules.c's list of families; a family is one file alloc_*.c or io_*.c with its rows and
 * functions. A rule never fires without both a share and an absolute floor. Ids and limit names are
 * published: they keep their meaning. */
#ifndef HEAPWISE_FINDINGS_RULE_H
#define HEAPWISE_FINDINGS_RULE_H

#include <stdbool.h>
#include <stddef.h>

/* The words of heapwise-findings/1; rule_category_name() and their like give the texts. */
enum finding_category {
    CATEGORY_ALLOCATION,
    CATEGORY_LEAK,
    CATEGORY_PEAK_MEMORY,
    CATEGORY_FRAGMENTATION,
    CATEGORY_LOCK_CONTENTION,
    CATEGORY_IO_WAIT,
    CATEGORY_IO_PATTERN,
    CATEGORY_IO_METADATA,
    CATEGORY_IO_DURABILITY,
    CATEGORY_RESOURCE_LEAK,
};

enum finding_severity {
    SEVERITY_INFO,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
};

/* What a finding's percentage is a share of. */
enum finding_whole {
    OF_ALLOC_COUNT,
    OF_ALLOC_BYTES,
    OF_PEAK_BYTES,
    OF_LEAKED_BYTES,
    OF_IO_CALLS,
    OF_IO_BYTES,
    OF_IO_TIME,
    OF_WALL_TIME,
};

enum suggestion_kind {
    SUGGEST_REUSE_BUFFER,
    SUGGEST_OBJECT_POOL,
    SUGGEST_ARENA,
    SUGGEST_STACK_OR_INLINE,
    SUGGEST_RESERVE_CAPACITY,
    SUGGEST_MOVE_OR_BORROW,
    SUGGEST_FREE_IT,
    SUGGEST_LAZY_ALLOCATE,
    SUGGEST_SHRINK,
    SUGGEST_BUFFER_IO,
    SUGGEST_BATCH_IO,
    SUGGEST_VECTORED_IO,
    SUGGEST_CACHE_RESULT,
    SUGGEST_READAHEAD_OR_MMAP,
    SUGGEST_DROP_SYNC,
    SUGGEST_KEEP_OPEN,
    SUGGEST_COPY_IN_KERNEL,
    SUGGEST_REVIEW,
};

/* Rules of one subject (site, file) and one group say the same thing in different ways: only the one whose
 * row comes first is kept. */
enum rule_group {
    GROUP_NONE,
    GROUP_CHURN,   /* blocks that come and go */
    GROUP_GROWTH,  /* blocks that get larger */
    GROUP_HELD,    /* blocks that stay */
    GROUP_CALLS,   /* calls that move too little */
    GROUP_REPEATS, /* the same thing read or asked for again */
};

/* A number that decides whether a rule fires; a configuration may set it. */
struct rule_limit {
    const char *name; /* "min_percent", "min_count", ...: lower case, words joined by '_' */
    double value;
    const char *meaning; /* one line */
};

enum { RULE_MAX_LIMITS = 6, RULE_MAX_KEPT = 3 };

struct finder;

struct rule {
    const char *id; /* "AL101": AL allocations, IO input and output; never used for another rule */
    const char *name;  /* "object_pool": what `explain` knows it by as well as by id */
    const char *brief; /* one line, no full stop */
    enum finding_category category;
    enum rule_group group;
    enum suggestion_kind kind;
    int effort;                                /* 1 a line or two .. 5 another data structure */
    double confidence;                         /* 0..1, before the run lowers it */
    enum finding_severity ceiling;             /* never more severe than this */
    struct rule_limit limits[RULE_MAX_LIMITS]; /* up to the first without a name */
    const char *must_keep[RULE_MAX_KEPT]; /* what a change must preserve; up to the first NULL */
    const char *why_same_output; /* why the program's output cannot change; to be checked by hand */
    const char *sort;            /* the metric that `report --sort` shows the numbers by */
    const char *expect;          /* what a second run shows when the change worked */
    /* The text of `explain`, each paragraphs of lines of at most 78 columns that end in a newline. */
    const char *meaning, *evidence, *example_c, *example_cpp, *when_not;
    /* Look for it in the finder's profile and finder_add() what there is. Returns 0 or -ENOMEM. */
    int (*find)(struct finder *finder, const struct rule *rule);
};

/* Rules that live in one file: rows[0..n). */
struct rule_family {
    const struct rule *rows;
    size_t n;
};

extern const struct rule_family alloc_fleeting_rules, alloc_handover_rules, alloc_buffer_rules,
    alloc_pool_rules, alloc_churn_rules, alloc_growth_rules, alloc_held_rules, alloc_peak_rules,
    alloc_arena_rules, alloc_placement_rules, alloc_pinned_rules;
extern const struct rule_family io_unbuffered_rules, io_record_rules, io_size_rules, io_order_rules,
    io_copy_rules, io_memory_rules, io_sync_rules, io_repeat_rules, io_wait_rules, io_thread_rules;

/* All rules in the order of their table, which is that of precedence within a group. */
size_t rules_count(void);
const struct rule *rules_at(size_t i);

/* The rule of that id or name, case and '-' for '_' do not matter; NULL when there is none. */
const struct rule *rules_find(const char *word);

/* A rule's limit as the table has it; NULL when it has none of that name. */
const struct rule_limit *rule_limit(const struct rule *rule, const char *name);

const char *rule_category_name(enum finding_category category);
const char *rule_severity_name(enum finding_severity severity);
const char *rule_whole_name(enum finding_whole whole);
const char *rule_kind_name(enum suggestion_kind kind);

#endif
