/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/image.h"
#include "preload/modules.h"
#include "preload/session.h"
#include "tests/support/lane_fixture.h"

const char *image_executable(void)
{
    return "/the/executable";
}

static struct lane *lane;
static struct record records[64];

static int start(void **state)
{
    (void)state;
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    modules_forget();
    memset(records, 0, sizeof records);
    return 0;
}

static size_t read_records(void)
{
    return lane_fixture_records(records, sizeof records / sizeof *records);
}

static bool text_is(const struct unpack_text *text, const char *wanted)
{
    return text->n_bytes == strlen(wanted) && memcmp(text->bytes, wanted, text->n_bytes) == 0;
}

/* The build id that readelf prints for a file, "" where it prints none. */
static void build_id_of(const char *path, char *id_out)
{
    char command[5000], line[512];
    snprintf(command, sizeof command, "readelf -n '%s' 2>/dev/null", path);
    FILE *const listing = popen(command, "r");
    id_out[0] = '\0';
    while (fgets(line, sizeof line, listing))
        sscanf(line, " Build ID: %128s", id_out);
    pclose(listing);
}

static const struct link_map *map_of(const char *library)
{
    struct link_map *map = NULL;
    void *const handle = dlopen(library, RTLD_NOW);
    assert_non_null(handle);
    assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
    return map;
}

static void a_module_is_told_once_and_in_full(void **state)
{
    const struct link_map *const map = map_of("libc.so.6");
    const uintptr_t pc = (uintptr_t)dlsym(RTLD_DEFAULT, "qsort") + 1;
    char build_id[129];
    struct dl_find_object found;
    (void)state;
    modules_note(lane, pc);
    modules_note(lane, pc);
    modules_note(lane, (uintptr_t)dlsym(RTLD_DEFAULT, "printf") + 1);
    assert_int_equal(read_records(), 1);
    const struct record *const record = &records[0];
    assert_int_equal(record->tag, TRACE_MODULE);
    assert_true(text_is(&record->module.path, map->l_name));
    assert_true(record->module.bias == map->l_addr);
    assert_int_equal(_dl_find_object((void *)pc, &found), 0);
    assert_true(record->module.start == (uintptr_t)found.dlfo_map_start);
    assert_true(record->module.end == (uintptr_t)found.dlfo_map_end);
    assert_true(pc > record->module.start && pc < record->module.end);
    build_id_of(map->l_name, build_id);
    assert_true(text_is(&record->module.build_id, build_id));
    assert_true(record->ticks > 0);
}

/* A return address lies behind the call: at a module's first byte it still is the one before. */
static void an_address_is_that_of_the_call(void **state)
{
    struct dl_find_object found;
    (void)state;
    assert_int_equal(_dl_find_object((void *)(uintptr_t)dlsym(RTLD_DEFAULT, "qsort"), &found), 0);
    modules_note(lane, (uintptr_t)found.dlfo_map_end);
    assert_int_equal(read_records(), 1);
    assert_true(records[0].module.end == (uintptr_t)found.dlfo_map_end);
}

static void the_executable_is_named_by_its_image(void **state)
{
    char build_id[129], path[64];
    (void)state;
    modules_note(lane, (uintptr_t)start + 1);
    assert_int_equal(read_records(), 1);
    assert_true(text_is(&records[0].module.path, "/the/executable"));
    snprintf(path, sizeof path, "/proc/%d/exe", (int)getpid());
    build_id_of(path, build_id);
    assert_true(text_is(&records[0].module.build_id, build_id));
}

static void code_of_no_module_is_not_told(void **state)
{
    (void)state;
    modules_note(lane, 1);
    modules_note(lane, (uintptr_t)&state);
    modules_note(lane, UINTPTR_MAX);
    assert_int_equal(read_records(), 0);
}

/* What a shapes library is for here: to come and go. */
static void *load(const char *name, uintptr_t *pc_out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/unit/lib%s.so", TEST_BUILD_ROOT, name);
    void *const handle = dlopen(path, RTLD_NOW);
    if (!handle)
        fail_msg("%s", dlerror());
    *pc_out = (uintptr_t)dlsym(handle, "shapes_run") + 1;
    return handle;
}

