/* SPDX-License-Identifier: MIT */
/* How a stack's words are ordered by pages, so that most of them can be compared at once. */
#include "preload/kept_stack.h"

#include "trace/pack_hot.h"

enum {
    PAGE_BYTES = 4096,
    LEAST_NEAR_WORDS = 9, /* for fewer, to begin and to end costs as much */
};

static size_t groups_of(ptrdiff_t n_words)
{
    return ((size_t)n_words + KEPT_STACK_WORDS_A_GROUP - 1) / KEPT_STACK_WORDS_A_GROUP;
}

/* Tell whether a word lies where one can be compared. */
static bool is_above(uintptr_t sp, const struct stack_word *word)
{
    const uintptr_t at = (uintptr_t)word->at;
    return at % sizeof *word->at == 0 && (at - sp) >> 32 == 0;
}

/* Put words, the innermost of which is before `end`, into n_groups. False where one does not lie above sp. */
static bool put_words(struct kept_stack_words *groups, size_t n_groups, uintptr_t sp,
                      const struct stack_word *outermost, const struct stack_word *end)
{
    const struct stack_word *word = end;
    bool are_above = true;
    for (size_t i = 0; i < n_groups; i++) {
        uint64_t offsets[KEPT_STACK_WORDS_A_GROUP];
        for (size_t j = 0; j < KEPT_STACK_WORDS_A_GROUP; j++) {
            word -= word > outermost;
            groups[i].values[j / 2][j % 2] = word->value;
            offsets[j] = (uintptr_t)word->at - sp;
            are_above = are_above && is_above(sp, word);
        }
        groups[i].offsets[0] = offsets[0] | offsets[1] << 32;
        groups[i].offsets[1] = offsets[2] | offsets[3] << 32;
    }
    return are_above;
}

/* The outermost of the words before `end` that lie on one page of memory, with all between; `end` where there is none. */
static const struct stack_word *outermost_on_page(const struct stack_word *outermost,
                                                  const struct stack_word *end)
{
    const struct stack_word *word = end;
    while (word > outermost && ((uintptr_t)word[-1].at ^ (uintptr_t)end[-1].at) < PAGE_BYTES)
        word--;
    return word;
}

/* Put all words, the innermost of which is before `end`: those of the first page, of the second, and the others. False
 * where one does not lie above sp. */
static bool put_groups(struct kept_stack *kept, const struct stack_word *outermost,
                       const struct stack_word *end)
{
    const struct stack_word *first = outermost_on_page(outermost, end);
    const struct stack_word *second = outermost_on_page(outermost, first);
    if (first - second < LEAST_NEAR_WORDS)
        second = first;
    if (second == first && end - first < LEAST_NEAR_WORDS)
        second = first = end;
    const size_t n_first = groups_of(end - first), n_second = groups_of(first - second),
                 n_far = groups_of(second - outermost);
    const uintptr_t sp = kept->at.sp;
    struct kept_stack_words *const groups = kept->groups;
    kept->n_near[0] = (uint16_t)n_first;
    kept->n_near[1] = (uint16_t)n_second;
    kept->n_far = (uint16_t)n_far;
    return put_words(groups, n_first, sp, first, end) &&
           put_words(groups + n_first, n_second, sp, second, first) &&
           put_words(groups + n_first + n_second, n_far, sp, outermost, second);
}

size_t kept_stack_put(struct kept_stack *kept, const struct stack *stack)
{
    const struct stack_frame *const innermost = stack_innermost(stack);
    const struct stack_word *const outermost = &stack->words[1]; /* that can be equal */
    if (innermost->n_words > KEPT_STACK_MAX_WORDS)
        return 0;
    kept->at = innermost->at;
    kept->bp_matters = innermost->bp_matters;
    kept->id = stack->id;
    kept->form = pack_hot_form_of(stack->id);
    if (!put_groups(kept, outermost, &stack->words[innermost->n_words]))
        return 0;
    return KEPT_STACK_BYTES(kept_stack_groups(kept));
}
