/* SPDX-License-Identifier: MIT */
/* What did the user set? A JSON file; whatever is not understood is refused, by name. */
#include "findings/config.h"

#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/rule.h"

static const char SCHEMA[] = "heapwise-rules/1";

enum { MAX_FILE_BYTES = 1 << 20 }; /* a configuration is a page */

__attribute__((format(printf, 2, 3))) static int refuse(struct config_error *error,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->reason, sizeof error->reason, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* ---- limits ---- */

static int add_limit(struct findings_config *config, const struct config_limit *limit)
{
    struct config_limit *const limits =
        reallocarray(config->limits, config->n_limits + 1, sizeof *limits);
    if (!limits)
        return -ENOMEM;
    config->limits = limits;
    limits[config->n_limits++] = *limit;
    return 0;
}

static int disable(struct findings_config *config, const struct rule *rule)
{
    const struct rule **const disabled =
        reallocarray(config->disabled, config->n_disabled + 1, sizeof *disabled);
    if (!disabled)
        return -ENOMEM;
    config->disabled = disabled;
    disabled[config->n_disabled++] = rule;
    return 0;
}

static int set_one(struct findings_config *config, const struct rule *rule, const char *key,
                   const json_t *value, struct config_error *error)
{
    if (strcmp(key, "enabled") == 0) {
        if (!json_is_boolean(value))
            return refuse(error, "rules.%s.enabled: true or false is wanted", rule->id);
        return json_is_true(value) ? 0 : disable(config, rule);
    }
    const struct rule_limit *const limit = rule_limit(rule, key);
    if (!limit)
        return refuse(error, "rules.%s has no limit '%s'", rule->id, key);
    const double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0) || isinf(number))
        return refuse(error, "rules.%s.%s: a number of 0 or more is wanted", rule->id, key);
    return add_limit(config,
                     &(struct config_limit){.rule = rule, .name = limit->name, .value = number});
}

static int set_rules(struct findings_config *config, json_t *rules, struct config_error *error)
{
    const char *word, *key;
    json_t *limits, *value;
    int result = json_is_object(rules) ? 0 : refuse(error, "rules: an object is wanted");
    if (result)
        return result;
    json_object_foreach(rules, word, limits)
    {
        const struct rule *const rule = rules_find(word);
        if (!rule)
            return refuse(error, "rules: there is no rule '%s'", word);
        if (!json_is_object(limits))
            return refuse(error, "rules.%s: an object is wanted", word);
        json_object_foreach(limits, key, value)
        {
            result = set_one(config, rule, key, value, error);
            if (result)
                return result;
        }
    }
    return 0;
}

/* ---- patterns ---- */

/* A list of texts, in one allocation with the array; freed with it. */
static int read_patterns(const char *key, const json_t *list, const char ***patterns_out,
                         size_t *n_out, struct config_error *error)
{
    const size_t n = json_array_size(list);
    if (!json_is_array(list))
        return refuse(error, "%s: a list of patterns is wanted", key);
    const char **const patterns = calloc(n + 1, sizeof *patterns);
    if (!patterns)
        return -ENOMEM;
    *patterns_out = patterns;
    for (size_t i = 0; i < n; i++) {
        const json_t *const pattern = json_array_get(list, i);
        if (!json_is_string(pattern) || json_string_length(pattern) == 0)
            return refuse(error, "%s: a pattern is a text that is not empty", key);
        patterns[i] = strdup(json_string_value(pattern));
        if (!patterns[i])
            return -ENOMEM;
        *n_out = i + 1;
    }
    return 0;
}

static int check_schema(const json_t *value, struct config_error *error)
{
    const char *const schema = json_string_value(value);
    if (schema && strcmp(schema, SCHEMA) == 0)
        return 0;
    return refuse(error, "schema: \"%s\" is wanted", SCHEMA);
}

/* ---- the file ---- */

static int set_key(struct findings_config *config, const char *key, json_t *value,
                   struct config_error *error)
{
    if (strcmp(key, "schema") == 0)
        return check_schema(value, error);
    if (strcmp(key, "rules") == 0)
        return set_rules(config, value, error);
    if (strcmp(key, "hide") == 0)
        return read_patterns(key, value, &config->hidden, &config->n_hidden, error);
    if (strcmp(key, "latency_threads") == 0)
        return read_patterns(key, value, &config->latency_threads, &config->n_latency_threads,
                             error);
    return refuse(error, "there is no key '%s'", key);
}

static int set_all(struct findings_config *config, json_t *root, struct config_error *error)
{
    const char *key;
    json_t *value;
    int result = 0;
    if (!json_is_object(root))
        return refuse(error, "an object is wanted");
    if (!json_object_get(root, "schema"))
        return refuse(error, "the key \"schema\" is missing: \"%s\"", SCHEMA);
    json_object_foreach(root, key, value)
    {
        result = set_key(config, key, value, error);
        if (result)
            return result;
    }
    return 0;
}

/* The file's bytes, NUL-terminated, to free(3). */
static int read_file(const char *path, char **text_out, size_t *n_bytes_out)
{
    FILE *const file = fopen(path, "re");
    if (!file)
        return -errno;
    char *const text = malloc(MAX_FILE_BYTES + 1);
    const size_t n_bytes = text ? fread(text, 1, MAX_FILE_BYTES + 1, file) : 0;
    const int error = !text                      ? -ENOMEM
                      : ferror(file)             ? -errno
                      : n_bytes > MAX_FILE_BYTES ? -EFBIG
                                                 : 0;
    fclose(file);
    if (error) {
        free(text);
        return error;
    }
    *text_out = text;
    *n_bytes_out = n_bytes;
    return 0;
}

static int parse(const char *text, size_t n_bytes, struct findings_config *config,
                 struct config_error *error)
{
    json_error_t where;
    json_t *const root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return refuse(error, "line %d: %s", where.line, where.text);
    const int result = set_all(config, root, error);
    json_decref(root);
    return result;
}

int config_load(const char *path, struct findings_config *config_out,
                struct config_error *error_out)
{
    struct findings_config config = {.n_limits = 0};
    char *text = NULL;
    size_t n_bytes = 0;
    int result = path ? read_file(path, &text, &n_bytes) : 0;
    if (result == 0 && path)
        result = parse(text, n_bytes, &config, error_out);
    free(text);
    if (result)
        config_fini(&config);
    else
        *config_out = config;
    return result;
}

static void free_patterns(const char **patterns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)patterns[i]);
    free(patterns);
}

void config_fini(struct findings_config *config)
{
    free_patterns(config->hidden, config->n_hidden);
    free_patterns(config->latency_threads, config->n_latency_threads);
    free(config->disabled);
    free(config->limits);
    *config = (struct findings_config){.n_limits = 0};
}

/* ---- questions ---- */

bool config_is_enabled(const struct findings_config *config, const struct rule *rule)
{
    for (size_t i = 0; i < config->n_disabled; i++)
        if (config->disabled[i] == rule)
            return false;
    return true;
}

bool config_is_latency_thread(const struct findings_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_latency_threads; i++)
        if (fnmatch(config->latency_threads[i], name, 0) == 0)
            return true;
    return false;
}
