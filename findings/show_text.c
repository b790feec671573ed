/* SPDX-License-Identifier: MIT */
/* How do findings look to a person? A ranked list: what, where, how much, what to do, how sure, how to check. */
#include <errno.h>
#include <string.h>

#include "findings/freed.h"
#include "findings/place.h"
#include "findings/show.h"
#include "findings/snippet.h"
#include "findings/wording.h"
#include "report/cells.h"
#include "report/escape.h"
#include "report/names.h"
#include "report/units.h"

enum {
    LABEL_INDENT = 4,
    LABEL_WIDTH = 17,    /* columns before a field's text */
    NUMBER_WIDTH = 8,    /* a line of source: ">   42  " */
    TEXT_WIDTH_MIN = 30, /* never narrower, even if a line then grows too long */
    STACK_SHOWN = 5,     /* callers listed; json has more */
    FREED_SHOWN = 3,
};

static const char BOLD[] = "\033[1m", DIM[] = "\033[2m", RESET[] = "\033[0m";

struct page {
    const struct findings *findings;
    const struct show_options *options;
    struct buffer text;
};

/* ---- lines ---- */

static void paint(struct page *page, const char *style, const char *text)
{
    if (page->options->colour)
        buffer_printf(&page->text, "%s%s%s", style, text, RESET);
    else
        buffer_text(&page->text, text);
}

/* How much of `text` goes on a line of `width` columns: up to a blank, else as much as fits. */
static size_t line_length(const char *text, size_t width)
{
    struct buffer fitting = {0};
    escape_fit(&fitting, text, width ? width : 1);
    size_t n = fitting.length;
    buffer_fini(&fitting);
    if (n == 0)
        return strlen(text);
    if (!text[n] || text[n] == ' ')
        return n;
    for (size_t at = n; at > 0; at--)
        if (text[at - 1] == ' ')
            return at - 1;
    return n;
}

/* Services that keep logs obey lines that begin so, behind blanks, too: GitHub's and Azure's workflow commands. */
static bool begins_command(const char *text)
{
    return strncmp(text, "::", 2) == 0 || strncmp(text, "##[", 3) == 0;
}

/* Add text in lines that begin at column `indent`; the first one is begun already. */
static void add_wrapped(struct page *page, const char *text, size_t indent)
{
    const size_t width = page->options->width > indent + TEXT_WIDTH_MIN
                             ? page->options->width - indent
                             : TEXT_WIDTH_MIN;
    while (*text) {
        const size_t n = line_length(text, width);
        const bool is_command = begins_command(text);
        if (is_command)
            buffer_printf(&page->text, "\\x%02x", (unsigned char)*text);
        buffer_add(&page->text, text + is_command, n - is_command);
        buffer_text(&page->text, "\n");
        text += n;
        text += strspn(text, " ");
        if (*text)
            buffer_repeat(&page->text, " ", indent);
    }
}

static void add_label(struct page *page, const char *label)
{
    const size_t used = LABEL_INDENT + strlen(label);
    buffer_repeat(&page->text, " ", LABEL_INDENT);
    paint(page, DIM, label);
    buffer_repeat(&page->text, " ", used < LABEL_WIDTH ? LABEL_WIDTH - used : 1);
}

/* Add "label  text", wrapped; nothing for an empty text. */
static void add_field(struct page *page, const char *label, const char *text)
{
    struct buffer shown = {0};
    if (!text || !text[0])
        return;
    wording_text(&shown, text, !page->options->utf8);
    add_label(page, label);
    add_wrapped(page, buffer_string(&shown), LABEL_WIDTH);
    page->text.failed |= shown.failed;
    buffer_fini(&shown);
}

/* The same of words made for it, which are released. */
static void add_words(struct page *page, const char *label, struct buffer *words)
{
    add_field(page, label, buffer_string(words));
    page->text.failed |= words->failed;
    buffer_fini(words);
}

/* A command stays in one line, to be copied. */
static void add_command(struct page *page, const char *label, const char *command)
{
    if (!command[0])
        return;
    add_label(page, label);
    wording_text(&page->text, command, !page->options->utf8);
    buffer_text(&page->text, "\n");
}

/* ---- a finding ---- */

