/* SPDX-License-Identifier: MIT */
/* How a slot is claimed and mapped.
 *
 * mremap() with an old size of 0 maps the pages of a shared mapping a second time and lets the new
 * mapping be longer (mremap(2), "the case of shared mappings"), so everything behind the header can
 * be reached with no descriptor: grow a copy of the header up to the slot's end, keep the slot, unmap
 * the rest. The header is unlocked first, else mlockall() would make that copy resident. Where an
 * address-space limit forbids the long copy, the session is opened once more by its path. */
#include "preload/slot.h"

#include <string.h>

#include "preload/session.h"
#include "preload/stamp.h"
#include "preload/syscalls.h"

enum {
    CLAIM_SLICE_MS = 20,
    CLAIM_LIMIT_US = 5 * 1000 * 1000, /* of running time */
};

static bool try_claim(struct session_header *header, uint32_t index, uint64_t claimed)
{
    uint64_t seen = atomic_load_explicit(&header->slots[index], memory_order_relaxed);
    return SLOT_STATE(seen) == SLOT_FREE &&
           atomic_compare_exchange_strong(&header->slots[index], &seen, claimed);
}

/* One round over the table; returns the index, or n_slots when nothing is free. */
static uint32_t claim_any(struct session_header *header, uint32_t n_slots, uint64_t claimed)
{
    const uint32_t first = atomic_load_explicit(&header->free_hint, memory_order_relaxed);
    for (uint32_t i = 0; i < n_slots; i++) {
        const uint32_t index = (first + i) % n_slots;
        if (try_claim(header, index, claimed)) {
            atomic_store_explicit(&header->free_hint, (index + 1) % n_slots, memory_order_relaxed);
            return index;
        }
    }
    return n_slots;
}

static bool may_wait_for_slot(const struct session_header *header)
{
    return atomic_load(&header->recording) && !atomic_load(&session.syscalls_risky) &&
           !atomic_load(&session.collector_gone) &&
           !(session_owner_word(&header->alive) & FUTEX_OWNER_DIED);
}

static uint32_t claim_or_wait(struct session_header *header, uint32_t n_slots, uint64_t claimed)
{
    uint32_t index = claim_any(header, n_slots, claimed);
    uint32_t waited_us = 0;
    while (index == n_slots && waited_us < CLAIM_LIMIT_US && may_wait_for_slot(header)) {
        const uint32_t epoch = atomic_load(&header->slots_epoch);
        atomic_fetch_add(&header->slots_wanted, 1);
        atomic_fetch_add(&header->wake, 1);
        sys_futex_wake(&header->wake, 1);
        index = claim_any(header, n_slots, claimed);
        if (index == n_slots) {
            waited_us += sys_futex_wait(&header->slots_epoch, epoch, CLAIM_SLICE_MS);
            index = claim_any(header, n_slots, claimed);
        }
        atomic_fetch_sub(&header->slots_wanted, 1);
    }
    return index;
}

static struct slot_header *map_by_growing(struct session_header *header, uint64_t offset,
                                          uint64_t n_bytes)
{
    arch_syscall(SYS_munlock, header, SESSION_HEADER_BYTES);
    const long at = arch_syscall(SYS_mremap, header, 0, offset + n_bytes, MREMAP_MAYMOVE, 0);
    if (at < 0 && at > -4096)
        return NULL;
    sys_unmap((void *)at, offset);
    return (struct slot_header *)(at + (long)offset);
}

static struct slot_header *map_by_path(struct session_header *header, uint64_t offset,
                                       uint64_t n_bytes)
{
    const long fd = sys_open(header->session_path, O_RDWR);
    if (fd < 0)
        return NULL;
    const long at =
        arch_syscall(SYS_mmap, 0, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    sys_close(fd);
    return at < 0 && at > -4096 ? NULL : (struct slot_header *)at;
}

static struct slot_memory *map_slot(struct session_header *header, uint32_t index)
{
    struct slot_memory *memory = session.slots[index];
    if (memory)
        return memory;
    const uint64_t offset = SESSION_HEADER_BYTES + index * header->slot_bytes;
    struct slot_header *slot = map_by_growing(header, offset, header->slot_bytes);
    if (!slot)
        slot = map_by_path(header, offset, header->slot_bytes);
    if (!slot)
        return NULL;
    memory = sys_map(sizeof *memory);
    if (!memory) {
        sys_unmap(slot, header->slot_bytes);
        return NULL;
    }
    memory->header = slot;
    memory->index = index;
    session.slots[index] = memory;
    return memory;
}

static void start_lane(struct lane *lane, struct ring *ring, uint8_t *data, uint64_t n_bytes)
{
    stacktree_fini(&lane->tree);
    lane->head = lane->stuck_tail = lane->last_ticks = lane->last_address = 0;
    lane->lap = lane->plain_until = 0;
    recall_forget(lane->recall);
    lane->stack_before = 0;
    stamp_start(lane);
    stack_void(&lane->stack);
    lane->stack.n = 0;
    lane->stack.id = 0;
    lane->ring = ring;
    lane->data = data;
    lane->ring_bytes = n_bytes;
    lane->room_until = n_bytes;
    lane->notify_at = n_bytes / 2;
}

struct slot_memory *slot_claim(pid_t pid, pid_t tid)
{
    struct session_header *const header = session.header;
    const uint32_t n_slots =
        header->n_slots < SESSION_MAX_SLOTS ? header->n_slots : SESSION_MAX_SLOTS;
    const uint32_t index = claim_or_wait(header, n_slots, SLOT_WORD(SLOT_CLAIMED, pid, tid));
    if (index == n_slots)
        return NULL;
    struct slot_memory *const memory = map_slot(header, index);
    if (!memory) {
        atomic_store(&header->slots[index], SLOT_WORD(SLOT_FREE, 0, 0));
        return NULL;
    }
    struct slot_header *const slot = memory->header;
    uint8_t *const main_data = (uint8_t *)slot + SLOT_HEADER_BYTES;
    memory->lanes[0].recall = &memory->recall;
    memory->lanes[1].is_signal = true;
    memory->lanes[0].number = (uint16_t)(2 * index + 1);
    memory->lanes[1].number = (uint16_t)(2 * index + 2);
    start_lane(&memory->lanes[0], &slot->rings[0], main_data, header->main_ring_bytes);
    start_lane(&memory->lanes[1], &slot->rings[1], main_data + header->main_ring_bytes,
               header->signal_ring_bytes);
    slot->image_id = session.image_id;
    slot->pid = pid;
    slot->tid = tid;
    atomic_store(&slot->ready, 1);
    return memory;
}

void slot_forget_all(void)
{
    const uint64_t n_bytes = session.header->slot_bytes;
    for (uint32_t i = 0; i < SESSION_MAX_SLOTS; i++) {
        struct slot_memory *const memory = session.slots[i];
        if (!memory)
            continue;
        session.slots[i] = NULL;
        stacktree_fini(&memory->lanes[0].tree);
        stacktree_fini(&memory->lanes[1].tree);
        sys_unmap(memory->header, n_bytes);
        sys_unmap(memory, sizeof *memory);
    }
}
