/* SPDX-License-Identifier: MIT */
/* What the user set for findings: limits of rules, frames that are not his, threads that must not wait.
 *
 *     {"schema": "heapwise-rules/1",
 *      "rules": {"AL101": {"min_count": 500}, "io_tiny_write": {"enabled": false}},
 *      "hide": ["boost::*", "libgtk*"],          functions or modules that are no place for a finding
 *      "latency_threads": ["main", "io-*"]}      by name; "main" is also the process's first thread
 *
 * Patterns are of fnmatch(3). An unknown key, rule or limit is an error. */
#ifndef HEAPWISE_FINDINGS_CONFIG_H
#define HEAPWISE_FINDINGS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct rule;

struct config_limit {
    const struct rule *rule;
    const char *name;
    double value;
};

struct findings_config {
    size_t n_limits;
    struct config_limit *limits;
    size_t n_disabled;
    const struct rule **disabled;
    size_t n_hidden, n_latency_threads;
    const char **hidden; /* for profile_options */
    const char **latency_threads;
};

/* Why a configuration was refused: one line, not escaped. */
struct config_error {
    char reason[256];
};

/* Read a file. Returns 0; -errno when it cannot be read; -EINVAL with *error_out when it cannot be used.
 * The configuration is empty when `path` is NULL. */
int config_load(const char *path, struct findings_config *config_out,
                struct config_error *error_out);

/* Accepts zeroed memory. */
void config_fini(struct findings_config *config);

bool config_is_enabled(const struct findings_config *config, const struct rule *rule);

bool config_is_latency_thread(const struct findings_config *config, const char *name);

#endif
