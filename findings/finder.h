/* SPDX-License-Identifier: MIT */
/* What a rule has at hand while it looks: the profile, its limits, and where its findings go. */
#ifndef HEAPWISE_FINDINGS_FINDER_H
#define HEAPWISE_FINDINGS_FINDER_H

#include "findings/config.h"
#include "findings/finding.h"

struct findings;

struct finder {
    const struct profile *profile;
    const struct findings_config *config;
    struct findings *findings;
    bool out_of_memory; /* once true, the run of the rules ends in -ENOMEM */
};

/* The rule's limit: the configuration's, else the table's. The name must be in the table. */
double finder_limit(const struct finder *finder, const struct rule *rule, const char *name);

/* Add a finding, zeroed but for its rule, or NULL when out of memory. Valid until findings_free(). */
struct finding *finder_add(struct finder *finder, const struct rule *rule);

/* Make the site the finding's subject and place, with sizes as evidence. */
void finder_about_site(struct finding *finding, const struct site *site);
void finder_about_io_site(struct finding *finding, const struct io_site *site);

/* Format a text that lives as long as the findings; "" when out of memory (which is noted). Cut at
 * FINDING_MAX_TEXT_BYTES. */
const char *finder_text(struct finder *finder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Keep text[0..n_bytes) likewise. */
const char *finder_keep(struct finder *finder, const char *text, size_t n_bytes);

/* Numbers for people: "120,000", "1.50 MB", "2.3 ms". Kept like finder_text(). */
const char *finder_number(struct finder *finder, double value);
const char *finder_bytes(struct finder *finder, double bytes);
const char *finder_seconds(struct finder *finder, double seconds);

/* Lower the finding's confidence by a factor, and say why. */
void finder_doubt(struct finding *finding, double factor, const char *reason);

/* Share in percent, 0 where the whole is 0. */
static inline double finder_percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

/* The nearest count: 0 for less and for what is no number, UINT64_MAX for more. */
static inline uint64_t finder_whole(double value)
{
    if (!(value > 0))
        return 0;
    return value < 1.8e19 ? (uint64_t)(value + 0.5) : UINT64_MAX;
}

/* What allocating and freeing one block of the site takes, from the calls that were timed; a usual figure
 * (*measured_out false) where none was. */
double finder_pair_seconds(const struct site *site, bool *measured_out);

#endif
