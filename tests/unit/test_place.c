/* SPDX-License-Identifier: MIT */
#include "findings/place.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const struct rule some_rule = {.id = "AL901"}, other_rule = {.id = "AL902"};

/* A stack whose frames are all there are. */
enum { MOST_FRAMES = 16 };
static const uint32_t all_frames[MOST_FRAMES] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                 8, 9, 10, 11, 12, 13, 14, 15};

static struct finding print_of(const struct rule *rule, const struct profile_frame *frames,
                               uint32_t n, uint32_t place)
{
    const struct profile profile = {.frames = frames, .n_frames = n};
    struct finding finding = {.rule = rule, .place = {n, all_frames, place}};
    place_print(&finding, &profile);
    return finding;
}

static struct finding print_of_one(const char *function, const char *module)
{
    const struct profile_frame frame = {
        .function = function, .file = "/a/x.c", .module = module, .line = 1};
    return print_of(&some_rule, &frame, 1, 0);
}

static void assert_same(const struct finding *a, const struct finding *b, const char *what)
{
    if (strcmp(a->id, b->id) != 0)
        fail_msg("%s: %s is not %s", what, a->id, b->id);
}

static void assert_differ(const struct finding *a, const struct finding *b, const char *what)
{
    if (strcmp(a->id, b->id) == 0)
        fail_msg("%s: both are %s", what, a->id);
}

static void ids_have_the_form_of_the_schema(void **state)
{
    (void)state;
    const struct finding finding = print_of_one("f", "/bin/m");
    assert_int_equal(strlen(finding.id), 18);
    assert_memory_equal(finding.id, "AL901-", 6);
    assert_int_equal(strspn(finding.id + 6, "0123456789abcdef"), 12);
    assert_memory_equal(finding.id + 6, finding.stack_print, 12);
    assert_int_equal(strlen(finding.stack_print), 16);
    assert_int_equal(strlen(finding.site_print), 16);
}

