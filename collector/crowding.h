/* SPDX-License-Identifier: MIT */
/* Whether others want the processors: then each nanosecond of the recorder's is taken from somebody, most
 * likely from the program it watches. Told by how long its own thread had to wait for its turns. */
#ifndef HEAPWISE_COLLECTOR_CROWDING_H
#define HEAPWISE_COLLECTOR_CROWDING_H

#include <stdbool.h>
#include <stdint.h>

/* What a thread has had so far. */
struct crowding_turns {
    uint64_t ran_ns, waited_ns; /* on a processor, in a run queue */
};

struct crowding {
    int fd; /* schedstat of the thread that opened it; -1 without */
    struct crowding_turns last;
    struct crowding_turns recent; /* sums in which what is past fades */
};

/* Begin to watch the calling thread. Where the kernel does not tell, it is never crowded. */
void crowding_open(struct crowding *crowding);
void crowding_close(struct crowding *crowding);

/* Tell whether it is crowded, by the last dozen of looks. One pread, 1 us. */
bool crowding_look(struct crowding *crowding);

/* The same, by what the kernel said. */
bool crowding_weigh(struct crowding *crowding, const struct crowding_turns *turns);

#endif
