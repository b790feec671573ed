/* SPDX-License-Identifier: MIT */
#include "tests/support/lane_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "preload/modules.h"
#include "preload/real.h"
#include "preload/session.h"
#include "preload/unwind.h"

struct session session;
__thread int thread_in_vfork __attribute__((tls_model("initial-exec"), visibility("hidden")));
_Atomic uint32_t real_blocks;
static struct session_header header;
static struct ring ring;
static uint8_t data[LANE_FIXTURE_BYTES];
static struct slot_memory slot;
static uint32_t next_stack;
static size_t next_usable;

struct arch_frame lane_fixture_caller;

void unwind_stack(const struct arch_frame *caller, struct lane *unwound, size_t max_depth)
{
    (void)max_depth;
    lane_fixture_caller = *caller;
    unwound->stack.id = next_stack;
}

/* Not where modules.c itself is tested. */
__attribute__((weak)) _Atomic uint32_t modules_generation_now;

bool unwind_out_of(uintptr_t start, uintptr_t end, struct arch_frame *frame)
{
    frame->pc = LANE_FIXTURE_OUTSIDE;
    return start < end;
}

uint32_t stacktree_id(struct lane *named)
{
    return named->stack.id;
}

const char *real_allocator_path(void)
{
    return "/allocator.so";
}

size_t real_usable_bytes(const void *address)
{
    (void)address;
    return next_usable;
}

struct lane *lane_fixture_start(size_t n_bytes)
{
    memset(&session, 0, sizeof session);
    memset(&header, 0, sizeof header);
    memset(&ring, 0, sizeof ring);
    memset(&slot, 0, sizeof slot);
    header.recording = 1;
    session.header = &header;
    session.flags = SESSION_DROP_WHEN_FULL;
    session.max_depth = 128;
    struct lane *const lane = &slot.lanes[0];
    lane->ring = &ring;
    lane->data = data;
    lane->ring_bytes = lane->room_until = lane->plain_until = n_bytes;
    lane->notify_at = UINT64_MAX;
    return lane;
}

struct slot_memory *lane_fixture_slot(void)
{
    return &slot;
}

void lane_fixture_set(uint32_t stack_id, size_t usable_bytes)
{
    next_stack = stack_id;
    next_usable = usable_bytes;
}

size_t lane_fixture_records(struct record *records_out, size_t cap)
{
    struct unpack_cursor cursor = {.at = data, .end = data + ring.head};
    struct record_base base = {.ticks = 0};
    size_t n = 0;
    assert_int_equal(ring.in_event, 0);
    while (cursor.at < cursor.end && n < cap) {
        assert_int_equal(record_decode(&cursor, &base, &records_out[n]), 0);
        assert_true(records_out[n].known);
        n++;
    }
    return n;
}