static void names_are_compared_without_what_changes(void **state)
{
    (void)state;
    static const struct {
        const char *a, *module_a, *b, *module_b;
    } rows[] = {
        {"f", "/bin/m", "f", "/opt/m"},
        {"f", "/lib/libx.so.1.2", "f", "/lib/libx.so.3"},
        {"f", "/lib/libx.so", "f", "/lib/libx.so.3"},
        {"f.isra.0", "m", "f", "m"},
        {"f.part.1.constprop.0", "m", "f", "m"},
        {"f.cold", "m", "f [clone .cold]", "m"},
        {"g<int>::f(long)", "m", "g<std::vector<int> >::f(long)", "m"},
        {"f()::{lambda(int)#1}::operator()(int) const", "m",
         "f()::{lambda(int)#12}::operator()(int) const", "m"},
        {"operator<< <char>(int)", "m", "operator<< <wchar_t>(int)", "m"},
        /* A function of its own, and inlined: debug information may have less then. */
        {"shop::keep(unsigned int)", "m", "keep", "m"},
        {"shop::(anonymous namespace)::box::open(int) const", "m", "box::open", "m"},
        {"long shop::repeat<main::{lambda()#1}>(int, main::{lambda()#1})", "m",
         "repeat<main(int, char**)::<lambda()> >", "m"},
        {"main::{lambda()#1}::operator()() const::{lambda(long)#5}::operator()(long) const", "m",
         "<lambda>::operator()", "m"},
        {"a::b::operator new[](unsigned long)", "m", "b::operator new[]", "m"},
        {"shop::till::label[abi:cxx11](unsigned int)", "m", "till::label", "m"},
        {"a::f(int)", "m", "a::f(long)", "m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct finding a = print_of_one(rows[i].a, rows[i].module_a);
        const struct finding b = print_of_one(rows[i].b, rows[i].module_b);
        assert_same(&a, &b, rows[i].a);
    }
}

static void different_functions_differ(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
    } rows[] = {
        {"f", "g"},
        {"a<int>::f", "a<int>::g"},
        {"operator<(x)", "operator>(x)"},
        {"operator<<(x)", "operator>>(x)"},
        {"operator->(x)", "operator>(x)"},
        {"a::operator()(x)", "a::operator[](x)"},
        {"a::operator new(x)", "a::operator delete(x)"},
        {"a::operators(x)", "a::operator+(x)"},
        {"main.(*T).f", "main.(*T).g"},
        {"f", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct finding a = print_of_one(rows[i].a, "m"), b = print_of_one(rows[i].b, "m");
        assert_differ(&a, &b, rows[i].a);
    }
    const struct finding a = print_of_one("f", "m"), b = print_of_one("f", "n");
    assert_differ(&a, &b, "module");
}

static void lines_and_addresses_do_not_matter(void **state)
{
    (void)state;
    struct profile_frame frames[] = {
        {.function = "f", .file = "/a/x.c", .module = "m", .line = 1, .offset = 16},
        {.function = "main", .file = "/a/x.c", .module = "m", .line = 9, .offset = 32}};
    const struct finding before = print_of(&some_rule, frames, 2, 0);
    frames[0].line = 2;
    frames[0].offset = frames[1].offset = 4711;
    const struct finding after = print_of(&some_rule, frames, 2, 0);
    assert_same(&before, &after, "line");
    assert_string_not_equal(before.site_print, after.site_print);
    frames[0].file = "/b/x.c"; /* another folder */
    const struct finding elsewhere = print_of(&some_rule, frames, 2, 0);
    assert_string_equal(elsewhere.site_print, after.site_print);
}

static void the_runtime_below_and_between_does_not_matter(void **state)
{
    (void)state;
    const struct profile_frame direct[] = {{.function = "f", .module = "m", .file = ""},
                                           {.function = "main", .module = "m", .file = ""}};
    const struct profile_frame through[] = {
        {.function = "inner", .module = "c", .file = "", .is_runtime = true},
        {.function = "f", .module = "m", .file = ""},
        {.function = "qsort", .module = "c", .file = "", .is_runtime = true},
        {.function = "xmalloc", .module = "m", .file = "", .is_hidden = true},
        {.function = "main", .module = "m", .file = ""},
        {.function = "_start", .module = "c", .file = "", .is_runtime = true}};
    const struct finding a = print_of(&some_rule, direct, 2, 0);
    const struct finding b = print_of(&some_rule, through, 6, 1);
    const struct finding other = print_of(&other_rule, direct, 2, 0);
    assert_same(&a, &b, "runtime");
    assert_string_not_equal(a.stack_print, other.stack_print);
}

static void only_the_first_frames_count(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    struct profile_frame frames[7];
    for (size_t i = 0; i < 7; i++)
        frames[i] = (struct profile_frame){.function = names[i], .module = "m", .file = ""};
    const struct finding seven = print_of(&some_rule, frames, 7, 0);
    const struct finding five = print_of(&some_rule, frames, FINDING_PRINT_FRAMES, 0);
    const struct finding four = print_of(&some_rule, frames, FINDING_PRINT_FRAMES - 1, 0);
    assert_same(&seven, &five, "depth");
    assert_differ(&five, &four, "depth");
}

static void a_recursion_counts_once_however_deep(void **state)
{
    (void)state;
    const struct profile_frame frames[] = {{.function = "f.part.0", .module = "m", .file = ""},
                                           {.function = "f", .module = "m", .file = ""},
                                           {.function = "f", .module = "m", .file = ""},
                                           {.function = "main", .module = "m", .file = ""},
                                           {.function = "", .module = "stripped", .file = ""},
                                           {.function = "", .module = "stripped", .file = ""}};
    const struct finding deep = print_of(&some_rule, frames, 4, 0);
    const struct finding flat = print_of(&some_rule, &frames[2], 2, 0);
    assert_same(&deep, &flat, "depth");
    const struct finding one = print_of(&some_rule, frames, 5, 3);
    const struct finding two = print_of(&some_rule, frames, 6, 3);
    assert_differ(&one, &two, "frames without a name are not one function");
}

/* Two callers call as often: which stack comes first is a matter of addresses. */
static void among_equal_stacks_the_order_does_not_matter(void **state)
{
    (void)state;
    static const uint32_t stacks[] = {0, 1}, left[] = {0, 1}, right[] = {0, 2};
    const struct profile_frame frames[] = {{.function = "f", .module = "m", .file = ""},
                                           {.function = "left", .module = "m", .file = ""},
                                           {.function = "right", .module = "m", .file = ""}};
    struct site sites[2] = {{.n_frames = 2, .frames = left}, {.n_frames = 2, .frames = right}};
    const struct site place = {.n_frames = 2, .frames = left, .n_stacks = 2, .stacks = stacks};
    const struct profile profile = {.frames = frames, .n_frames = 3, .sites = sites, .n_sites = 2};
    struct finding one = {.rule = &some_rule, .place = {2, left, 0}, .site = &place};
    struct finding other = {.rule = &some_rule, .place = {2, right, 0}, .site = &place};
    struct finding more = other;
    place_print(&one, &profile);
    sites[0].frames = right;
    sites[1].frames = left;
    place_print(&other, &profile);
    assert_same(&one, &other, "order");
    sites[0].metrics.alloc_count = 9;
    place_print(&more, &profile);
    const struct finding alone = {.rule = &some_rule, .place = {2, right, 0}};
    struct finding right_alone = alone;
    place_print(&right_alone, &profile);
    assert_same(&more, &right_alone, "the one with more calls");
}

/* Unfinished brackets, bytes that are no text, nothing at all. */
static void hostile_names_give_ids_too(void **state)
{
    (void)state;
    static const char *const names[] = {
        "<<<<", ">>>>", "{#}#", "\xff\x01<\x80", "operator", "operator<", ".isra", " [clone", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(strlen(print_of_one(names[i], "").id), 18);
    const struct finding none = print_of(&some_rule, NULL, 0, 0);
    assert_int_equal(strlen(none.id), 18);
}

static void two_calls_in_one_function_are_numbered_by_line(void **state)
{
    (void)state;
    const struct profile_frame frames[] = {
        {.function = "f", .module = "m", .file = "x.c", .line = 20},
        {.function = "f", .module = "m", .file = "x.c", .line = 10},
        {.function = "f", .module = "m", .file = "x.c", .line = 30}};
    const struct profile profile = {.frames = frames, .n_frames = 3};
    const struct finding alone = print_of(&some_rule, frames, 1, 0);
    struct finding findings[3], *all[] = {&findings[0], &findings[1], &findings[2]};
    char ids[2][24];
    for (size_t round = 0; round < 2; round++) { /* in any order of finding */
        struct finding *const first = all[0];
        for (uint32_t i = 0; i < 3; i++) {
            findings[i] = (struct finding){.rule = &some_rule, .place = {1, &all_frames[i], 0}};
            place_print(&findings[i], &profile);
        }
        assert_int_equal(place_number_alike(all, 3, &profile), 0);
        assert_same(&findings[1], &alone, "first line");
        assert_differ(&findings[0], &findings[1], "second line");
        assert_differ(&findings[0], &findings[2], "third line");
        assert_differ(&findings[1], &findings[2], "third line");
        memcpy(ids[round], findings[2].id, sizeof ids[round]);
        all[0] = all[2];
        all[2] = first;
    }
    assert_string_equal(ids[0], ids[1]);
}

/* Those of I/O come in the order of the time they took. */
static void among_stacks_of_io_calls_decide_and_not_time(void **state)
{
    (void)state;
    static const uint32_t stacks[] = {0, 1}, left[] = {0, 1}, right[] = {0, 2};
    const struct profile_frame frames[] = {{.function = "f", .module = "m", .file = ""},
                                           {.function = "left", .module = "m", .file = ""},
                                           {.function = "right", .module = "m", .file = ""}};
    const struct io_site sites[] = {{.n_frames = 2, .frames = left, .calls = 3, .seconds = 2},
                                    {.n_frames = 2, .frames = right, .calls = 4, .seconds = 1}};
    const struct io_site place = {.op = "read", .n_stacks = 2, .stacks = stacks};
    const struct io_site alone = {.op = "read", .n_stacks = 1, .stacks = &stacks[1]};
    const struct profile profile = {
        .frames = frames, .n_frames = 3, .io_sites = sites, .n_io_sites = 2};
    struct finding both = {.rule = &some_rule, .place = {2, left, 0}, .io_site = &place};
    struct finding one = {.rule = &some_rule, .place = {2, right, 0}, .io_site = &alone};
    place_print(&both, &profile);
    place_print(&one, &profile);
    assert_same(&both, &one, "the one with more calls");
}

/* One line of a template, called from two lines: the callers' lines decide, not addresses. */
static void calls_of_one_line_are_numbered_by_their_callers(void **state)
{
    (void)state;
    static const uint32_t stacks[2][2] = {{0, 1}, {0, 2}};
    struct profile_frame frames[] = {
        {.function = "put", .module = "m", .file = "x.c", .line = 5},
        {.function = "main", .module = "m", .file = "x.c", .line = 10, .offset = 900},
        {.function = "main", .module = "m", .file = "x.c", .line = 20, .offset = 100}};
    const struct profile profile = {.frames = frames, .n_frames = 3};
    struct finding one = {.rule = &some_rule, .place = {2, stacks[0], 0}}, other = one;
    struct finding *all[] = {&other, &one};
    other.place.frames = stacks[1];
    place_print(&one, &profile);
    place_print(&other, &profile);
    const struct finding first = one;
    assert_same(&one, &other, "before they are numbered");
    assert_int_equal(place_number_alike(all, 2, &profile), 0);
    assert_same(&one, &first, "the first line of main");
    assert_differ(&other, &first, "the second line of main");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_the_form_of_the_schema),
        cmocka_unit_test(names_are_compared_without_what_changes),
        cmocka_unit_test(different_functions_differ),
        cmocka_unit_test(lines_and_addresses_do_not_matter),
        cmocka_unit_test(the_runtime_below_and_between_does_not_matter),
        cmocka_unit_test(only_the_first_frames_count),
        cmocka_unit_test(a_recursion_counts_once_however_deep),
        cmocka_unit_test(among_equal_stacks_the_order_does_not_matter),
        cmocka_unit_test(among_stacks_of_io_calls_decide_and_not_time),
        cmocka_unit_test(hostile_names_give_ids_too),
        cmocka_unit_test(two_calls_in_one_function_are_numbered_by_line),
        cmocka_unit_test(calls_of_one_line_are_numbered_by_their_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
