/* SPDX-License-Identifier: MIT */
/* What travels from the decoder to the model: a trace's records in the order they happened, some
 * thousand at a time.
 *
 * The bulk (allocations, releases, stack nodes) is decoded into 40 bytes each. The few others keep
 * their encoded bytes beside and are decoded again where they are used. */
#ifndef HEAPWISE_READER_BATCH_H
#define HEAPWISE_READER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/record.h"

enum batch_limits {
    BATCH_EVENTS = 2048,     /* 80 KiB: some batches lie in a processor's second cache */
    BATCH_BYTES = 64 * 1024, /* of encoded records, beyond which no further one is begun */
};

enum event_kind {
    EVENT_SHORT, /* tag <= TRACE_TREE_RESET: all of it is in the event */
    EVENT_LONG,  /* another record of a ring, or a stamped one of the collector (stream 0) */
    EVENT_FILE,  /* a record of the file itself; `stream` is the number of the one it names, or 0 */
    EVENT_OVER,  /* nothing more comes from `stream` */
};

struct event {
    uint64_t ticks; /* absolute; 0 for those without a stamp */
    union {
        uint64_t address;        /* of a block or a mapping */
        uint64_t return_address; /* TRACE_NODE */
        uint64_t offset_bytes;   /* EVENT_LONG, EVENT_FILE: in the batch's bytes */
    };
    uint64_t size_bytes; /* of a block or a mapping, else of the encoded record */
    union {
        uint32_t stack; /* stream's id, 0 unknown */
        uint32_t call;  /* TRACE_CALL_TIME: trace_timed_call; its cycles are in size_bytes */
        uint32_t node;  /* TRACE_NODE: its id */
    };
    union {
        uint32_t slack_bytes; /* usable less requested bytes, at most UINT32_MAX */
        uint32_t parent;      /* TRACE_NODE */
    };
    uint32_t stream;
    uint8_t tag;            /* trace_tag */
    uint8_t kind;           /* event_kind */
    uint8_t alignment_bits; /* of the alignment that an allocation or resize named; 0 none */
};
_Static_assert(sizeof(struct event) == 40, "an event costs the copying of its bytes twice");

struct batch {
    struct event *events; /* BATCH_EVENTS of them */
    uint32_t n_events;
    uint8_t *bytes;
    size_t n_bytes, capacity;
};

/* Where batches go: `pass` takes the full one away and puts an empty one in its place. */
struct outlet {
    struct batch *batch;
    void *context;
    int (*pass)(struct outlet *outlet); /* 0 or a negative errno, which ends everything */
};

/* An encoded record and what its differences count from. */
struct batch_record {
    const uint8_t *bytes;
    size_t n_bytes;
    struct record_base base;
};

/* Returns 0 or -ENOMEM. */
int batch_init(struct batch *batch);
void batch_fini(struct batch *batch);

/* Empty it, and give back what an unusually long record took. */
void batch_clear(struct batch *batch);

/* The next free place, to be filled and then counted by outlet_commit(). Never NULL: a full batch
 * is passed on first, the result of which is put into *error_out. */
static inline struct event *outlet_place(struct outlet *outlet, int *error_out)
{
    *error_out = outlet->batch->n_events < BATCH_EVENTS ? 0 : outlet->pass(outlet);
    return &outlet->batch->events[outlet->batch->n_events];
}

static inline void outlet_commit(struct outlet *outlet)
{
    outlet->batch->n_events++;
}

/* Append an event with an encoded record; event's place and length of that are filled in here.
 * Returns 0, -ENOMEM or what `pass` returned. */
int outlet_add_record(struct outlet *outlet, const struct event *event,
                      const struct batch_record *record);

/* Decode the record of an EVENT_LONG or EVENT_FILE of this batch; its texts point into the batch.
 * Returns 0 or a negative errno, which outlet_add_record()'s caller has excluded. */
int batch_decode(const struct batch *batch, const struct event *event, struct record *record_out);

/* Put a short record into an event; `event` needs a stream yet. */
static inline void event_fill(struct event *event, const struct record *record)
{
    const struct record_block *const block = &record->block;
    event->ticks = record->ticks;
    event->tag = record->tag;
    event->kind = EVENT_SHORT;
    if (record->tag >= TRACE_NODE) {
        event->return_address = record->node.return_address;
        event->node = record->node.id;
        event->parent = record->node.parent;
        return;
    }
    const uint64_t slack =
        block->usable_bytes > block->size_bytes ? block->usable_bytes - block->size_bytes : 0;
    event->address = block->address;
    event->size_bytes = block->size_bytes;
    event->stack = block->stack;
    event->slack_bytes = slack < UINT32_MAX ? (uint32_t)slack : UINT32_MAX;
    event->alignment_bits =
        block->alignment ? (uint8_t)(64 - __builtin_clzll(block->alignment)) : 0;
}

#endif