static void add_head(struct page *page, const struct finding *finding)
{
    static const char *const styles[] = {
        [SEVERITY_INFO] = "\033[2m",        [SEVERITY_LOW] = "\033[36m",
        [SEVERITY_MEDIUM] = "\033[33m",     [SEVERITY_HIGH] = "\033[31m",
        [SEVERITY_CRITICAL] = "\033[1;31m",
    };
    struct buffer title = {0};
    buffer_printf(&page->text, "\n%3u ", finding->rank);
    paint(page, styles[finding->severity], rule_severity_name(finding->severity));
    buffer_printf(&page->text, "  %s  %s\n    ", finding->id, finding->rule->name);
    wording_text(&title, finding->title, !page->options->utf8);
    if (page->options->colour)
        buffer_text(&page->text, BOLD);
    add_wrapped(page, buffer_string(&title), 4);
    if (page->options->colour)
        buffer_text(&page->text, RESET);
    page->text.failed |= title.failed;
    buffer_fini(&title);
}

/* "parse_token  src/parse.c:42" */
static void add_frame(struct buffer *out, const struct profile_frame *frame, const char *root)
{
    struct buffer location = {0};
    wording_function(out, frame);
    wording_location(&location, frame, root);
    if (location.length > 0)
        buffer_printf(out, "  %s", buffer_string(&location));
    out->failed |= location.failed;
    buffer_fini(&location);
}

/* The stack shown is one of many; an arena's is what its places have in common. */
static void add_other_stacks(struct page *page, const struct finding *finding)
{
    const uint32_t n = finding->site      ? finding->site->n_stacks
                       : finding->io_site ? finding->io_site->n_stacks
                                          : 1;
    struct buffer words = {0};
    if (n <= 1 || finding->suggestion.arena.known)
        return;
    units_add_integer(&words, UNIT_COUNT, n - 1);
    buffer_text(&words, n == 2 ? " other stack" : " other stacks");
    add_words(page, "and by", &words);
}

static void add_place(struct page *page, const struct finding *finding)
{
    const struct finding_place *const place = &finding->place;
    const struct profile *const profile = page->findings->profile;
    struct buffer words = {0};
    add_frame(&words, place_frame(finding, profile), page->options->root);
    add_words(page, "at", &words);
    for (uint32_t i = place->place + 1, n = 0; i < place->n_frames && n < STACK_SHOWN; i++) {
        const struct profile_frame *const frame = &profile->frames[place->frames[i]];
        struct buffer caller = {0};
        if (!place_is_user(frame))
            continue;
        add_frame(&caller, frame, page->options->root);
        add_words(page, n++ == 0 ? "called by" : "", &caller);
    }
    add_other_stacks(page, finding);
}

static void add_freed(struct page *page, const struct finding *finding)
{
    struct freed_row rows[HABITS_FREED_AT];
    const uint32_t n = freed_list(finding, page->findings->profile, rows);
    for (uint32_t i = 0; i < n && i < FREED_SHOWN; i++) {
        struct buffer words = {0};
        add_frame(&words, rows[i].frame, page->options->root);
        buffer_printf(&words, "  %.1f %%", rows[i].percent);
        add_words(page, i == 0 ? "freed by" : "", &words);
    }
}

static void add_share(struct page *page, const struct finding *finding)
{
    struct buffer words = {0};
    buffer_printf(&words, "%.1f %% %s", finding->percentage, wording_whole(finding->whole));
    if (finding->evidence.sampled)
        buffer_text(&words, ", partly from a sample");
    add_words(page, "share", &words);
}

static void add_confidence(struct page *page, const struct finding *finding)
{
    struct buffer words = {0};
    buffer_printf(&words, "%.2f of 1", finding->confidence);
    for (uint32_t i = 0; i < finding->n_reasons; i++)
        buffer_printf(&words, "%s%s", i ? ", " : ": ", finding->reasons[i]);
    add_words(page, "confidence", &words);
}

static void add_list(struct page *page, const char *label, const char *const *texts, size_t most)
{
    for (size_t i = 0; i < most && texts[i]; i++)
        add_field(page, i == 0 ? label : "", texts[i]);
}

/* Add a line of source that begins at column `indent`, as far as it fits. */
static void add_cut(struct page *page, const struct buffer *line, size_t indent)
{
    const size_t width = page->options->width;
    struct buffer shown = {0};
    escape_text(&shown, buffer_string(line), !page->options->utf8);
    escape_fit(&page->text, buffer_string(&shown),
               width > indent + TEXT_WIDTH_MIN ? width - indent : TEXT_WIDTH_MIN);
    buffer_text(&page->text, "\n");
    page->text.failed |= shown.failed || line->failed;
    buffer_fini(&shown);
}

