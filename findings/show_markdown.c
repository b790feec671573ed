/* SPDX-License-Identifier: MIT */
/* Findings as a document for an issue or a pull request: a summary, what is worth doing first, then each finding
 * with all that its change has to regard. GitHub flavoured Markdown. */
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

enum { NAME_WIDTH = 60, STACK_SHOWN = 16 };

struct page {
    const struct findings *findings;
    const struct show_options *options;
    struct buffer text;
};

/* ---- pieces ---- */

/* Add a text so that no character of it is markup. */
static void add_text(struct page *page, const char *text)
{
    struct buffer shown = {0};
    wording_text(&shown, text, false);
    escape_markdown(&page->text, buffer_string(&shown));
    page->text.failed |= shown.failed;
    buffer_fini(&shown);
}

/* The same of words made for it, which are released. */
static void add_words(struct page *page, struct buffer *words)
{
    add_text(page, buffer_string(words));
    page->text.failed |= words->failed;
    buffer_fini(words);
}

static void add_function(struct page *page, const struct profile_frame *frame, bool is_short)
{
    struct buffer name = {0}, shown = {0};
    wording_function(&name, frame);
    names_add_short(&shown, buffer_string(&name), is_short ? NAME_WIDTH : FINDING_MAX_TEXT_BYTES,
                    "…");
    page->text.failed |= name.failed;
    buffer_fini(&name);
    add_words(page, &shown);
}

static void add_location(struct page *page, const struct profile_frame *frame)
{
    struct buffer words = {0};
    wording_location(&words, frame, page->options->root);
    add_words(page, &words);
}

/* Lines between fences that no run of backticks among them can end. */
static void add_code(struct page *page, const char *language, const char *text)
{
    size_t fence = 3;
    for (const char *at = text; *at;) {
        const size_t n = strspn(at, "`");
        fence = n >= fence ? n + 1 : fence;
        at += n ? n : strcspn(at, "`");
    }
    buffer_repeat(&page->text, "`", fence);
    buffer_printf(&page->text, "%s\n%s\n", language, text);
    buffer_repeat(&page->text, "`", fence);
    buffer_text(&page->text, "\n");
}

static void add_command(struct page *page, const char *command)
{
    struct buffer shown = {0};
    wording_text(&shown, command, false);
    add_code(page, "sh", buffer_string(&shown));
    page->text.failed |= shown.failed;
    buffer_fini(&shown);
}

/* "- **Label.** text" */
static void begin_item(struct page *page, const char *label)
{
    buffer_printf(&page->text, "- **%s.** ", label);
}

static void add_item(struct page *page, const char *label, const char *text)
{
    if (!text || !text[0])
        return;
    begin_item(page, label);
    add_text(page, text);
    buffer_text(&page->text, "\n");
}

static void add_item_words(struct page *page, const char *label, struct buffer *words)
{
    add_item(page, label, buffer_string(words));
    page->text.failed |= words->failed;
    buffer_fini(words);
}

/* ---- the tables ---- */

static void add_summary(struct page *page)
{
    const struct findings *const findings = page->findings;
    buffer_text(&page->text, "\n## Summary\n\n"
                             "| # | severity | finding | place | share |\n|--:|---|---|---|--:|\n");
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *const finding = findings->ranked[i];
        const struct profile_frame *const frame = place_frame(finding, findings->profile);
        buffer_printf(&page->text, "| %u | %s | ", finding->rank,
                      rule_severity_name(finding->severity));
        add_text(page, finding->title);
        buffer_text(&page->text, " | ");
        add_function(page, frame, true);
        buffer_text(&page->text, " ");
        add_location(page, frame);
        buffer_printf(&page->text, " | %.1f %% %s |\n", finding->percentage,
                      wording_whole(finding->whole));
    }
}

