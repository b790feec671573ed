/* SPDX-License-Identifier: MIT */
#include "tests/support/session_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

struct session_memory session_memory_new(uint32_t n_slots, uint64_t main_bytes,
                                         uint64_t signal_bytes)
{
    const uint64_t slot_bytes = SLOT_HEADER_BYTES + main_bytes + signal_bytes;
    struct session_memory memory = {.fd = memfd_create("session", MFD_CLOEXEC),
                                    .n_bytes = SESSION_HEADER_BYTES + n_slots * slot_bytes};
    assert_true(memory.fd >= 0);
    assert_int_equal(ftruncate(memory.fd, (off_t)memory.n_bytes), 0);
    memory.all = mmap(NULL, memory.n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0);
    assert_ptr_not_equal(memory.all, MAP_FAILED);
    struct session_header *const header = memory.header = (struct session_header *)memory.all;
    header->magic = SESSION_MAGIC;
    header->layout_version = SESSION_LAYOUT_VERSION;
    header->max_depth = 128;
    header->n_slots = n_slots;
    header->slot_bytes = slot_bytes;
    header->main_ring_bytes = main_bytes;
    header->signal_ring_bytes = signal_bytes;
    header->collector_pid = getpid();
    snprintf(header->shim_path, sizeof header->shim_path, "/shim/lib.so");
    snprintf(header->session_path, sizeof header->session_path, "/proc/%d/fd/%d", getpid(),
             memory.fd);
    header->recording = 1;
    header->next_image_id = 1;
    for (uint32_t i = 0; i < n_slots; i++)
        header->slots[i] = SLOT_WORD(SLOT_FREE, 0, 0);
    return memory;
}

void session_memory_free(struct session_memory *memory)
{
    munmap(memory->all, memory->n_bytes);
    close(memory->fd);
}

struct session_header *session_memory_map_header(const struct session_memory *memory)
{
    void *const at =
        mmap(NULL, SESSION_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return at;
}

struct slot_header *session_memory_slot(const struct session_memory *memory, uint32_t index)
{
    return (struct slot_header *)(memory->all + SESSION_HEADER_BYTES +
                                  index * memory->header->slot_bytes);
}

size_t session_memory_records(const struct session_memory *memory, uint32_t slot, unsigned ring,
                              struct record *records_out, size_t cap)
{
    struct slot_header *const header = session_memory_slot(memory, slot);
    const uint8_t *const data =
        (const uint8_t *)header + SLOT_HEADER_BYTES + (ring ? memory->header->main_ring_bytes : 0);
    const uint64_t head = header->rings[ring].head;
    struct unpack_cursor cursor = {.at = data, .end = data + head};
    struct record_base base = {.ticks = 0};
    size_t n = 0;
    assert_true(head <=
                (ring ? memory->header->signal_ring_bytes : memory->header->main_ring_bytes));
    while (cursor.at < cursor.end && n < cap) {
        assert_int_equal(record_decode(&cursor, &base, &records_out[n]), 0);
        assert_true(records_out[n].known);
        n++;
    }
    return n;
}
