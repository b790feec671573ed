/* SPDX-License-Identifier: MIT */
/* Whose code a frame is taken for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/classify.h"

static struct profile_frame frame(const char *function, const char *module)
{
    return (struct profile_frame){.function = function, .file = "", .module = module};
}

static void frames_that_only_ask_for_memory_are_the_allocators(void **state)
{
    (void)state;
    static const struct {
        const char *function, *module, *allocator;
        bool result;
    } rows[] = {
        {"malloc", "/lib/libc.so.6", "/lib/libc.so.6", true},
        {"operator new(unsigned long)", "/lib/libstdc++.so.6", "", true},
        {"operator new[](unsigned long, std::nothrow_t const&)", "/bin/p", "", true},
        {"_Znwm", "/lib/libstdc++.so.6", "", true},
        {"std::vector<int>::push_back(int&&)", "/bin/p", "", false},
        {"std::string::_Rep::_S_create(unsigned long)", "/lib/libstdc++.so.6", "", false},
        {"strdup", "/lib/libc.so.6", "/lib/libc.so.6", false},
        {"je_arena_malloc", "/lib/libjemalloc.so.2", "/lib/libjemalloc.so.2", true},
        {"je_arena_malloc", "/lib/libjemalloc.so.2", "/lib/libc.so.6", false},
        {"anything", "/x/libheapwise-preload.so", "", true},
        {"main", "/bin/p", "/bin/p", false}, /* its own malloc: its other code is still its own */
        {"__rust_alloc", "/bin/p", "", true},
        {"free", "/lib/libc.so.6", "/lib/libc.so.6", true},
        {"operator delete(void*, unsigned long)", "/lib/libstdc++.so.6", "", true},
        {"_ZdaPv", "/bin/p", "", true},
        {"alloc::alloc::dealloc", "/bin/p", "", true},
        {"free_list_push", "/bin/p", "", false},
        {"list::free(list*)", "/bin/p", "", false},
        {"malloc_in_my_own_name", "/bin/p", "", false},
        {"", "/bin/p", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct profile_frame f = frame(rows[i].function, rows[i].module);
        if (classify_is_allocator(&f, rows[i].allocator, "/bin/p") != rows[i].result)
            fail_msg("%s in %s", rows[i].function, rows[i].module);
    }
}

static void runtime_is_told_by_module_and_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *function, *module;
        bool result;
    } rows[] = {
        {"main", "/bin/p", false},
        {"strdup", "/lib/x86_64-linux-gnu/libc.so.6", true},
        {"_dl_start", "/lib64/ld-linux-x86-64.so.2", true},
        {"_start", "/bin/p", true},
        {"_start_all", "/bin/p", false},
        {"std::vector<int>::push_back(int)", "/bin/p", true},
        {"void std::vector<A<b>, c>::_M_realloc_insert<d>(e)", "/bin/p", true},
        {"std::pair<int, A> make<int>(int)", "/bin/p", false},
        {"std::vector<int> my::build(int)", "/bin/p", false},
        {"my::thing(std::vector<int>)", "/bin/p", false},
        {"(anonymous namespace)::f(int)", "/bin/p", false},
        {"__gnu_cxx::new_allocator<int>::allocate(unsigned long)", "/bin/p", true},
        {"<alloc::vec::Vec<T> as core::clone::Clone>::clone", "/bin/p", true},
        {"", "/bin/p", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct profile_frame f = frame(rows[i].function, rows[i].module);
        if (classify_is_runtime(&f) != rows[i].result)
            fail_msg("%s in %s", rows[i].function, rows[i].module);
    }
}

static void code_of_installed_headers_is_no_place(void **state)
{
    (void)state;
    struct profile_frame f = {.function = "read",
                              .file = "/usr/include/x86_64-linux-gnu/bits/unistd.h",
                              .module = "/usr/bin/a",
                              .inlined = true};
    assert_true(classify_is_runtime(&f));
    f.inlined = false;
    assert_false(classify_is_runtime(&f));
    f.inlined = true;
    f.file = "/usr/src/program/a.h";
    assert_false(classify_is_runtime(&f));
}

static void functions_that_pass_requests_on_are_known_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *function;
        bool result;
    } rows[] = {
        {"xmalloc", true},
        {"sqlite3DbMallocRawNN", true},
        {"ztrymalloc_usable_internal", true},
        {"PyMem_RawCalloc", true},
        {"jv_mem_alloc", true},
        {"pcache1Alloc", true},
        {"xstrdup", true},
        {"util::checked_realloc(void*, unsigned long)", true},
        {"apr_pstrdup", true},
        {"ngx_pcalloc", true},
        {"ngx_palloc", true},
        {"ngx_memalign", true},
        {"xfree", true},
        {"g_free", true},
        {"g_slice_free1", true},
        {"Perl_mfree", true},
        {"Perl_safesysfree", true},
        {"util::xfree(void*)", true},
        {"Pool::deallocate(void*)", true},
        {"sqlite3_free", true},
        {"sqlite3DbFreeNN", true},
        {"sqlite3DbNNFreeNN", true},
        {"PyMem_RawFree", true},
        {"PyObject_Free", true},
        {"jv_mem_free", true},
        {"jv_free", false},
        {"list_free", false},
        {"SSL_free", false},
        {"sdsfree", false},
        {"freeClient", false},
        {"list_dealloc", false},
        {"free_all", false},
        {"degree", false},
        {"parse", false},
        {"preallocate", false},
        {"allocate_table", false},
        {"build(my::malloc_like*)", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct profile_frame f = frame(rows[i].function, "/bin/p");
        if (classify_is_wrapper(&f) != rows[i].result)
            fail_msg("%s", rows[i].function);
    }
}

static void basename_is_behind_the_last_slash(void **state)
{
    (void)state;
    assert_string_equal(classify_basename("/a/b"), "b");
    assert_string_equal(classify_basename("b"), "b");
    assert_string_equal(classify_basename("/a/"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_only_ask_for_memory_are_the_allocators),
        cmocka_unit_test(runtime_is_told_by_module_and_by_name),
        cmocka_unit_test(code_of_installed_headers_is_no_place),
        cmocka_unit_test(functions_that_pass_requests_on_are_known_by_name),
        cmocka_unit_test(basename_is_behind_the_last_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