static void add_matrix(struct page *page)
{
    const struct findings *const findings = page->findings;
    buffer_text(&page->text,
                "\n## Opportunities\n\n"
                "Score is impact (the share of the run's cost that the change takes away, in "
                "percent) times confidence divided by effort (1 a line or two, 5 another data "
                "structure).\n\n"
                "| # | finding | change | impact | confidence | effort | score | saves |\n"
                "|--:|---|---|--:|--:|--:|--:|---|\n");
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *const finding = findings->ranked[i];
        struct buffer saves = {0};
        wording_saves(&saves, finding);
        buffer_printf(&page->text, "| %u | %s | ", finding->rank, finding->id);
        add_text(page, rule_kind_name(finding->rule->kind));
        buffer_printf(&page->text, " | %.1f | %.2f | %d | %.1f | ", finding->impact,
                      finding->confidence, finding->rule->effort, finding->score);
        add_words(page, &saves);
        buffer_text(&page->text, " |\n");
    }
}

/* ---- a finding ---- */

static void add_evidence(struct page *page, const struct finding *finding)
{
    const struct finding_evidence *const evidence = &finding->evidence;
    struct buffer words = {0};
    buffer_printf(&words, "%s %.6g %s, %.1f %% %s; limits: %s", evidence->metric, evidence->value,
                  evidence->unit, finding->percentage, wording_whole(finding->whole),
                  evidence->threshold);
    if (evidence->sampled)
        buffer_text(&words, "; partly from a sample");
    add_item_words(page, "Evidence", &words);
    if (evidence->sizes && evidence->sizes->n) {
        const struct quantiles *const sizes = evidence->sizes;
        struct buffer text = {0};
        units_add_integer(&text, UNIT_BYTES, sizes->min);
        buffer_text(&text, " to ");
        units_add_integer(&text, UNIT_BYTES, sizes->max);
        buffer_text(&text, ", half of them up to ");
        units_add_integer(&text, UNIT_BYTES, sizes->p50);
        add_item_words(page, "Sizes", &text);
    }
    for (uint32_t i = 0; i < evidence->n_paths; i++)
        add_item(page, "File", evidence->paths[i]);
}

static void add_freed(struct page *page, const struct finding *finding)
{
    struct freed_row rows[HABITS_FREED_AT];
    const uint32_t n = freed_list(finding, page->findings->profile, rows);
    for (uint32_t i = 0; i < n; i++) {
        begin_item(page, "Freed by");
        add_function(page, rows[i].frame, true);
        buffer_text(&page->text, " ");
        add_location(page, rows[i].frame);
        buffer_printf(&page->text, ", %.1f %%\n", rows[i].percent);
    }
}

static void add_confidence(struct page *page, const struct finding *finding)
{
    struct buffer words = {0};
    buffer_printf(&words, "%.2f of 1", finding->confidence);
    for (uint32_t i = 0; i < finding->n_reasons; i++)
        buffer_printf(&words, "%s%s", i ? ", " : ": ", finding->reasons[i]);
    add_item_words(page, "Confidence", &words);
}

static void add_stack(struct page *page, const struct finding *finding)
{
    const struct finding_place *const place = &finding->place;
    buffer_text(&page->text, "\nCall stack, innermost first:\n\n");
    for (uint32_t i = place->place; i < place->n_frames && i < place->place + STACK_SHOWN; i++) {
        const struct profile_frame *const frame =
            &page->findings->profile->frames[place->frames[i]];
        buffer_text(&page->text, "1. ");
        add_function(page, frame, true);
        buffer_text(&page->text, frame->inlined ? " (inlined) " : " ");
        add_location(page, frame);
        buffer_text(&page->text, "\n");
    }
}

static void add_snippet(struct page *page, const struct finding *finding)
{
    const struct profile_frame *const frame = place_frame(finding, page->findings->profile);
    struct buffer lines = {0};
    struct snippet snippet;
    snippet_read(page->findings->profile, frame, page->options->root, &snippet);
    for (uint32_t i = 0; i < snippet.n_lines; i++) {
        const uint32_t line = snippet.first_line + i;
        buffer_printf(&lines, "%s%s%5u  %s", i ? "\n" : "", line == frame->line ? ">" : " ", line,
                      buffer_string(&snippet.lines[i]));
        lines.failed |= snippet.lines[i].failed;
    }
    buffer_text(&page->text, snippet.n_lines || snippet.why_not[0] ? "\n" : "");
    if (snippet.n_lines > 0)
        add_code(page, "text", buffer_string(&lines));
    else if (snippet.why_not[0])
        buffer_printf(&page->text, "The source is not shown: %s.\n", snippet.why_not);
    snippet_fini(&snippet);
    page->text.failed |= lines.failed;
    buffer_fini(&lines);
}

