/* SPDX-License-Identifier: MIT */
/* How does a piece of a profile become JSON? */
#include "report/jvalue.h"

#include "report/escape.h"
#include "report/names.h"

#include <errno.h>
#include <math.h>

json_t *jvalue_number(uint64_t value)
{
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

json_t *jvalue_real(double value)
{
    return json_real(isfinite(value) ? value : 0);
}

json_t *jvalue_text(const char *value)
{
    struct buffer valid = {0};
    escape_invalid(&valid, value);
    json_t *json = valid.failed ? NULL : json_stringn(buffer_string(&valid), valid.length);
    buffer_fini(&valid);
    return json;
}

json_t *jvalue_text_or_null(const char *value)
{
    return value[0] ? jvalue_text(value) : json_null();
}

json_t *jvalue_words(const char *const *values, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        jvalue_append(&array, jvalue_text(values[i]));
    return array;
}

void jvalue_set(json_t **object, const char *key, json_t *value)
{
    if (!*object) {
        json_decref(value);
        return;
    }
    if (json_object_set_new(*object, key, value) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}

void jvalue_append(json_t **array, json_t *value)
{
    if (!*array) {
        json_decref(value);
        return;
    }
    if (json_array_append_new(*array, value) != 0) {
        json_decref(*array);
        *array = NULL;
    }
}

json_t *jvalue_metric(struct metric_value value)
{
    if (!value.present)
        return json_null();
    return value.is_real ? jvalue_real(value.real) : jvalue_number(value.integer);
}

json_t *jvalue_quantiles(const struct quantiles *q, bool with_min)
{
    if (q->n == 0 && !with_min)
        return json_null();
    json_t *object = json_object();
    if (with_min)
        jvalue_set(&object, "min", jvalue_number(q->min));
    jvalue_set(&object, "p50", jvalue_number(q->p50));
    jvalue_set(&object, "p95", jvalue_number(q->p95));
    jvalue_set(&object, "p99", jvalue_number(q->p99));
    jvalue_set(&object, "max", jvalue_number(q->max));
    return object;
}

void jvalue_set_place(json_t **object, const struct profile_frame *frame)
{
    struct buffer name = {0};
    if (frame)
        names_add_function(&name, frame);
    else
        buffer_text(&name, NAMES_NO_STACK);
    jvalue_set(object, "function", name.failed ? NULL : jvalue_text(buffer_string(&name)));
    jvalue_set(object, "file", frame ? jvalue_text_or_null(frame->file) : json_null());
    jvalue_set(object, "line", frame && frame->line ? json_integer(frame->line) : json_null());
    jvalue_set(object, "module", jvalue_text(frame ? frame->module : ""));
    buffer_fini(&name);
}

json_t *jvalue_stack(const struct profile *profile, const struct site *site)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < site->n_frames; i++) {
        const struct profile_frame *frame = names_frame(profile, site, i);
        json_t *object = json_object();
        jvalue_set_place(&object, frame);
        jvalue_set(&object, "inlined", json_boolean(frame && frame->inlined));
        jvalue_append(&array, object);
    }
    return array;
}

int jvalue_put(json_t *value, FILE *out)
{
    if (!value)
        return -ENOMEM;
    /* Failing to write is seen by whoever closes `out`; failing to encode cannot happen to a value
     * built of valid text and finite numbers. */
    (void)json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
    json_decref(value);
    return 0;
}

int jvalue_put_after(const char *before, json_t *value, FILE *out)
{
    fputs(before, out);
    return jvalue_put(value, out);
}

int jvalue_put_array(const char *key, const struct profile *profile, size_t n,
                     json_t *(*element)(const struct profile *profile, size_t i), FILE *out)
{
    fprintf(out, ",\n\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ",\n" : "\n", out);
        const int result = jvalue_put(element(profile, i), out);
        if (result < 0)
            return result;
    }
    fputs("]", out);
    return 0;
}
