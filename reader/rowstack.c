/* SPDX-License-Identifier: MIT */
/* How stacks are told apart and listed: hashes and classes by call, joined on the way outwards. */
#include "reader/rowstack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/classify.h"
#include "reader/hash.h"

/* What a call contributes to every stack through it, found out once. */
struct rowstack_call {
    uint64_t name, build_id, offset; /* to the stack's id: second halves of hash_pair() */
    uint32_t n_allocator;            /* of its frames, from the innermost: the allocator's */
    uint32_t asker;                  /* of rowstacks, that this was found out for */
};

/* How many of a call's frames, from its innermost, are the allocator's of rowstacks->allocator. */
static uint32_t count_allocator_frames(struct rowstacks *rowstacks, uint32_t number)
{
    const struct analysis_call *const call = &rowstacks->analysis->calls[number];
    struct rowstack_call *const facts = &rowstacks->calls[number];
    if (facts->asker == rowstacks->asker)
        return facts->n_allocator;
    uint32_t n = 0;
    while (n < call->n_frames &&
           classify_is_allocator(&rowstacks->analysis->frames[call->first_frame + n],
                                 rowstacks->allocator, rowstacks->executable))
        n++;
    facts->asker = rowstacks->asker;
    return facts->n_allocator = n;
}

/* Turn to the process whose allocator decides. Texts are kept once, so pointers tell them apart. */
static void ask_for(struct rowstacks *rowstacks, const struct model_image *image)
{
    if (rowstacks->allocator == image->allocator && rowstacks->executable == image->executable)
        return;
    rowstacks->allocator = image->allocator;
    rowstacks->executable = image->executable;
    rowstacks->asker++;
}

/* A stack of allocator frames alone stays whole. */
struct rowstack rowstacks_strip(struct rowstacks *rowstacks, uint32_t process, uint32_t node)
{
    const struct analysis *const analysis = rowstacks->analysis;
    const struct model *const model = analysis->model;
    const struct rowstack whole = {.node = node};
    const uint32_t image = model_process(model, process)->image;
    if (!image)
        return whole;
    ask_for(rowstacks, model_image(model, image));
    for (uint32_t id = node; id; id = stacks_at(&model->stacks, id)->parent) {
        const uint32_t call = analysis_call_at(analysis, id);
        const uint32_t n = count_allocator_frames(rowstacks, call);
        if (n < analysis->calls[call].n_frames)
            return (struct rowstack){.node = id, .first_frame = n};
    }
    return whole;
}

static uint64_t second_of_text(const struct analysis *analysis, uint32_t id)
{
    const char *const text = strtab_text(&analysis->model->texts, id);
    return hash_second(hash_bytes(text, strlen(text)));
}

static uint64_t second_of_base(const struct analysis *analysis, uint32_t path)
{
    const char *const name = classify_basename(strtab_text(&analysis->model->texts, path));
    return hash_second(hash_bytes(name, strlen(name)));
}

int rowstacks_analyse(struct analysis *analysis)
{
    struct rowstacks *const rowstacks = calloc(1, sizeof *rowstacks);
    if (!rowstacks)
        return -ENOMEM;
    analysis->rowstacks = rowstacks;
    *rowstacks =
        (struct rowstacks){.analysis = analysis, .asker = 1, .allocator = "", .executable = ""};
    rowstacks->calls = calloc(analysis->n_calls + (size_t)1, sizeof *rowstacks->calls);
    if (!rowstacks->calls)
        return -ENOMEM;
    for (uint32_t i = 0; i < analysis->n_calls; i++) {
        const struct analysis_place *const place = &analysis->calls[i].place;
        rowstacks->calls[i] =
            (struct rowstack_call){.name = second_of_base(analysis, place->path),
                                   .build_id = second_of_text(analysis, place->build_id),
                                   .offset = hash_second(place->offset)};
    }
    return 0;
}

void rowstacks_free(struct rowstacks *rowstacks)
{
    if (!rowstacks)
        return;
    free(rowstacks->calls);
    free(rowstacks);
}

uint64_t rowstacks_id(const struct rowstacks *rowstacks, uint32_t node)
{
    const struct analysis *const analysis = rowstacks->analysis;
    const struct stacks *const stacks = &analysis->model->stacks;
    uint64_t id = UINT64_C(0x68656170776973);
    for (; node; node = stacks_at(stacks, node)->parent) {
        const struct rowstack_call *const call =
            &rowstacks->calls[analysis_call_at(analysis, node)];
        id = hash_join(id, call->name);
        id = hash_join(id, call->build_id);
        id = hash_join(id, call->offset);
    }
    return id;
}

/* Write a stack's frame numbers, innermost first; frames_out NULL: only count them. */
static uint32_t list(const struct analysis *analysis, const struct rowstack *stack,
                     uint32_t *frames_out)
{
    uint32_t n = 0, skipped = stack->first_frame;
    for (uint32_t id = stack->node; id; id = stacks_at(&analysis->model->stacks, id)->parent) {
        const struct analysis_call *const call = &analysis->calls[analysis_call_at(analysis, id)];
        for (uint32_t i = skipped; i < call->n_frames; i++, n++)
            if (frames_out)
                frames_out[n] = call->first_frame + i;
        skipped = 0;
    }
    return n;
}

int rowstacks_list(const struct rowstacks *rowstacks, const struct rowstack *stack,
                   struct rowstack_frames *frames_out)
{
    const struct analysis *const analysis = rowstacks->analysis;
    const uint32_t n = list(analysis, stack, NULL);
    uint32_t *const frames = storage_array(analysis->storage, n, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    list(analysis, stack, frames);
    *frames_out = (struct rowstack_frames){.frames = frames, .n_frames = n};
    for (uint32_t i = 0; i < n; i++) {
        if (analysis->frames[frames[i]].is_runtime)
            continue;
        frames_out->place = i;
        break;
    }
    return 0;
}

void rowstack_write_id(uint64_t id, char text_out[17])
{
    for (unsigned i = 0; i < 16; i++)
        text_out[i] = "0123456789abcdef"[id >> (60 - 4 * i) & 15];
    text_out[16] = 0;
}
