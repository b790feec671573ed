/* SPDX-License-Identifier: MIT */
#include "report/names.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void arguments_go_before_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t width;
        const char *shown;
    } rows[] = {
        {"main", 10, "main"},
        {"f(int, char const*)", 19, "f(int, char const*)"},
        {"f(int, char const*)", 10, "f(..)"},
        {"map<int, vector<char>>::find(int)", 32, "map<int, vector<char>>::find(..)"},
        {"map<int, vector<char>>::find(int)", 30, "map<int, vector<..>>::find(..)"},
        {"map<int, vector<char>>::find(int)", 18, "map<..>::find(..)"},
        {"<alloc::vec::Vec<T> as core::iter>::push", 12, "<..>::push"},
        {"operator<<(std::ostream&, T const&)", 14, "operator<<(..)"},
        {"v::operator()(int) const", 23, "v::operator()(..) const"},
        {"(anonymous namespace)::run(int, int)", 31, "(anonymous namespace)::run(..)"},
        {"a_very_long_c_function_name", 12, "a_ver.._name"},
        {"void std::vector<int>::push(int)", 26, "std::vector<int>::push(..)"},
        {"std::shared_ptr<A> std::make<A>(B&&)", 16, "std::make<A>(..)"},
        {"A::operator bool() const", 20, "A::operat..l() const"},
        {"int main::{lambda(int, int)#1}::f(int)", 31, "main::{lambda(..)#1}::f(..)"},
        {"name", 2, "na"},
        {"unbalanced<<<((", 8, "unb..ed<"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        names_add_short(&out, rows[i].name, rows[i].width, "..");
        assert_string_equal(buffer_string(&out), rows[i].shown);
        buffer_fini(&out);
    }
}

static void function_falls_back_to_module_and_address(void **state)
{
    (void)state;
    static const struct {
        struct profile_frame frame;
        const char *function, *location;
    } rows[] = {
        {{"f", "/src/a.c", "/bin/x", 1, 7, false}, "f", "a.c:7"},
        {{"f", "/src/a.c", "/bin/x", 1, 0, false}, "f", "a.c"},
        {{"f", "", "/lib/libx.so", 1, 0, false}, "f", "libx.so"},
        {{"", "", "/lib/libx.so", 0x2f, 0, false}, "libx.so+0x2f", ""},
        {{"", "", "", 0x7f00, 0, false}, "0x7f00", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        names_add_function(&out, &rows[i].frame);
        assert_string_equal(buffer_string(&out), rows[i].function);
        buffer_reset(&out);
        names_add_location(&out, &rows[i].frame, false);
        assert_string_equal(buffer_string(&out), rows[i].location);
        buffer_fini(&out);
    }
}

static void command_is_quoted_as_a_shell_wants_it(void **state)
{
    (void)state;
    static const char *const words[] = {"sh", "-c", "echo 'a b'", "", "x=1"};
    struct buffer out = {0};
    names_add_command(&out, words, 5);
    assert_string_equal(buffer_string(&out), "sh -c 'echo '\\''a b'\\''' '' x=1");
    buffer_fini(&out);
}

static void status_names_the_signal(void **state)
{
    (void)state;
    struct buffer out = {0};
    names_add_status(&out, true, 0x0300);
    buffer_text(&out, "; ");
    names_add_status(&out, true, 9);
    buffer_text(&out, "; ");
    names_add_status(&out, false, 0);
    assert_string_equal(buffer_string(&out),
                        "exit status 3; killed by signal 9 (Killed); status unknown");
    buffer_fini(&out);
}

static void frames_outside_of_the_profile_are_absent(void **state)
{
    (void)state;
    const uint32_t indices[] = {0, 100000};
    const struct site site = {.n_frames = 2, .frames = indices, .place = 9};
    assert_string_equal(names_place(profile_fixture(), &site)->function, "xmalloc");
    assert_null(names_frame(profile_fixture(), &site, 1));
    assert_null(names_frame(profile_fixture(), &site, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_go_before_the_name),
        cmocka_unit_test(function_falls_back_to_module_and_address),
        cmocka_unit_test(command_is_quoted_as_a_shell_wants_it),
        cmocka_unit_test(status_names_the_signal),
        cmocka_unit_test(frames_outside_of_the_profile_are_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
