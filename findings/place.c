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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where what the compiler adds to a clone's name begins: .isra.0, .part.1, .constprop.0, .cold, and the
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

/* "operator<", "operator->", "operator<<=": whose brackets are no template's. */
static size_t skip_operator(const char *at)
{
    static const char word[] = "operator";
    size_t n = sizeof word - 1;
    if (strncmp(at, word, n) != 0)
        return 0;
    while (at[n] == '<' || at[n] == '>' || at[n] == '-' || at[n] == '=')
        n++;
    return n;
}

/* Add a function's name without template arguments, numbers of lambdas ("{lambda()#2}") and clone suffixes. */
static void print_function(struct print *print, const char *name)
{
    const char *const end = end_of_name(name);
    unsigned depth = 0;
    for (const char *at = name; at < end;) {
        const size_t n_operator = depth == 0 ? skip_operator(at) : 0;
        for (size_t i = 0; i < n_operator; i++)
            print_byte(print, at[i]);
        at += n_operator;
        if (n_operator)
            continue;
        depth += *at == '<';
        if (depth == 0)
            print_byte(print, *at);
        depth -= *at == '>' && depth > 0;
        if (*at++ == '#')
            while (at < end && is_digit(*at))
                at++;
    }
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

/* Frames that count: the user's; where there are none, all. */
static uint64_t print_stack(const struct finding *finding, const struct profile *profile)
{
    const struct finding_place *const place = &finding->place;
    struct print print = print_begin();
    unsigned n = 0;
    print_text(&print, finding->rule->id, strlen(finding->rule->id));
    if (finding->io_site)
        print_text(&print, finding->io_site->op, strlen(finding->io_site->op));
    for (uint32_t i = place->place; i < place->n_frames && n < FINDING_PRINT_FRAMES; i++) {
        const struct profile_frame *const frame = &profile->frames[place->frames[i]];
        if (i > place->place && !place_is_user(frame))
            continue;
        print_frame(&print, frame);
        n++;
    }
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

/* By id, then in the order in which the source has their calls; what else differs decides last. */
static int compare_ids(const void *a_, const void *b_, void *profile)
{
    const struct finding *const a = *(struct finding *const *)a_, *const b =
                                                                      *(struct finding *const *)b_;
    const struct profile_frame *const of_a = place_frame(a, profile), *const of_b =
                                                                          place_frame(b, profile);
    const int ids = strcmp(a->id, b->id);
    if (ids)
        return ids;
    const uint32_t line_a = of_a ? of_a->line : 0, line_b = of_b ? of_b->line : 0;
    if (line_a != line_b)
        return line_a < line_b ? -1 : 1;
    const uint64_t offset_a = of_a ? of_a->offset : 0, offset_b = of_b ? of_b->offset : 0;
    if (offset_a != offset_b)
        return offset_a < offset_b ? -1 : 1;
    const int paths = compare_texts(a->evidence.paths[0], b->evidence.paths[0]);
    return paths ? paths : compare_texts(a->title, b->title);
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
