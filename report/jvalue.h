/* SPDX-License-Identifier: MIT */
/* Values of the JSON document, built with jansson.
 *
 * A function that returns a value returns NULL where memory ran out; setting a key to NULL makes the
 * whole object NULL, so that a builder checks nothing and jvalue_put() everything. */
#ifndef HEAPWISE_REPORT_JVALUE_H
#define HEAPWISE_REPORT_JVALUE_H

#include "reader/profile.h"
#include "report/metrics.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* An integer. What does not fit jansson's signed ones comes from a damaged trace only; it becomes a
 * real number. */
json_t *jvalue_number(uint64_t value);

/* A real number; 0 for what JSON cannot say. */
json_t *jvalue_real(double value);

/* A text, invalid UTF-8 escaped; an empty one may be null. */
json_t *jvalue_text(const char *value);
json_t *jvalue_text_or_null(const char *value);

/* A list of words. */
json_t *jvalue_words(const char *const *values, size_t n);

/* A metric; null where it is absent. */
json_t *jvalue_metric(struct metric_value value);

/* min (where asked for), p50, p95, p99, max. Without `with_min`, null where nothing was measured. */
json_t *jvalue_quantiles(const struct quantiles *q, bool with_min);

/* Set a key; `value` is taken over. */
void jvalue_set(json_t **object, const char *key, json_t *value);

/* Append; `value` is taken over. Appending NULL makes the whole array NULL. */
void jvalue_append(json_t **array, json_t *value);

/* Write `before` as it is, then one value as jvalue_put() does. */
int jvalue_put_after(const char *before, json_t *value, FILE *out);

/* Set function, file, line and module: the same four keys for a site and for a frame. */
void jvalue_set_place(json_t **object, const struct profile_frame *frame);

/* The frames of a call stack, innermost first. */
json_t *jvalue_stack(const struct profile *profile, const struct site *site);

/* Write one value, which is released. Returns 0, or -ENOMEM where there is none. */
int jvalue_put(json_t *value, FILE *out);

/* Write `n` elements under a key, one per line. */
int jvalue_put_array(const char *key, const struct profile *profile, size_t n,
                     json_t *(*element)(const struct profile *profile, size_t i), FILE *out);

#endif
