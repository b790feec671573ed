/* SPDX-License-Identifier: MIT */
/* How far is one word from another? Damerau's distance (adjacent swaps count once). */
#include "cli/nearest.h"

#include <string.h>

#define WORD_MAX 64

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
    const size_t n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);
    size_t rows[3][WORD_MAX + 1]; /* the last two rows of the table, and the one being filled */
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        const size_t *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        size_t *row = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = min(min(row[j - 1], above[j]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void nearest_offer(struct nearest *best, const char *wanted, const char *candidate)
{
    const size_t length = strlen(candidate);
    const size_t prefix = strlen(wanted);
    size_t distance = nearest_distance(wanted, candidate);
    if (prefix >= 2 && strncmp(wanted, candidate, prefix) == 0)
        distance = 1;
    if (distance > (length + 2) / 3)
        return;
    if (!best->word || distance < best->distance)
        *best = (struct nearest){candidate, distance};
}
