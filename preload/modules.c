/* SPDX-License-Identifier: MIT */
/* How modules are noted: a fixed table of ranges; an entry is claimed by an atomic count, or from a
 * module that is gone, and filled before it is marked live. Two threads may note one module at once; the reader takes
 * the later record of two equal ones. */
#include "preload/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "preload/event.h"
#include "preload/image.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "preload/stamp.h"
#include "trace/pack.h"

enum {
    MODULES_MAX = 8192,
    MODULE_FREE = 0,
    MODULE_LIVE = 1,
    MODULE_GONE = 2,
};

struct module {
    _Atomic uint32_t state;
    uint32_t id;
    uintptr_t start, end;
    const struct link_map *map;
    uint64_t
        name_hash; /* the loader gives the same map out again, for another file of the same size */
};

static struct {
    struct module modules[MODULES_MAX];
    _Atomic uint32_t n_modules; /* claimed; may pass MODULES_MAX */
    _Atomic uint32_t last_id;
} table;

_Atomic uint32_t modules_generation_now;

static uint32_t n_claimed(void)
{
    const uint32_t n = atomic_load_explicit(&table.n_modules, memory_order_acquire);
    return n < MODULES_MAX ? n : MODULES_MAX;
}

void modules_forget(void)
{
    const uint32_t n = n_claimed();
    for (uint32_t i = 0; i < n; i++)
        atomic_store(&table.modules[i].state, MODULE_FREE);
    atomic_store(&table.n_modules, 0);
}

/* FNV-1a. */
static uint64_t hash_name(const struct link_map *map)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = map->l_name ? map->l_name : ""; *at; at++)
        hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    return hash;
}

static bool is_of(const struct module *module, const struct dl_find_object *object)
{
    return module->start == (uintptr_t)object->dlfo_map_start &&
           module->end == (uintptr_t)object->dlfo_map_end && module->map == object->dlfo_link_map &&
           module->name_hash == hash_name(object->dlfo_link_map);
}

static bool still_loaded(const struct module *module)
{
    struct dl_find_object found;
    return _dl_find_object((void *)module->start, &found) == 0 && is_of(module, &found);
}

/* What a module's headers say; they lie at its first mapped byte. */
struct build_id {
    char hex[2 * TRACE_MAX_BUILD_ID_BYTES + 1];
};

static void print_hex(const uint8_t *bytes, size_t n_bytes, struct build_id *id_out)
{
    static const char digits[] = "0123456789abcdef";
    if (n_bytes > TRACE_MAX_BUILD_ID_BYTES)
        n_bytes = TRACE_MAX_BUILD_ID_BYTES;
    for (size_t i = 0; i < n_bytes; i++) {
        id_out->hex[2 * i] = digits[bytes[i] >> 4];
        id_out->hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    id_out->hex[2 * n_bytes] = '\0';
}

/* Look through one PT_NOTE segment. Source: ELF gABI, "Note Section"; GNU notes are 4-aligned. */
static bool find_in_notes(const uint8_t *at, size_t n_bytes, struct build_id *id_out)
{
    while (n_bytes >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        const size_t n_name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
        const size_t n_desc = ((size_t)note.n_descsz + 3) & ~(size_t)3;
        if (n_name > n_bytes || n_desc > n_bytes || sizeof note + n_name + n_desc > n_bytes)
            return false;
        const uint8_t *const name = at + sizeof note;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
            print_hex(name + n_name, note.n_descsz, id_out);
            return true;
        }
        at += sizeof note + n_name + n_desc;
        n_bytes -= sizeof note + n_name + n_desc;
    }
    return false;
}

static void read_build_id(const struct dl_find_object *object, struct build_id *id_out)
{
    const uint8_t *const first = object->dlfo_map_start;
    const uintptr_t bias = object->dlfo_link_map->l_addr;
    const uintptr_t end = (uintptr_t)object->dlfo_map_end;
    const ElfW(Ehdr) *const header = (const ElfW(Ehdr) *)first;
    id_out->hex[0] = '\0';
    if (memcmp(first, ELFMAG, SELFMAG) != 0 || header->e_phentsize != sizeof(ElfW(Phdr)) ||
        header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > 4096)
        return;
    const ElfW(Phdr) *const segments = (const ElfW(Phdr) *)(first + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const uintptr_t at = bias + segments[i].p_vaddr;
        if (segments[i].p_type == PT_NOTE && at >= (uintptr_t)first && at < end &&
            segments[i].p_memsz <= end - at &&
            find_in_notes((const uint8_t *)at, segments[i].p_memsz, id_out))
            return;
    }
}

