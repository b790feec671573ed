/* SPDX-License-Identifier: MIT */
/* `heapwise explain`: what a word of the report means. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/status.h"
#include "report/explain.h"

#include <stdio.h>
#include <string.h>

static const struct option_set set = {NULL, 0, OPTIONS_ANYWHERE};

static void list_topics(void)
{
    static const char *const titles[] = {
        [TOPIC_METRIC] = "metrics", [TOPIC_SECTION] = "sections", [TOPIC_NOTION] = "notions"};
    for (size_t kind = 0; kind < sizeof titles / sizeof *titles; kind++) {
        printf("%s%s:\n", kind ? "\n" : "", titles[kind]);
        for (size_t i = 0; i < explain_count(); i++)
            if (explain_at(i)->kind == kind)
                printf("  %-21s %s\n", explain_at(i)->name, explain_at(i)->brief);
    }
    puts("\n`heapwise explain TOPIC` says more.");
}

static int explain(const char *name)
{
    const struct topic *topic = explain_find(name);
    if (topic) {
        printf("%s: %s\n\n%s", topic->name, topic->brief, topic->text);
        return STATUS_OK;
    }
    struct nearest best = {0};
    for (size_t i = 0; i < explain_count(); i++)
        nearest_offer(&best, name, explain_at(i)->name);
    if (best.word)
        message_error(name, "unknown topic; did you mean %s?", best.word);
    else
        message_error(name, "unknown topic; `heapwise explain` lists them");
    return STATUS_USAGE;
}

int cmd_explain(int argc, char **argv)
{
    struct option_error error;
    struct output output = {.stream = stdout};
    int first = 0, status = STATUS_OK;
    const int result = options_parse(&set, argc, argv, NULL, &first, &error);
    if (result < 0) {
        message_error(error.what, "%s", error.why);
        return STATUS_USAGE;
    }
    if (result == OPTIONS_HELP) {
        puts("usage: heapwise explain [TOPIC]...\n\n"
             "Say what a metric, a section or a notion of the report means. Without TOPIC: list "
             "them.\n");
        options_print(&set, stdout);
    } else if (first >= argc) {
        list_topics();
    }
    for (int i = first; result == 0 && i < argc && status == STATUS_OK; i++) {
        if (i > first)
            putchar('\n');
        status = explain(argv[i]);
    }
    const int written = output_close(&output, true);
    return status != STATUS_OK ? status : written;
}
