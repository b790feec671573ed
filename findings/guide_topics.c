/* SPDX-License-Identifier: MIT */
/* What is there to say of findings as a whole: how to read them, how they are scored, what they can know? */
#include <string.h>
#include <strings.h>

#include "findings/guide.h"
#include "findings/scoring.h"

static void add_findings(struct buffer *out)
{
    buffer_text(out,
                "A finding is a rule that fired at a place. The place is the innermost frame\n"
                "of the program's own: frames of the C and C++ runtime, functions that only\n"
                "pass requests on (xmalloc), and what a configuration's \"hide\" names are\n"
                "passed over. Each finding says what was counted, what to change, with the\n"
                "numbers in it, what that saves, what must be kept, why the program's output\n"
                "cannot change, and which command shows that the change worked.\n"
                "\n"
                "id         rule and fingerprint of the first five functions of the program's\n"
                "           own; the same for other addresses, lines, options and threads\n"
                "share      of what the rule is about, in the whole run\n"
                "saves      what the change takes away; where several findings are about the\n"
                "           same blocks or calls, the first one alone has it, and they name\n"
                "           each other: nothing is counted twice\n"
                "measured   what `heapwise replay` saw with the suggestion in place, if asked\n"
                "exact      false where some of the evidence comes from a sample\n"
                "\n"
                "A rule fires when its limits are reached, among them a share and an\n"
                "absolute number. `heapwise explain RULE` lists them, a configuration file\n"
                "sets them, `heapwise findings --min-severity high` makes an exit status of\n"
                "them. Findings are advice: read \"when not to act\" before you act.\n");
}

static void add_severities(struct buffer *out)
{
    const struct scoring_step *step = NULL;
    buffer_text(out, "severity   impact at least   and of the run's time at least\n");
    for (size_t i = 0; (step = scoring_step_at(i)) != NULL; i++)
        buffer_printf(out, "%-8s   %11g %%   %26g %%\n", rule_severity_name(step->severity),
                      step->percent, step->time_percent);
    buffer_printf(out, "%-8s   below that\n", rule_severity_name(SEVERITY_INFO));
}

static void add_scoring(struct buffer *out)
{
    const struct scoring_factor *factor = NULL;
    buffer_text(out, "score = impact x confidence / effort; findings are ranked by it.\n"
                     "\n"
                     "impact: share of the run's own cost that the change takes away, in percent\n"
                     "(of allocations, bytes, calls, time: each finding says of what).\n"
                     "\n"
                     "confidence: that of the rule, times what applies of\n");
    for (size_t i = 0; (factor = scoring_factor_at(i)) != NULL; i++)
        buffer_printf(out, "  %-4g %s\n", factor->factor, factor->reason);
    buffer_text(out, "A rule may lower it further; every finding lists its reasons.\n"
                     "\n"
                     "effort:\n");
    for (int effort = 1; effort <= SCORING_MAX_EFFORT; effort++)
        buffer_printf(out, "  %d  %s\n", effort, scoring_effort(effort));
    buffer_text(out, "\n");
    add_severities(out);
    buffer_text(out,
                "The run's time counts where a finding saves time and that is known. A rule may\n"
                "set a lowest and a highest severity of its own.\n");
}

/* Techniques of making programs faster, and what of them a recording of allocations and I/O can tell. */
static const struct {
    const char *technique, *seen;
} techniques[] = {
    {"reuse a buffer", "blocks freed before the next one: reuse_buffer"},
    {"pool of objects", "size, lifetime, most live at once: object_pool"},
    {"arena, region", "blocks that die together: arena"},
    {"stack, small buffer", "small, freed by who allocated: stack_or_inline"},
    {"reserve capacity", "chains of growing blocks: reserve_capacity"},
    {"lazy allocation", "blocks that die untouched by time: lazy_allocate"},
    {"move, borrow", "copies that live for one step: move_or_borrow"},
    {"zero copy", "writes of what was just read: copy_in_kernel"},
    {"buffering, batching", "bytes per call, calls in a row: buffer_io, batch_io"},
    {"scatter, gather", "writes that continue each other: vectored_io"},
    {"streaming", "whole files in one block: review, readahead_or_mmap"},
    {"caching of reads", "the same bytes read again: cache_result"},
    {"keeping open", "the same path opened again: keep_open"},
    {"fewer syncs", "each sync and what it waited: drop_sync"},
    {"precomputing", "only where input is read or memory built again"},
    {"bounded queues", "only the memory that waits in them"},
    {"striped locks", "no: blocks freed by other threads hint at it"},
    {"memoising", "no: needs a CPU profile"},
    {"indexes, binary search", "no: needs a CPU profile"},
    {"dynamic programming", "no: needs a CPU profile"},
    {"two pointers, sums", "no: needs a CPU profile"},
    {"cheaper formats", "no: needs a CPU profile; their bytes are seen"},
};

static void add_techniques(struct buffer *out)
{
    buffer_text(out,
                "What a recording of allocations and I/O can tell of the usual ways to make a\n"
                "program faster, and the suggestion that stands for it:\n\n");
    for (size_t i = 0; i < sizeof techniques / sizeof *techniques; i++)
        buffer_printf(out, "%-23s %s\n", techniques[i].technique, techniques[i].seen);
}

static const struct guide_topic topics[] = {
    {"findings", "how to read what `heapwise findings` says", add_findings},
    {"scoring", "how findings are ranked: severity, impact, confidence, effort", add_scoring},
    {"techniques", "what a recording can suggest, and what needs a CPU profile", add_techniques},
};

const struct guide_topic *guide_topic_at(size_t i)
{
    return i < sizeof topics / sizeof *topics ? &topics[i] : NULL;
}

const struct guide_topic *guide_find(const char *name)
{
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (strcasecmp(topics[i].name, name) == 0)
            return &topics[i];
    return NULL;
}
