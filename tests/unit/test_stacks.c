/* SPDX-License-Identifier: MIT */
/* Whether a stack is one node, wherever it is met. */
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

#include "reader/stacks.h"

static void same_place_is_the_same_node(void **state)
{
    (void)state;
    struct stacks stacks = {0};
    const uint32_t object = stacks_object(&stacks, 1, 2);
    const struct stack_node outer = {.parent = 0, .object = object, .offset = 16};
    const uint32_t root = stacks_node(&stacks, &outer);
    for (uint64_t i = 0; i < 3000; i++) {
        const struct stack_node node = {.parent = root, .object = object, .offset = i};
        assert_int_equal(stacks_node(&stacks, &node), i + 2);
    }
    for (uint64_t i = 0; i < 3000; i++) {
        const struct stack_node node = {.parent = root, .object = object, .offset = i};
        assert_int_equal(stacks_node(&stacks, &node), i + 2);
        assert_int_equal(stacks_at(&stacks, (uint32_t)i + 2)->offset, i);
    }
    const struct stack_node elsewhere = {.parent = 2, .object = object, .offset = 16};
    assert_int_not_equal(stacks_node(&stacks, &elsewhere), root);
    stacks_fini(&stacks);
}

static void module_is_its_path_and_build_id(void **state)
{
    (void)state;
    struct stacks stacks = {0};
    const uint32_t a = stacks_object(&stacks, 1, 2), b = stacks_object(&stacks, 1, 3);
    assert_int_not_equal(a, b);
    assert_int_equal(stacks_object(&stacks, 1, 2), a);
    stacks_fini(&stacks);
}

static void unplaced_addresses_are_kept_apart_by_image_and_time(void **state)
{
    (void)state;
    struct stacks stacks = {0};
    const uint32_t a = stacks_unresolved(&stacks, 1, 5);
    assert_true(a & STACK_UNRESOLVED);
    assert_int_equal(stacks_unresolved(&stacks, 1, 5), a);
    assert_int_not_equal(stacks_unresolved(&stacks, 1, 6), a);
    assert_int_not_equal(stacks_unresolved(&stacks, 2, 5), a);
    stacks_fini(&stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_place_is_the_same_node),
        cmocka_unit_test(module_is_its_path_and_build_id),
        cmocka_unit_test(unplaced_addresses_are_kept_apart_by_image_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
