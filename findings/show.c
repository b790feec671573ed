/* SPDX-License-Identifier: MIT */
/* In which formats can findings be shown? */
#include "findings/show.h"

#include <string.h>

static const struct show_format formats[] = {
    {"text", show_text},   {"json", show_json},         {"hotspots", show_hotspots},
    {"sarif", show_sarif}, {"markdown", show_markdown},
};

const struct show_format *show_find_format(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
