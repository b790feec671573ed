/* SPDX-License-Identifier: MIT */
/* `heapwise explain`: what a word of the report means, or a rule of the findings. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/status.h"
#include "findings/guide.h"
#include "report/explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct option_set set = {NULL, 0, OPTIONS_ANYWHERE};

static void print_row(const char *name, const char *brief)
{
    printf("  %-21s %s\n", name, brief);
}

static void list_topics(void)
{
    static const char *const titles[] = {
        [TOPIC_METRIC] = "metrics", [TOPIC_SECTION] = "sections", [TOPIC_NOTION] = "notions"};
    for (size_t kind = 0; kind < sizeof titles / sizeof *titles; kind++) {
        printf("%s%s:\n", kind ? "\n" : "", titles[kind]);
        for (size_t i = 0; i < explain_count(); i++)
            if (explain_at(i)->kind == kind)
                print_row(explain_at(i)->name, explain_at(i)->brief);
    }
    puts("\nfindings:");
    for (size_t i = 0; guide_topic_at(i); i++)
        print_row(guide_topic_at(i)->name, guide_topic_at(i)->brief);
    puts("\nrules:");
    for (size_t i = 0; rules_at(i); i++)
        printf("  %s %-25s %s\n", rules_at(i)->id, rules_at(i)->name, rules_at(i)->brief);
    puts("\n`heapwise explain TOPIC` says more.");
}

static int unknown_topic(const char *name)
{
    struct nearest best = {0};
    for (size_t i = 0; i < explain_count(); i++)
        nearest_offer(&best, name, explain_at(i)->name);
    for (size_t i = 0; guide_topic_at(i); i++)
        nearest_offer(&best, name, guide_topic_at(i)->name);
    for (size_t i = 0; rules_at(i); i++) {
        nearest_offer(&best, name, rules_at(i)->name);
        nearest_offer(&best, name, rules_at(i)->id);
    }
    if (best.word)
        message_error(name, "unknown topic; did you mean %s?", best.word);
    else
        message_error(name, "unknown topic; `heapwise explain` lists them");
    return STATUS_USAGE;
}

/* Print what was put into words, and release it. */
static int print_words(struct buffer *words)
{
    const bool failed = words->failed;
    fputs(buffer_string(words), stdout);
    buffer_fini(words);
    if (failed)
        message_error("explain", "%s", strerror(ENOMEM));
    return failed ? STATUS_USAGE : STATUS_OK;
}

static int explain(const char *name)
{
    const struct topic *const topic = explain_find(name);
    const struct guide_topic *const guide = guide_find(name);
    const struct rule *const rule = rules_find(name);
    struct buffer words = {0};
    if (topic)
        buffer_printf(&words, "%s: %s\n\n%s", topic->name, topic->brief, topic->text);
    else if (guide) {
        buffer_printf(&words, "%s: %s\n\n", guide->name, guide->brief);
        guide->add(&words);
    } else if (rule)
        guide_add_rule(&words, rule);
    else
        return unknown_topic(name);
    return print_words(&words);
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
             "Say what a metric, a section or a notion of the report means, or what a rule of the "
             "findings looks for. Without TOPIC: list them.\n");
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
