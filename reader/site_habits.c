/* SPDX-License-Identifier: MIT */
/* How the habits of a site are counted, event by event. */
#include "reader/site_habits.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"

int site_habits_add_site(struct model *model)
{
    struct model_habits *const habits = &model->habits;
    if (!habits->gathered)
        return 0;
    struct model_site_habits *const sites =
        array_room(habits->sites, model->n_sites, &habits->sites_capacity, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    habits->sites = sites;
    sites[model->n_sites] = (struct model_site_habits){.n_grown = 0};
    return 0;
}

int site_habits_add_thread(struct model *model)
{
    struct model_habits *const habits = &model->habits;
    if (!habits->gathered || model->n_threads > LIVE_THREAD_MASK)
        return 0;
    struct model_thread_habits *const threads =
        array_room(habits->threads, model->n_threads, &habits->threads_capacity, sizeof *threads);
    if (!threads)
        return -ENOMEM;
    habits->threads = threads;
    threads[model->n_threads] = (struct model_thread_habits){.run = 0};
    return 0;
}

static void free_rare(struct model_rare_habits *rare)
{
    if (!rare)
        return;
    histogram_fini(&rare->speeds.counts);
    histogram_fini(&rare->speeds.bytes);
    free(rare);
}

void site_habits_fini(struct model_habits *habits, uint32_t n_sites)
{
    for (uint32_t i = 0; i < n_sites && habits->sites; i++) {
        histogram_fini(&habits->sites[i].live_counts);
        free_rare(habits->sites[i].rare);
    }
    free(habits->sites);
    free(habits->threads);
    free(habits->parked);
    idmap_fini(&habits->parked_by_owner);
}

struct model_rare_habits *site_habits_rare(struct model *model, uint32_t site)
{
    struct model_site_habits *const habits = model_site_habits(model, site);
    if (!habits->rare)
        habits->rare = calloc(1, sizeof *habits->rare);
    return habits->rare;
}

/* ---- allocations ---- */

static bool asks_for_alignment(const struct event *event)
{
    return event->alignment_bits ||
           (event->tag >= TRACE_POSIX_MEMALIGN && event->tag <= TRACE_PVALLOC);
}

static int note_alignment(struct model *model, uint32_t site, const struct event *event)
{
    enum { PAGE_BITS = 13 }; /* valloc() and pvalloc() do not name it */
    const bool whole_page = event->tag == TRACE_VALLOC || event->tag == TRACE_PVALLOC;
    const uint32_t bits = whole_page ? PAGE_BITS : event->alignment_bits;
    struct model_rare_habits *const rare = site_habits_rare(model, site);
    if (!rare)
        return -ENOMEM;
    rare->aligned_count += record_is_allocation(event->tag);
    if (bits > rare->alignment_bits)
        rare->alignment_bits = bits;
    return 0;
}

int site_habits_note_call(struct model *model, uint32_t site, const struct event *event)
{
    model_site_habits(model, site)->calloc_count += event->tag == TRACE_CALLOC;
    return asks_for_alignment(event) ? note_alignment(model, site, event) : 0;
}

/* ---- releases ---- */

/* How fast a block of calloc would have had to be written: too fast means that it was not. */
int site_habits_note_large(struct model *model, const struct block *block, uint64_t ticks)
{
    if (model_site_habits(model, block->site)->calloc_count == 0)
        return 0;
    struct model_rare_habits *const rare = site_habits_rare(model, block->site);
    if (!rare)
        return -ENOMEM;
    const uint64_t lifetime = subtract_floored(ticks, block->start_ticks);
    /* Less one byte: whole units are below the true speed then, never equal to it. */
    const uint64_t speed = (block->size_bytes - 1) * HABITS_SPEED_UNITS / (lifetime ? lifetime : 1);
    const int error = histogram_add(&rare->speeds.counts, speed, 1);
    return error ? error : histogram_add(&rare->speeds.bytes, speed, block->size_bytes);
}

/* ---- resizes ---- */

void site_habits_resizing(struct model_image *image, struct model_resize *resize, uint32_t thread)
{
    struct model_thread_habits *const by = model_thread_habits(image->model, thread);
    bursts_part(by);
    by->last_site = 0;
    if (resize->found)
        resize->steps = growing_take(image, &resize->block);
}

int site_habits_resized(struct model_image *image, const struct model_resize *resize,
                        const struct block *block, const struct event *event)
{
    struct model_thread_habits *const by = model_thread_habits(image->model, block->thread);
    bursts_part(by);
    by->last_site = 0;
    const int error = site_habits_requested(image->model, block->site, event);
    return error ? error : growing_resized(image, resize, block);
}

/* ---- ends ---- */

static unsigned eighth(const struct model_process *process, uint64_t ticks)
{
    const uint64_t life = subtract_floored(process->last_ticks, process->first_ticks);
    const uint64_t age = subtract_floored(ticks, process->first_ticks);
    if (age >= life)
        return life ? HABITS_EIGHTHS - 1 : 0;
    return (unsigned)((unsigned __int128)age * HABITS_EIGHTHS / life);
}

int site_habits_image_over(struct model_image *image)
{
    struct model *const model = image->model;
    const struct block *block;
    for (size_t at = 0; (block = live_next(&image->pairing.live, &at));) {
        struct model_rare_habits *const rare = site_habits_rare(model, block->site);
        if (!rare)
            return -ENOMEM;
        const struct model_process *const process =
            model_process(model, model_site(model, block->site)->process);
        const unsigned part = eighth(process, block->start_ticks);
        rare->leaked_born[part]++;
        rare->leaked_born_bytes[part] =
            add_capped(rare->leaked_born_bytes[part], block->size_bytes);
    }
    return growing_finish(image);
}

void site_habits_forget_leaks(struct model *model, uint32_t site)
{
    struct model_rare_habits *const rare = model_site_habits(model, site)->rare;
    for (unsigned i = 0; i < HABITS_EIGHTHS && rare; i++)
        rare->leaked_born[i] = rare->leaked_born_bytes[i] = 0;
}

int site_habits_finish(struct model *model)
{
    int error = 0;
    for (uint32_t i = 1; i <= model->n_images && error == 0; i++)
        error = site_habits_image_over(model_image(model, i));
    return error ? error : bursts_finish(model);
}
