/* SPDX-License-Identifier: MIT */
/* How a buffer finds its block. Calls give addresses inside of blocks, the table of live blocks knows where
 * they begin: so a buffer is looked for a little below its address (headers of strings and objects), then
 * in the blocks that were used last. One far inside of a block never used before is not found. */
#include "reader/io_joins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/hash.h"
#include "reader/io_scene.h"

enum {
    FIRST_SLOTS = 32,
    BLOCK_ALIGNMENT = 16,
    MAX_HEADER_BYTES = 128, /* of an object before its bytes; CPython's have 32 */
};

/* ---- which block ---- */

static bool covers(const struct block *block, uint64_t address)
{
    return block && address - block->address < block->size_bytes;
}

static void note_recent(struct io_joins *joins, uint64_t address)
{
    size_t at = 0;
    while (at < IO_JOINS_RECENT - 1 && joins->recent[at] != address)
        at++;
    memmove(&joins->recent[1], joins->recent, at * sizeof *joins->recent);
    joins->recent[0] = address;
}

static const struct block *find_block(const struct model_image *image, uint64_t address)
{
    const struct live *const live = &image->pairing.live;
    const uint64_t aligned = address & ~(uint64_t)(BLOCK_ALIGNMENT - 1);
    if (address == 0 || live->n_used == 0)
        return NULL;
    for (uint64_t below = 0; below <= MAX_HEADER_BYTES && below < aligned;
         below += BLOCK_ALIGNMENT) {
        const struct block *const block = live_find(live, aligned - below);
        if (block) /* blocks do not overlap: no earlier one reaches so far */
            return covers(block, address) ? block : NULL;
    }
    for (size_t i = 0; i < IO_JOINS_RECENT; i++) {
        const struct block *const block = live_find(live, image->joins.recent[i]);
        if (covers(block, address))
            return block;
    }
    return NULL;
}

/* ---- who used it ---- */

static uint64_t key_of(const struct block *block)
{
    return block->start_ticks ? block->start_ticks : 1;
}

static struct io_joins_block *seek(const struct io_joins *joins, uint64_t key)
{
    size_t at = hash_mix(key) & (joins->n_slots - 1);
    while (joins->slots[at].key && joins->slots[at].key != key)
        at = (at + 1) & (joins->n_slots - 1);
    return &joins->slots[at];
}

/* A block that is there no more and was used once: that call had it for itself. */
static bool settle(const struct model_image *image, const struct io_joins_block *used)
{
    const struct block *const block = live_find(&image->pairing.live, used->address);
    if (block && key_of(block) == used->key)
        return false;
    if (used->n_uses == 1)
        io_site(&image->model->io, used->sites[0])->single_calls++;
    return true;
}

/* Make room by forgetting what is gone, and by growing where that is not enough. */
static int make_room(struct model_image *image)
{
    struct io_joins *const joins = &image->joins;
    struct io_joins kept = {.n_slots = joins->n_slots ? joins->n_slots : FIRST_SLOTS};
    size_t n_live = 0;
    for (size_t i = 0; i < joins->n_slots; i++) {
        struct io_joins_block *const used = &joins->slots[i];
        if (used->key && settle(image, used))
            used->key = 0;
        n_live += used->key != 0;
    }
    if (4 * n_live > kept.n_slots)
        kept.n_slots *= 2;
    kept.slots = calloc(kept.n_slots, sizeof *kept.slots);
    if (!kept.slots)
        return -ENOMEM;
    memcpy(kept.recent, joins->recent, sizeof kept.recent);
    for (size_t i = 0; i < joins->n_slots; i++)
        if (joins->slots[i].key)
            *seek(&kept, joins->slots[i].key) = joins->slots[i];
    kept.n_used = n_live;
    free(joins->slots);
    *joins = kept;
    return 0;
}

static bool was_there(const struct io_joins_block *used, uint32_t site)
{
    for (size_t i = 0; i < IO_JOINS_SITES; i++)
        if (used->sites[i] == site)
            return true;
    return false;
}

static int note_block(struct model_image *image, const struct block *block, uint32_t number)
{
    struct io_joins *const joins = &image->joins;
    struct model_io_site *const site = io_site(&image->model->io, number);
    if (2 * (joins->n_used + 1) > joins->n_slots) {
        const int error = make_room(image);
        if (error)
            return error;
    }
    struct io_joins_block *const used = seek(joins, key_of(block));
    if (used->key == 0) {
        *used = (struct io_joins_block){.key = key_of(block)};
        joins->n_used++;
    }
    used->address = block->address;
    site->heap_calls++;
    if (!was_there(used, number)) {
        site->fresh_calls++;
        memmove(&used->sites[1], used->sites, sizeof used->sites - sizeof *used->sites);
        used->sites[0] = number;
    }
    used->n_uses++;
    note_recent(joins, block->address);
    return 0;
}

/* ---- all of it ---- */

static uint64_t behind(uint64_t address, uint64_t bytes)
{
    return bytes < UINT64_MAX - address ? address + bytes : UINT64_MAX;
}

static void note_filled(struct model_io_thread *thread, uint64_t address, uint64_t bytes,
                        uint64_t block)
{
    thread->read_address = address;
    thread->read_end = behind(address, bytes);
    thread->read_block = block;
}

/* Memory that the thread's last read filled, and that it now writes: once, and unless it belongs to another block
 * since. Else whoever writes from one place all the time would copy what another one read there long ago. */
static bool note_copy(struct model_io_thread *thread, struct model_io_site *site, uint64_t address,
                      uint64_t bytes, uint64_t block)
{
    if (address < thread->read_address || address >= thread->read_end ||
        thread->read_block != block)
        return false;
    const uint64_t filled = thread->read_end - address;
    site->copied_calls++;
    site->copied_bytes += bytes < filled ? bytes : filled;
    thread->read_address = behind(address, bytes);
    return true;
}

int io_joins_use(const struct io_scene *scene, uint32_t number, struct io_joins_use *use)
{
    const uint64_t address = scene->record->io.buffer, bytes = use->bytes;
    if (address == 0 || bytes == 0)
        return 0;
    use->block = find_block(scene->image, address);
    const uint64_t key = use->block ? key_of(use->block) : 0;
    if (use->reads)
        note_filled(scene->thread, address, bytes, key);
    else
        use->is_copied = note_copy(scene->thread, io_site(scene->io, number), address, bytes, key);
    return use->block ? note_block(scene->image, use->block, number) : 0;
}

void io_joins_move(struct io_joins *joins, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < IO_JOINS_RECENT && from; i++)
        if (joins->recent[i] == from)
            joins->recent[i] = to;
}

void io_joins_close(struct model_image *image)
{
    struct io_joins *const joins = &image->joins;
    for (size_t i = 0; i < joins->n_slots; i++)
        if (joins->slots[i].key)
            settle(image, &joins->slots[i]);
    free(joins->slots);
    *joins = (struct io_joins){.n_slots = 0};
}
