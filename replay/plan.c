/* SPDX-License-Identifier: MIT */
/* How a plan is read from JSON: key by key, an unknown one is an error. */
#include "replay/plan.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/ops.h"

static const char *const technique_names[REPLAY_N_TECHNIQUES] = {
    [REPLAY_NONE] = "none",       [REPLAY_POOL] = "pool",   [REPLAY_ARENA] = "arena",
    [REPLAY_RESERVE] = "reserve", [REPLAY_STACK] = "stack", [REPLAY_REUSE] = "reuse",
};

enum { WHY_BYTES = 200 };

const char *plan_technique_name(uint8_t technique)
{
    return technique < REPLAY_N_TECHNIQUES ? technique_names[technique] : NULL;
}

static size_t leader(const struct replay_plan *plan, size_t i)
{
    const struct replay_plan_row *const row = &plan->rows[i];
    for (size_t j = 0; j < i && row->technique == REPLAY_ARENA && row->group; j++)
        if (plan->rows[j].technique == REPLAY_ARENA && plan->rows[j].group == row->group)
            return j;
    return i;
}

bool plan_row_leads(const struct replay_plan *plan, size_t i)
{
    return leader(plan, i) == i;
}

__attribute__((format(printf, 2, 3))) static int refuse(char *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, WHY_BYTES, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static int take_site(struct replay_plan_row *row, const json_t *value, char *why)
{
    const char *const text = json_string_value(value);
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return refuse(why, "\"site\" is no id of a call site (16 hex digits)");
    memcpy(row->site, text, sizeof row->site);
    return 0;
}

static int take_technique(struct replay_plan_row *row, const json_t *value, char *why)
{
    const char *const text = json_string_value(value);
    for (uint8_t i = REPLAY_POOL; text && i < REPLAY_N_TECHNIQUES; i++)
        if (strcmp(text, technique_names[i]) == 0) {
            row->technique = i;
            return 0;
        }
    return refuse(why, "\"technique\" is none of pool, arena, reserve, stack, reuse");
}

static int take_number(uint64_t *number, const char *key, const json_t *value, char *why)
{
    const json_int_t given = json_integer_value(value);
    if (!json_is_integer(value) || given < 0 || given > (json_int_t)1 << 48)
        return refuse(why, "\"%.40s\" is no number of 0 to 2^48", key);
    *number = (uint64_t)given;
    return 0;
}

static int take_group(struct replay_plan_row *row, const json_t *value, char *why)
{
    uint64_t group = 0;
    const int error = take_number(&group, "group", value, why);
    if (error)
        return error;
    if (group > UINT16_MAX)
        return refuse(why, "\"group\" is above %d", UINT16_MAX);
    row->group = (uint16_t)group;
    return 0;
}

static int take_key(struct replay_plan_row *row, const char *key, const json_t *value, char *why)
{
    if (strcmp(key, "site") == 0)
        return take_site(row, value, why);
    if (strcmp(key, "technique") == 0)
        return take_technique(row, value, why);
    if (strcmp(key, "group") == 0)
        return take_group(row, value, why);
    if (strcmp(key, "slots") == 0)
        return take_number(&row->slots, key, value, why);
    if (strcmp(key, "bytes") == 0 || strcmp(key, "object_bytes") == 0 ||
        strcmp(key, "final_bytes") == 0)
        return take_number(&row->bytes, key, value, why);
    bool *const flag = strcmp(key, "shared") == 0           ? &row->is_shared
                       : strcmp(key, "only_temporary") == 0 ? &row->only_temporary
                                                            : NULL;
    if (!flag || !json_is_boolean(value))
        return refuse(why, "unknown key \"%.40s\", or no value that it takes", key);
    *flag = json_is_true(value);
    return 0;
}

static int take_row(struct replay_plan_row *row, json_t *object, char *why)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return refuse(why, "an element is no object");
    json_object_foreach(object, key, value)
    {
        const int error = take_key(row, key, value, why);
        if (error)
            return error;
    }
    if (!row->site[0] || row->technique == REPLAY_NONE)
        return refuse(why, "\"site\" and \"technique\" have to be given");
    if (row->bytes == 0)
        return refuse(why, "\"bytes\" has to be given, and more than 0");
    if (row->technique == REPLAY_POOL && row->slots == 0)
        return refuse(why, "\"slots\" of a pool has to be given, and more than 0");
    return 0;
}

static int take_rows(struct replay_plan *plan, const json_t *array, char *why)
{
    const size_t n = json_array_size(array);
    if (!json_is_array(array) || n > OPS_MAX_ROWS)
        return refuse(why, "is no array of at most %d objects", OPS_MAX_ROWS);
    plan->rows = calloc(n + 1, sizeof *plan->rows);
    if (!plan->rows)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const int error = take_row(&plan->rows[i], json_array_get(array, i), why);
        if (error)
            return error;
        plan->n_rows++;
    }
    return 0;
}

int plan_read(const char *path, struct replay_plan *plan_out, char why_out[200])
{
    struct replay_plan plan = {.n_rows = 0};
    json_error_t found;
    why_out[0] = 0;
    FILE *const file = fopen(path, "re");
    if (!file)
        return -errno;
    json_t *const array = json_loadf(file, JSON_REJECT_DUPLICATES, &found);
    fclose(file);
    const int error = array ? take_rows(&plan, array, why_out)
                            : refuse(why_out, "line %d: %.150s", found.line, found.text);
    json_decref(array);
    if (error)
        plan_fini(&plan);
    else
        *plan_out = plan;
    return error;
}

void plan_fini(struct replay_plan *plan)
{
    free(plan->rows);
    *plan = (struct replay_plan){.n_rows = 0};
}
