/* SPDX-License-Identifier: MIT */
/* Which phases did the program itself name, and when? */
#include "report/sections.h"

int view_marks(const struct profile *profile, const struct report_options *options,
               struct view *view_out)
{
    (void)options;
    view_init(view_out, "marks", "MARKS", "what the program said by heapwise_mark()");
    for (uint32_t i = 0; i < profile->n_marks; i++)
        view_note(view_out, "%s", profile->marks[i]);
    return 0;
}
