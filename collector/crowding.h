/* SPDX-License-Identifier: MIT */
/* Whether others want the processors: then each nanosecond of the recorder's is taken from somebody, most
 * likely from the program it watches. Told by how long its own thread had to wait for its turns, and by how many
 * were running or waiting with it: on a virtual machine whose host is busy, a wake-up alone takes long. */
#ifndef HEAPWISE_COLLECTOR_CROWDING_H
#define HEAPWISE_COLLECTOR_CROWDING_H

#include <stdbool.h>
#include <stdint.h>

/* What a thread has had so far. */
struct crowding_turns {
    uint64_t ran_ns, waited_ns; /* on a processor, in a run queue */
};

/* What a look sees. */
struct crowding_sight {
    struct crowding_turns turns;
    unsigned n_runnable; /* threads of the machine that run or could, ourselves among them */
};

struct crowding {
    int turns_fd, load_fd; /* schedstat of the thread that opened it, and loadavg; -1 without */
    unsigned n_processors;
    struct crowding_turns last;
    struct crowding_turns recent;           /* sums in which what is past fades */
    uint64_t recent_looks, recent_runnable; /* likewise */
};

/* Begin to watch the calling thread. Where the kernel does not tell, it is never crowded. */
void crowding_open(struct crowding *crowding);
void crowding_close(struct crowding *crowding);

/* Tell whether it is crowded, by the last dozen of looks. Two preads, 2 us. */
bool crowding_look(struct crowding *crowding);

/* The same, by what the kernel said. */
bool crowding_weigh(struct crowding *crowding, const struct crowding_sight *sight);

#endif
