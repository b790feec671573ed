/* SPDX-License-Identifier: MIT */
/* Which frames of a stack are the user's, and what are they called when all that changes is left out? */
#include "findings/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/names.h"

/* ---- whose frame ---- */

bool place_is_user(const struct profile_frame *frame)
{
    return !frame->is_runtime && !frame->is_hidden;
}

const struct profile_frame *place_frame(const struct finding *finding,
                                        const struct profile *profile)
{
    const struct finding_place *const place = &finding->place;
    return place->place < place->n_frames ? &profile->frames[place->frames[place->place]] : NULL;
}

/* ---- names without what changes ---- */

/* FNV-1a, 128 bits: Fowler, Noll, Vo, draft-eastlake-fnv. */
struct print {
    unsigned __int128 hash;
};

static const unsigned __int128 FNV_PRIME = (unsigned __int128)1 << 88 | 0x13b;

static struct print print_begin(void)
{
    return (struct print){(unsigned __int128)UINT64_C(0x6c62272e07bb0142) << 64 |
                          UINT64_C(0x62b821756295c58d)};
}

static void print_byte(struct print *print, char byte)
{
    print->hash = (print->hash ^ (unsigned char)byte) * FNV_PRIME;
}

static void print_text(struct print *print, const char *text, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        print_byte(print, text[i]);
    print_byte(print, '\0');
}

