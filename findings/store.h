/* SPDX-License-Identifier: MIT */
/* Where findings and their texts are kept until findings_free(). */
#ifndef HEAPWISE_FINDINGS_STORE_H
#define HEAPWISE_FINDINGS_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "findings/finding.h"
#include "reader/storage.h"

struct findings_store {
    struct storage storage;
    struct finding **found; /* in the order of finding; pointers stay valid while it grows */
    size_t n_found, capacity;
};

#endif