void unwind_point(const char *shape);
void unwind_point(const char *shape)
{
    (void)shape;
}

/* What other lanes record from then on must not seem to come before (stamp.h). */
static void what_comes_or_goes_ends_groups(void **state)
{
    uintptr_t pc;
    (void)state;
    void *const handle = load("shapes_plain", &pc);
    session.company = UINT64_C(1) << 16; /* nobody is alone */
    modules_note(lane, pc);
    modules_note(lane, pc);
    assert_true(session.company == UINT64_C(2) << 16);
    dlclose(handle);
    modules_sweep(lane);
    assert_true(session.company == UINT64_C(3) << 16);
}

static void an_unloaded_module_is_gone(void **state)
{
    uintptr_t pc;
    (void)state;
    void *const handle = load("shapes_plain", &pc);
    const uint32_t generation = modules_generation();
    modules_note(lane, pc);
    modules_sweep(lane);
    assert_int_equal(modules_generation(), generation);
    dlclose(handle);
    modules_sweep(lane);
    assert_int_equal(modules_generation(), generation + 1);
    modules_sweep(lane);
    assert_int_equal(modules_generation(), generation + 1);
    assert_int_equal(read_records(), 2);
    assert_int_equal(records[0].tag, TRACE_MODULE);
    assert_int_equal(records[1].tag, TRACE_MODULE_GONE);
    assert_int_equal(records[1].module.id, records[0].module.id);
}

/* Two libraries one after the other, mostly at one address; the first one's end is never asked for. */
static void what_took_its_place_ends_a_module(void **state)
{
    uintptr_t first_pc, second_pc;
    (void)state;
    void *const first = load("shapes_plain", &first_pc);
    modules_note(lane, first_pc);
    dlclose(first);
    void *const second = load("shapes_optimised", &second_pc);
    modules_note(lane, second_pc);
    dlclose(second);
    const size_t n = read_records();
    const bool overlap = n == 3;
    assert_true(n == 2 || n == 3);
    assert_int_equal(records[overlap ? 1 : 0].tag, overlap ? TRACE_MODULE_GONE : TRACE_MODULE);
    const struct record *const later = &records[n - 1];
    assert_int_equal(later->tag, TRACE_MODULE);
    assert_true(later->module.id > records[0].module.id);
    assert_true(later->module.path.n_bytes > 20 &&
                memcmp(later->module.path.bytes + later->module.path.n_bytes - 19,
                       "shapes_optimised.so", 19) == 0);
}

static void entries_are_used_again(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        uintptr_t pc;
        void *const handle = load("shapes_plain", &pc);
        modules_note(lane, pc);
        dlclose(handle);
        modules_sweep(lane);
    }
    assert_int_equal(read_records(), 20);
    for (size_t i = 2; i < 20; i += 2)
        assert_int_equal(records[i].module.id, records[i - 2].module.id + 1);
}

static void a_forked_child_tells_again(void **state)
{
    const uintptr_t pc = (uintptr_t)dlsym(RTLD_DEFAULT, "qsort") + 1;
    (void)state;
    modules_note(lane, pc);
    modules_forget();
    modules_note(lane, pc);
    assert_int_equal(read_records(), 2);
}

/* Told later when there was no room: an event must not name a module that no record describes. */
static void a_module_without_room_is_told_later(void **state)
{
    const uintptr_t pc = (uintptr_t)dlsym(RTLD_DEFAULT, "qsort") + 1;
    (void)state;
    lane->head = lane->ring->head = LANE_FIXTURE_BYTES - 8;
    modules_note(lane, pc);
    assert_true(lane->ring->head == LANE_FIXTURE_BYTES - 8);
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    modules_note(lane, pc);
    assert_int_equal(read_records(), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        CASE(a_module_is_told_once_and_in_full),    CASE(an_address_is_that_of_the_call),
        CASE(the_executable_is_named_by_its_image), CASE(code_of_no_module_is_not_told),
        CASE(what_comes_or_goes_ends_groups),       CASE(an_unloaded_module_is_gone),
        CASE(what_took_its_place_ends_a_module),    CASE(entries_are_used_again),
        CASE(a_forked_child_tells_again),           CASE(a_module_without_room_is_told_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
