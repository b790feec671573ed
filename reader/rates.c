/* SPDX-License-Identifier: MIT */
/* How the best window is found: one pass with a second index that drops what fell out of it. */
#include "reader/rates.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "reader/array.h"

static void double_steps(struct rates *rates)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < rates->n_steps; i++) {
        struct rates_step step = rates->steps[i];
        step.index >>= 1;
        if (n > 0 && rates->steps[n - 1].index == step.index) {
            rates->steps[n - 1].alloc_count += step.alloc_count;
            rates->steps[n - 1].alloc_bytes =
                add_capped(rates->steps[n - 1].alloc_bytes, step.alloc_bytes);
        } else {
            rates->steps[n++] = step;
        }
    }
    rates->n_steps = n;
    rates->shift++;
}

static int begin_step(struct rates *rates, uint64_t index)
{
    struct rates_step *const steps =
        array_room(rates->steps, rates->n_steps, &rates->capacity, sizeof *steps);
    if (!steps)
        return -ENOMEM;
    rates->steps = steps;
    steps[rates->n_steps++] = (struct rates_step){.index = index};
    return 0;
}

/* Whether a time lies behind the step in use. */
static bool is_later(const struct rates *rates, uint64_t elapsed)
{
    return rates->n_steps == 0 || elapsed >> rates->shift > rates->steps[rates->n_steps - 1].index;
}

static uint64_t end_of_last(const struct rates *rates)
{
    const uint64_t next = rates->steps[rates->n_steps - 1].index + 1;
    const bool fits = next <= UINT64_MAX >> rates->shift;
    return add_capped(rates->start_ticks, fits ? next << rates->shift : UINT64_MAX);
}

int rates_begin_step(struct rates *rates, uint64_t ticks)
{
    if (rates->shift == 0)
        rates->shift = RATES_FIRST_SHIFT;
    const uint64_t elapsed = subtract_floored(ticks, rates->start_ticks);
    while (rates->n_steps >= RATES_MAX_STEPS && rates->shift < 63 && is_later(rates, elapsed))
        double_steps(rates);
    const int error = is_later(rates, elapsed) ? begin_step(rates, elapsed >> rates->shift) : 0;
    if (error == 0)
        rates->end_ticks = end_of_last(rates);
    return error;
}

/* Put the steps of both into out[0..), by index; equal ones joined. Returns how many. */
static uint32_t join(const struct rates *a, const struct rates *b, struct rates_step *out)
{
    const uint32_t coarser = a->shift - b->shift; /* a is at least as coarse */
    uint32_t n = 0;
    for (uint32_t i = 0, j = 0; i < a->n_steps || j < b->n_steps;) {
        const uint64_t other = j < b->n_steps ? b->steps[j].index >> coarser : UINT64_MAX;
        const bool first = i < a->n_steps && a->steps[i].index <= other;
        struct rates_step step = first ? a->steps[i++] : b->steps[j++];
        step.index = first ? step.index : other;
        if (n > 0 && out[n - 1].index == step.index) {
            out[n - 1].alloc_count += step.alloc_count;
            out[n - 1].alloc_bytes = add_capped(out[n - 1].alloc_bytes, step.alloc_bytes);
        } else {
            out[n++] = step;
        }
    }
    return n;
}

int rates_merge(struct rates *rates, const struct rates *from)
{
    if (from->n_steps == 0)
        return 0;
    if (rates->shift == 0)
        rates->shift = from->shift;
    while (rates->shift < from->shift)
        double_steps(rates);
    const uint32_t n_most = rates->n_steps + from->n_steps; /* each is at most RATES_MAX_STEPS */
    struct rates_step *const steps = calloc(n_most, sizeof *steps);
    if (!steps)
        return -ENOMEM;
    const uint32_t n = join(rates, from, steps);
    free(rates->steps);
    rates->steps = steps;
    rates->n_steps = n;
    rates->capacity = n_most;
    while (rates->n_steps > RATES_MAX_STEPS)
        double_steps(rates);
    return 0;
}

void rates_peak(const struct rates *rates, double window_ticks, uint64_t *count_out,
                uint64_t *bytes_out)
{
    const double width = window_ticks / (double)(UINT64_C(1) << rates->shift);
    const uint64_t n_window = width >= 1 && width < 0x1p62 ? (uint64_t)width : 1;
    uint64_t count = 0, bytes = 0, most_count = 0, most_bytes = 0;
    for (uint32_t i = 0, first = 0; i < rates->n_steps; i++) {
        count += rates->steps[i].alloc_count;
        bytes += rates->steps[i].alloc_bytes;
        for (; rates->steps[i].index - rates->steps[first].index >= n_window; first++) {
            count -= rates->steps[first].alloc_count;
            bytes -= rates->steps[first].alloc_bytes;
        }
        most_count = count > most_count ? count : most_count;
        most_bytes = bytes > most_bytes ? bytes : most_bytes;
    }
    *count_out = most_count;
    *bytes_out = most_bytes;
}

void rates_fini(struct rates *rates)
{
    free(rates->steps);
    *rates = (struct rates){0};
}
