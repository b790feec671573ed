/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/fake_shim.h"

#include <sys/mman.h>

#include "trace/pack.h"

static uint32_t claim_any(const struct session *session, int pid, int tid)
{
    struct session_header *const header = session->header;
    for (uint32_t i = 0; i < header->n_slots; i++) {
        uint64_t free_word = SLOT_WORD(SLOT_FREE, 0, 0);
        if (atomic_compare_exchange_strong(&header->slots[i], &free_word,
                                           SLOT_WORD(SLOT_CLAIMED, pid, tid)))
            return i;
    }
    fail_msg("no slot is free");
    return 0;
}

void fake_claim(struct fake_thread *thread, const struct session *session, uint32_t image_id,
                int pid, int tid)
{
    const uint32_t slot = claim_any(session, pid, tid);
    const off_t offset = SESSION_HEADER_BYTES + (off_t)(slot * session->slot_bytes);
    struct slot_header *const header =
        mmap(NULL, session->slot_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, session->fd, offset);
    assert_true(header != MAP_FAILED);
    uint8_t *const bytes = (uint8_t *)header + SLOT_HEADER_BYTES;
    *thread = (struct fake_thread){
        .header = header,
        .slot = slot,
        .slot_bytes = session->slot_bytes,
        .rings = {{&header->rings[0], bytes, session->ring_bytes[0], {0}},
                  {&header->rings[1], bytes + session->ring_bytes[0], session->ring_bytes[1], {0}}},
    };
    header->image_id = image_id;
    header->pid = pid;
    header->tid = tid;
    atomic_store(&header->ready, 1);
}

void fake_leave(struct fake_thread *thread)
{
    munmap(thread->header, thread->slot_bytes);
}

void fake_bytes(struct fake_ring *ring, const void *bytes, size_t n_bytes)
{
    uint64_t head = atomic_load(&ring->ring->head);
    const uint64_t left = ring->size - (head & (ring->size - 1));
    if (n_bytes > left) {
        memset(ring->bytes + (head & (ring->size - 1)), 0xc0, left);
        head += left;
    }
    memcpy(ring->bytes + (head & (ring->size - 1)), bytes, n_bytes);
    atomic_store(&ring->ring->head, head + n_bytes);
}

static void publish(struct fake_ring *ring, const uint8_t *bytes, const struct pack_cursor *end)
{
    fake_bytes(ring, bytes, (size_t)(end->at - bytes));
}

static void begin(struct fake_ring *ring, struct pack_cursor *cursor, unsigned n_elements,
                  enum trace_tag tag, uint64_t ticks)
{
    pack_array(cursor, n_elements);
    pack_uint8(cursor, (uint8_t)tag);
    pack_int64(cursor, (int64_t)(ticks - ring->base.ticks));
    ring->base.ticks = ticks;
}

static void address(struct fake_ring *ring, struct pack_cursor *cursor, uint64_t value)
{
    pack_int64(cursor, (int64_t)(value - ring->base.address));
    ring->base.address = value;
}

static void pair(struct pack_cursor *cursor, const char *key, uint64_t value)
{
    pack_text(cursor, key, strlen(key));
    pack_uint64(cursor, value);
}

void fake_image(struct fake_ring *ring, uint64_t ticks, uint32_t image_id, int pid)
{
    uint8_t bytes[256];
    struct pack_cursor cursor = {bytes};
    begin(ring, &cursor, 3, TRACE_IMAGE, ticks);
    pack_map(&cursor, 3);
    pair(&cursor, "image", image_id);
    pair(&cursor, "pid", (uint64_t)pid);
    pair(&cursor, "start", 1);
    publish(ring, bytes, &cursor);
}

void fake_node(struct fake_ring *ring, uint32_t id, uint32_t parent, uint64_t return_address)
{
    uint8_t bytes[64];
    struct pack_cursor cursor = {bytes};
    pack_array(&cursor, 4);
    pack_uint8(&cursor, TRACE_NODE);
    pack_uint32(&cursor, id);
    pack_uint32(&cursor, parent);
    pack_uint64(&cursor, return_address);
    publish(ring, bytes, &cursor);
}

void fake_module(struct fake_ring *ring, uint64_t ticks, uint64_t start, uint64_t end,
                 const char *path)
{
    uint8_t bytes[512];
    struct pack_cursor cursor = {bytes};
    begin(ring, &cursor, 8, TRACE_MODULE, ticks);
    pack_uint32(&cursor, 1);
    pack_text(&cursor, path, strlen(path));
    pack_text(&cursor, "", 0);
    pack_uint64(&cursor, start);
    pack_uint64(&cursor, start);
    pack_uint64(&cursor, end);
    publish(ring, bytes, &cursor);
}

void fake_malloc(struct fake_ring *ring, uint64_t ticks, uint64_t block, uint64_t size)
{
    uint8_t bytes[64];
    struct pack_cursor cursor = {bytes};
    begin(ring, &cursor, 5, TRACE_MALLOC, ticks);
    address(ring, &cursor, block);
    pack_uint64(&cursor, size);
    pack_uint32(&cursor, 0);
    publish(ring, bytes, &cursor);
}

void fake_free(struct fake_ring *ring, uint64_t ticks, uint64_t block)
{
    uint8_t bytes[64];
    struct pack_cursor cursor = {bytes};
    begin(ring, &cursor, 3, TRACE_FREE, ticks);
    address(ring, &cursor, block);
    publish(ring, bytes, &cursor);
}