static void add_snippet(struct page *page, const struct finding *finding)
{
    const struct profile_frame *const frame = place_frame(finding, page->findings->profile);
    struct snippet snippet;
    snippet_read(page->findings->profile, frame, page->options->root, &snippet);
    if (snippet.n_lines == 0 && snippet.why_not[0]) {
        struct buffer words = {0};
        buffer_printf(&words, "not shown: %s", snippet.why_not);
        add_words(page, "source", &words);
    }
    for (uint32_t i = 0; i < snippet.n_lines; i++) {
        const uint32_t line = snippet.first_line + i;
        add_label(page, i == 0 ? "source" : "");
        buffer_printf(&page->text, "%s%5u  ", line == frame->line ? ">" : " ", line);
        add_cut(page, &snippet.lines[i], LABEL_WIDTH + NUMBER_WIDTH);
    }
    snippet_fini(&snippet);
}

static void add_effort(struct page *page, const struct finding *finding)
{
    struct buffer words = {0};
    buffer_printf(&words, "%d of 5; score %.1f = impact %.1f x confidence %.2f / effort %d",
                  finding->rule->effort, finding->score, finding->impact, finding->confidence,
                  finding->rule->effort);
    add_words(page, "effort", &words);
}

static void add_finding(struct page *page, const struct finding *finding)
{
    struct buffer saves = {0}, measured = {0};
    wording_saves(&saves, finding);
    wording_measured(&measured, finding);
    add_head(page, finding);
    add_place(page, finding);
    add_freed(page, finding);
    add_list(page, "file", finding->evidence.paths, finding->evidence.n_paths);
    add_share(page, finding);
    add_field(page, "change", finding->suggestion.text);
    add_words(page, "saves", &saves);
    add_words(page, "measured", &measured);
    add_confidence(page, finding);
    add_effort(page, finding);
    add_list(page, "keep", finding->rule->must_keep, RULE_MAX_KEPT);
    add_field(page, "same output", finding->rule->why_same_output);
    add_command(page, "verify", finding->verify_command);
    add_field(page, "expect", finding->rule->expect);
    add_command(page, "numbers", finding->evidence.query);
    add_list(page, "see also", finding->related, finding->n_related);
    if (page->options->snippets)
        add_snippet(page, finding);
}

/* ---- the page ---- */

static void add_header(struct page *page)
{
    const bool ascii_only = !page->options->utf8;
    struct buffer line = {0}, run = {0};
    char together[256];
    findings_sum_up(page->findings, together, sizeof together);
    cells_add_run(&run, page->findings->profile, ascii_only);
    wording_count(&line, page->findings);
    if (page->findings->n > 0)
        buffer_printf(&line, "; together %s", together);
    add_wrapped(page, buffer_string(&line), 0);
    buffer_reset(&line);
    wording_text(&line, buffer_string(&run), ascii_only);
    buffer_text(&line, ", ");
    cells_add_facts(&line, page->findings->profile, ascii_only);
    add_wrapped(page, buffer_string(&line), 0);
    page->text.failed |= line.failed || run.failed;
    buffer_fini(&line);
    buffer_fini(&run);
}

/* What was looked for, so that silence is an answer. */
static void add_nothing(struct page *page)
{
    struct buffer words = {0};
    const struct rule *rule = NULL;
    buffer_printf(&words, "Nothing to change stands out. %zu rules looked for: ", rules_count());
    for (size_t i = 0; (rule = rules_at(i)) != NULL; i++)
        buffer_printf(&words, "%s%s", i ? ", " : "", rule->name);
    buffer_text(&words, ".");
    if (!page->findings->profile->io_recorded)
        buffer_text(&words, " Input and output were not recorded.");
    buffer_text(&page->text, "\n");
    add_wrapped(page, buffer_string(&words), 0);
    buffer_text(&page->text, "`heapwise explain RULE` says what each means.\n");
    page->text.failed |= words.failed;
    buffer_fini(&words);
}

int show_text(const struct findings *findings, const struct show_options *options, FILE *out)
{
    struct page page = {.findings = findings, .options = options};
    add_header(&page);
    if (findings->n_all == 0)
        add_nothing(&page);
    for (size_t i = 0; i < findings->n && !page.text.failed; i++) {
        add_finding(&page, findings->ranked[i]);
        fwrite(buffer_string(&page.text), 1, page.text.length, out);
        buffer_reset(&page.text);
    }
    if (findings->n < findings->n_all)
        buffer_printf(&page.text, "\n%zu more: --top 0\n", findings->n_all - findings->n);
    fwrite(buffer_string(&page.text), 1, page.text.length, out);
    const int result = page.text.failed ? -ENOMEM : 0;
    buffer_fini(&page.text);
    return result;
}