static uint64_t print_end(const struct print *print)
{
    return (uint64_t)(print->hash >> 64) ^ (uint64_t)print->hash;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_of_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Where what compilers add to a clone's name begins: .isra.0, .part.1, .constprop.0, .cold, and the
 * demangler's "[clone ...]"; the end where there is nothing of it. */
static const char *end_of_name(const char *name)
{
    static const char *const suffixes[] = {".isra", ".part",     ".constprop",
                                           ".cold", ".lto_priv", " [clone"};
    const char *end = name + strlen(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        const char *const at = strstr(name, suffixes[i]);
        if (at && at > name && at < end)
            end = at;
    }
    return end;
}

/* "operator<", "operator->", "operator()": bytes of it, whose brackets are none; 0 where no operator begins. */
static size_t operator_bytes(const char *at)
{
    static const char word[] = "operator";
    size_t n = sizeof word - 1;
    if (!begins(at, word) || is_of_word(at[n]))
        return 0;
    if (begins(at + n, "()"))
        return n + 2;
    while (at[n] && strchr("<>-=[]", at[n]))
        n++;
    return n;
}

/* The part of a qualified name that is being read. */
struct name_part {
    struct print before, print; /* without and with it */
    bool has_text, is_operator; /* operators may have spaces: "operator new" */
    bool is_ended;              /* its parameters have begun: nothing counts before the next "::" */
};

static void part_restart(struct name_part *part)
{
    *part = (struct name_part){.before = part->before, .print = part->before};
}

static void part_add(struct name_part *part, const char *text, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        print_byte(&part->print, text[i]);
    part->has_text = true;
}

/* Read on at a byte outside of all brackets; returns how many bytes belong together. */
static size_t part_read(struct name_part *part, const char *at, bool is_first_of_word)
{
    if (begins(at, "::")) {
        part_restart(part);
        return 2;
    }
    const size_t n_operator = is_first_of_word && !part->is_ended ? operator_bytes(at) : 0;
    if (n_operator) {
        part_add(part, at, n_operator);
        part->is_operator = true;
        return n_operator;
    }
    if (*at == ' ' && !part->is_ended && !part->is_operator)
        part_restart(part);                            /* that was the type it returns */
    if (*at == '(' && part->has_text && at[-1] != '.') /* Go has "main.(*T).f" */
        part->is_ended = true;
    if (!part->is_ended && !strchr(" <>(){}[]", *at))
        part_add(part, at, 1);
    return 1;
}

/* Add a function's bare name: "put" of "void a::b<int>::put<c>(c) const". The rest is not always known: debug
 * information of a lambda, or of a static function that was inlined, has neither scope nor parameters. */
static void print_function(struct print *print, const char *name)
{
    const char *const end = end_of_name(name);
    struct name_part part = {.before = *print, .print = *print};
    unsigned depth = 0;
    for (const char *at = name; at < end;) {
        const bool is_first = at == name || !is_of_word(at[-1]);
        const size_t n = depth ? 1 : part_read(&part, at, is_first);
        if (n == 1 && strchr("<({[", *at))
            depth++;
        else if (n == 1 && depth && strchr(">)}]", *at))
            depth--;
        at += n;
    }
    *print = part.print;
    print_byte(print, '\0');
}

/* Add a module's base name, without ".so" and what follows. */
static void print_module(struct print *print, const char *path)
{
    const char *const base = names_base(path);
    const char *const version = strstr(base, ".so");
    print_text(print, base, version ? (size_t)(version - base) : strlen(base));
}

/* A frame without a name is told by its module alone: its offset changes with every build. */
static void print_frame(struct print *print, const struct profile_frame *frame)
{
    print_function(print, frame->function);
    print_module(print, frame->module);
}

/* Frames that count: the user's, from the place on; where there are none, all. Those of one function in a row count
 * once: so a recursion's depth does not matter, nor that a part of a function became one of its own. */
static unsigned print_frames(struct print *print, const struct profile *profile,
                             const uint32_t *frames, uint32_t n_frames, uint32_t place)
{
    unsigned __int128 last = 0;
    unsigned n = 0;
    for (uint32_t i = place; i < n_frames && n < FINDING_PRINT_FRAMES; i++) {
        const struct profile_frame *const frame = &profile->frames[frames[i]];
        struct print alone = print_begin();
        print_frame(&alone, frame);
        if ((i > place && !place_is_user(frame)) || (*frame->function && alone.hash == last))
            continue;
        print_text(print, (const char *)&alone.hash, sizeof alone.hash);
        last = alone.hash;
        n++;
    }
    return n;
}

/* One of the stacks that lead to a place. */
struct stack {
    const uint32_t *frames;
    uint32_t n_frames;
    uint64_t n_calls;
};

static struct stack stack_at(const struct finding *finding, const struct profile *profile,
                             uint32_t i)
{
    if (finding->site) {
        const struct site *const site = &profile->sites[finding->site->stacks[i]];
        return (struct stack){site->frames, site->n_frames,
                              site->metrics.alloc_count + site->metrics.realloc_count};
    }
    const struct io_site *const site = &profile->io_sites[finding->io_site->stacks[i]];
    return (struct stack){site->frames, site->n_frames, site->calls};
}

/* How many stacks lead to the finding's place; 0 where it is not that of its site. */
static uint32_t count_stacks(const struct finding *finding)
{
    const struct site *const site = finding->site;
    const struct io_site *const io_site = finding->io_site;
    if (site && site->stacks && finding->place.place == site->place)
        return site->n_stacks;
    return io_site && io_site->stacks && finding->place.place == io_site->place ? io_site->n_stacks
                                                                                : 0;
}

/* Of the stacks that lead to a place the one with the most calls counts, and of several with as many the least print:
 * the order they come in is one of addresses, or of times. */
static uint64_t print_most_used(struct print print, const struct finding *finding,
                                const struct profile *profile)
{
    const uint32_t n_stacks = count_stacks(finding);
    uint64_t most = 0, least = UINT64_MAX;
    for (uint32_t i = 0; i < n_stacks; i++) {
        const struct stack stack = stack_at(finding, profile, i);
        struct print one = print;
        if (stack.n_calls < most)
            continue;
        print_frames(&one, profile, stack.frames, stack.n_frames, finding->place.place);
        if (stack.n_calls > most || print_end(&one) < least)
            least = print_end(&one);
        most = stack.n_calls;
    }
    return least;
}

static uint64_t print_stack(const struct finding *finding, const struct profile *profile)
{
    const struct finding_place *const place = &finding->place;
    struct print print = print_begin();
    print_text(&print, finding->rule->id, strlen(finding->rule->id));
    if (finding->io_site)
        print_text(&print, finding->io_site->op, strlen(finding->io_site->op));
    if (count_stacks(finding) > 1)
        return print_most_used(print, finding, profile);
    const unsigned n = print_frames(&print, profile, place->frames, place->n_frames, place->place);
    if (n == 0 && finding->io_file) /* nothing else tells two files apart */
        print_text(&print, finding->io_file->path, strlen(finding->io_file->path));
    return print_end(&print);
}

static void set_id(struct finding *finding, uint64_t print)
{
    snprintf(finding->stack_print, sizeof finding->stack_print, "%016llx",
             (unsigned long long)print);
    snprintf(finding->id, sizeof finding->id, "%s-%.12s", finding->rule->id, finding->stack_print);
}

void place_print(struct finding *finding, const struct profile *profile)
{
    const struct profile_frame *const frame = place_frame(finding, profile);
    struct print site = print_begin();
    set_id(finding, print_stack(finding, profile));
    print_text(&site, finding->stack_print, strlen(finding->stack_print));
    if (frame) {
        char line[16];
        snprintf(line, sizeof line, "%u", frame->line);
        print_text(&site, names_base(frame->file), strlen(names_base(frame->file)));
        print_text(&site, line, strlen(line));
    }
    snprintf(finding->site_print, sizeof finding->site_print, "%016llx",
             (unsigned long long)print_end(&site));
}

/* ---- two of the same id ---- */

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* The user's frame at *at or after it, which becomes the one behind; NULL where there is none. */
static const struct profile_frame *next_user(const struct finding_place *place, uint32_t *at,
                                             const struct profile *profile)
{
    while (*at < place->n_frames) {
        const struct profile_frame *const frame = &profile->frames[place->frames[(*at)++]];
        if (place_is_user(frame))
            return frame;
    }
    return NULL;
}

/* By the lines of the user's frames, innermost first. */
static int compare_lines(const struct finding *a, const struct finding *b,
                         const struct profile *profile)
{
    uint32_t at_a = a->place.place, at_b = b->place.place;
    for (;;) {
        const struct profile_frame *const frame_a = next_user(&a->place, &at_a, profile);
        const struct profile_frame *const frame_b = next_user(&b->place, &at_b, profile);
        if (!frame_a || !frame_b)
            return compare_numbers(frame_a != NULL, frame_b != NULL);
        if (frame_a->line != frame_b->line)
            return compare_numbers(frame_a->line, frame_b->line);
    }
}

/* By id, then in the order in which the source has their calls and those of their callers; what else differs
 * decides last. */
static int compare_ids(const void *a_, const void *b_, void *profile)
{
    const struct finding *const a = *(struct finding *const *)a_;
    const struct finding *const b = *(struct finding *const *)b_;
    const struct profile_frame *const of_a = place_frame(a, profile);
    const struct profile_frame *const of_b = place_frame(b, profile);
    int order = strcmp(a->id, b->id);
    if (order == 0)
        order = compare_lines(a, b, profile);
    if (order == 0)
        order = compare_texts(a->evidence.paths[0], b->evidence.paths[0]);
    if (order == 0 && of_a && of_b)
        order = compare_numbers(of_a->offset, of_b->offset);
    return order ? order : compare_texts(a->title, b->title);
}

int place_number_alike(struct finding *const *findings, size_t n, const struct profile *profile)
{
    struct finding **const sorted = calloc(n + 1, sizeof *sorted);
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = findings[i];
    qsort_r(sorted, n, sizeof *sorted, compare_ids, (void *)profile);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && strcmp(sorted[end]->id, sorted[i]->id) == 0;)
            end++;
        for (size_t j = i + 1; j < end; j++) {
            struct print print = print_begin();
            print_text(&print, sorted[i]->stack_print, strlen(sorted[i]->stack_print));
            for (size_t number = i; number < j; number++)
                print_byte(&print, '#');
            set_id(sorted[j], print_end(&print));
        }
    }
    free(sorted);
    return 0;
}