static void add_verify(struct page *page, const struct finding *finding)
{
    buffer_text(&page->text, "\nTo verify: ");
    add_text(page, finding->rule->expect);
    buffer_text(&page->text, "\n\n");
    add_command(page, finding->verify_command);
    buffer_text(&page->text, "\nThe same numbers:\n\n");
    add_command(page, finding->evidence.query);
}

static void add_change(struct page *page, const struct finding *finding)
{
    struct buffer saves = {0}, measured = {0};
    wording_saves(&saves, finding);
    wording_measured(&measured, finding);
    add_item(page, "Change", finding->suggestion.text);
    add_item_words(page, "Saves", &saves);
    add_item_words(page, "Measured", &measured);
    for (size_t i = 0; i < RULE_MAX_KEPT && finding->rule->must_keep[i]; i++)
        add_item(page, "Must keep", finding->rule->must_keep[i]);
    add_item(page, "Same output", finding->rule->why_same_output);
}

static void add_finding(struct page *page, const struct finding *finding)
{
    const struct profile_frame *const frame = place_frame(finding, page->findings->profile);
    buffer_printf(&page->text, "\n## %u. ", finding->rank);
    add_text(page, finding->title);
    buffer_printf(&page->text, "\n\n%s, %s (", finding->id, rule_severity_name(finding->severity));
    add_text(page, finding->rule->name);
    buffer_text(&page->text, ")\n\n");
    begin_item(page, "Place");
    add_function(page, frame, false);
    buffer_text(&page->text, " ");
    add_location(page, frame);
    buffer_text(&page->text, "\n");
    add_freed(page, finding);
    add_evidence(page, finding);
    add_change(page, finding);
    add_confidence(page, finding);
    for (uint32_t i = 0; i < finding->n_related; i++)
        add_item(page, "See also", finding->related[i]);
    if (finding->place.place < finding->place.n_frames)
        add_stack(page, finding);
    if (page->options->snippets)
        add_snippet(page, finding);
    add_verify(page, finding);
}

/* ---- the page ---- */

static void add_header(struct page *page)
{
    const struct findings *const findings = page->findings;
    struct buffer words = {0}, facts = {0}, count = {0};
    char together[256];
    findings_sum_up(findings, together, sizeof together);
    cells_add_run(&words, findings->profile, false);
    cells_add_facts(&facts, findings->profile, false);
    wording_count(&count, findings);
    buffer_text(&page->text, "# heapwise findings: ");
    add_words(page, &words);
    buffer_text(&page->text, "\n\n");
    add_words(page, &facts);
    buffer_printf(&page->text, "\n\n**%s**", buffer_string(&count));
    if (findings->n > 0)
        buffer_printf(&page->text, "; together %s", together);
    buffer_text(&page->text, "\n");
    page->text.failed |= count.failed;
    buffer_fini(&count);
}

int show_markdown(const struct findings *findings, const struct show_options *options, FILE *out)
{
    struct page page = {.findings = findings, .options = options};
    add_header(&page);
    if (findings->n > 0) {
        add_summary(&page);
        add_matrix(&page);
    }
    for (size_t i = 0; i < findings->n && !page.text.failed; i++) {
        add_finding(&page, findings->ranked[i]);
        fwrite(buffer_string(&page.text), 1, page.text.length, out);
        buffer_reset(&page.text);
    }
    if (findings->n < findings->n_all)
        buffer_printf(&page.text, "\n%zu more: `--top 0`\n", findings->n_all - findings->n);
    fwrite(buffer_string(&page.text), 1, page.text.length, out);
    const int result = page.text.failed ? -ENOMEM : 0;
    buffer_fini(&page.text);
    return result;
}