static const char *path_of(const struct link_map *map)
{
    return map->l_name && map->l_name[0] ? map->l_name : image_executable();
}

static bool write_module(struct lane *lane, uint32_t id, const struct dl_find_object *object)
{
    struct build_id build_id;
    read_build_id(object, &build_id);
    const char *const path = path_of(object->dlfo_link_map);
    const size_t n_path = strnlen(path, TRACE_MAX_TEXT_BYTES);
    const size_t n_build_id = strlen(build_id.hex);
    uint8_t *const room =
        ring_reserve(lane, n_path + n_build_id + 2 * PACK_HEAD_BYTES + 8 * PACK_INTEGER_BYTES);
    if (!room)
        return false;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, TRACE_MODULE, 8);
    pack_uint32(&cursor, id);
    pack_text(&cursor, path, n_path);
    pack_text(&cursor, build_id.hex, n_build_id);
    pack_uint64(&cursor, object->dlfo_link_map->l_addr);
    pack_uint64(&cursor, (uintptr_t)object->dlfo_map_start);
    pack_uint64(&cursor, (uintptr_t)object->dlfo_map_end);
    ring_publish(lane, cursor.at);
    stamp_end_groups(lane);
    return true;
}

/* An entry whose module is gone, else a fresh one; NULL when the table is full. */
static struct module *claim_entry(void)
{
    const uint32_t n = n_claimed();
    for (uint32_t i = 0; i < n; i++) {
        uint32_t gone = MODULE_GONE;
        if (atomic_compare_exchange_strong(&table.modules[i].state, &gone, MODULE_FREE))
            return &table.modules[i];
    }
    const uint32_t index = atomic_fetch_add(&table.n_modules, 1);
    return index < MODULES_MAX ? &table.modules[index] : NULL;
}

static void add(struct lane *lane, const struct dl_find_object *object)
{
    const uint32_t id = atomic_fetch_add(&table.last_id, 1) + 1;
    if (!write_module(lane, id, object))
        return; /* the next stack node in it tries again */
    struct module *const module = claim_entry();
    if (module) {
        module->id = id;
        module->start = (uintptr_t)object->dlfo_map_start;
        module->end = (uintptr_t)object->dlfo_map_end;
        module->map = object->dlfo_link_map;
        module->name_hash = hash_name(object->dlfo_link_map);
        atomic_store_explicit(&module->state, MODULE_LIVE, memory_order_release);
    }
}

static bool is_live(const struct module *module)
{
    return atomic_load_explicit(&module->state, memory_order_acquire) == MODULE_LIVE;
}

static void mark_gone(struct lane *lane, struct module *module)
{
    uint32_t live = MODULE_LIVE;
    if (!atomic_compare_exchange_strong(&module->state, &live, MODULE_GONE))
        return;
    event_number(lane, TRACE_MODULE_GONE, module->id);
    stamp_end_groups(lane);
    atomic_fetch_add(&modules_generation_now, 1);
}

void modules_note(struct lane *lane, uintptr_t pc)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)(pc - 1), &object) != 0 || !object.dlfo_link_map)
        return;
    const uintptr_t start = (uintptr_t)object.dlfo_map_start;
    const uintptr_t end = (uintptr_t)object.dlfo_map_end;
    const uint32_t n = n_claimed();
    for (uint32_t i = 0; i < n; i++) {
        struct module *const module = &table.modules[i];
        if (!is_live(module) || module->end <= start || module->start >= end)
            continue;
        if (is_of(module, &object))
            return;
        mark_gone(lane, module);
    }
    add(lane, &object);
}

void modules_sweep(struct lane *lane)
{
    const uint32_t n = n_claimed();
    for (uint32_t i = 0; i < n; i++)
        if (is_live(&table.modules[i]) && !still_loaded(&table.modules[i]))
            mark_gone(lane, &table.modules[i]);
}
