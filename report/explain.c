/* SPDX-License-Identifier: MIT */
/* What does each word of a report mean? One row per topic; docs/METRICS.md holds the same text. */
#include "report/explain.h"

#include <ctype.h>
#include <string.h>

static const struct topic topics[] = {
    {"alloc_count", TOPIC_METRIC, "blocks handed out",
     "Unit: calls. Successful calls that gave a new block: malloc, calloc,\n"
     "realloc(NULL, n), reallocarray(NULL, ..), posix_memalign, aligned_alloc,\n"
     "memalign, valloc, pvalloc, C++ operator new (seen through malloc) and\n"
     "jemalloc's mallocx. Counted exactly, one by one, never sampled.\n"
     "To act: find the places with the largest share in MOST CALLS. Reuse a buffer,\n"
     "reserve capacity ahead, or take blocks of one size from a pool.\n"
     "Pitfall: a program with its own arena asks malloc rarely; what it does inside\n"
     "the arena is not seen.\n"},
    {"realloc_count", TOPIC_METRIC, "blocks resized",
     "Unit: calls. Successful realloc, reallocarray, rallocx and xallocx of a block\n"
     "that existed, moved or not. realloc(NULL, n) is an allocation; realloc(p, 0)\n"
     "is a free where the allocator treats it so.\n"
     "To act: many reallocations at one place mean a buffer that grows in small\n"
     "steps: grow by a factor, or reserve. copied_bytes says what the moves cost.\n"},
    {"free_count", TOPIC_METRIC, "blocks given back",
     "Unit: calls. free of a block that is not NULL, free_sized, free_aligned_sized,\n"
     "cfree, dallocx, sdallocx, and realloc(p, 0) where it frees. On a call site:\n"
     "frees of blocks that this site allocated, wherever they were freed.\n"
     "Frees of memory inherited over fork count here and in inherited_frees; frees\n"
     "of memory nobody recorded count here and in unknown_frees.\n"},
    {"alloc_bytes", TOPIC_METRIC, "bytes asked for",
     "Unit: bytes. Requested sizes, summed over all allocations and, with the new\n"
     "size, over all reallocations. It is traffic, not a level: a block of 1 kB\n"
     "allocated and freed a thousand times counts 1 MB. What the allocator adds by\n"
     "rounding up is slack_bytes.\n"
     "To act: high bytes with few calls point at large buffers that could be kept;\n"
     "high bytes with many calls at churn.\n"},
    {"peak_bytes", TOPIC_METRIC, "most bytes live at once",
     "Unit: bytes. The largest sum of requested bytes of live blocks at any moment,\n"
     "over all threads of one process; exact, because every change is followed. On a\n"
     "call site: what the site held at the moment of its process's peak, so that\n"
     "sites add up to the peak. In the totals of several processes: the largest\n"
     "one's.\n"
     "To act: PEAK MEMORY lists who held it. Free earlier, stream instead of\n"
     "collecting, or use smaller types.\n"
     "Pitfall: the resident size is larger; it has slack, fragmentation, code,\n"
     "stacks and mappings as well.\n"},
    {"peak_count", TOPIC_METRIC, "blocks live at the peak",
     "Unit: blocks. How many blocks were live at the moment of peak_bytes; on a call\n"
     "site, how many of its own. peak_bytes / peak_count is the mean size there:\n"
     "many small blocks cost slack and cache misses on top of their bytes.\n"},
    {"leaked_count", TOPIC_METRIC, "blocks never freed",
     "Unit: blocks. Live when the process ended, however it ended: by exit, by a\n"
     "signal or killed. Blocks live at an exec are not leaked, and a forked child\n"
     "does not leak what it inherited.\n"
     "See leaked_bytes for what to do about them.\n"},
    {"leaked_bytes", TOPIC_METRIC, "bytes never freed",
     "Unit: bytes. Requested bytes of the blocks in leaked_count. The section LEAKS\n"
     "keeps apart what the C and C++ runtime keeps on purpose and what your\n"
     "suppression list names; the metric holds all of it.\n"
     "To act: a leak that grows with the input or the run time is a fault; one block\n"
     "per start-up is a matter of taste. Run twice with different input and compare.\n"
     "Pitfall: a block still reachable from a global is counted too: the measure is\n"
     "\"not freed\", not \"unreachable\". A killed process shows all it held.\n"},
    {"temporary_count", TOPIC_METRIC, "blocks freed at once",
     "Unit: blocks. Freed before their own thread allocated or reallocated again:\n"
     "the block served a single step. (For heaptrack the next call of any\n"
     "thread ends the step, so its figure differs where threads interleave.)\n"
     "To act: these are the cheapest allocations to remove: a buffer on the stack, a\n"
     "buffer kept between calls, a string view, a move in place of a copy.\n"
     "Pitfall: a block freed by another thread counts if the thread that made it did\n"
     "nothing in between.\n"},
    {"slack_bytes", TOPIC_METRIC, "bytes lost to rounding",
     "Unit: bytes. Usable minus requested bytes of the blocks live at the peak: what\n"
     "the allocator handed out on top of the request. Usable sizes come from\n"
     "malloc_usable_size or the allocator's size classes. Headers between blocks are\n"
     "not part of it. In the totals of several processes: the sum, each at the\n"
     "moment of its own peak.\n"
     "To act: a high share comes from many small or oddly sized blocks; pack them\n"
     "into arrays or pools, or ask for sizes just below a class.\n"},
    {"copied_bytes", TOPIC_METRIC, "bytes that realloc moved",
     "Unit: bytes. For every reallocation that changed the address, the smaller of\n"
     "old and new size: what had to be copied. Large blocks that the kernel moves by\n"
     "remapping pages count as well, though no byte is touched.\n"
     "To act: reserve the final size, or grow by a factor of 1.5 to 2 instead of by\n"
     "a constant.\n"},
    {"alloc_rate", TOPIC_METRIC, "allocations per second",
     "Unit: per second. alloc_count divided by duration_seconds: wall time, not\n"
     "processor time. On a call site: its own count over the duration of the run, or\n"
     "of the process that --process picks.\n"
     "Pitfall: a program that waits most of the time has a low rate and may still be\n"
     "bound by allocation while it works; see peak_alloc_rate.\n"},
    {"alloc_byte_rate", TOPIC_METRIC, "bytes asked for per second",
     "Unit: bytes per second. alloc_bytes divided by duration_seconds. Above about 1\n"
     "GB/s the caches are washed out by allocation alone.\n"
     "On a call site: its own bytes over the duration of the run, or of the process\n"
     "that --process picks.\n"},
    {"peak_alloc_rate", TOPIC_METRIC, "allocations in the busiest second",
     "Unit: per second. The highest alloc_count within any window of one second,\n"
     "wherever it begins (to a millisecond). For a run shorter than a second: its\n"
     "count within that one window. Totals and processes only.\n"
     "To act: far above alloc_rate means bursts; the timeline in the JSON report\n"
     "shows when.\n"},
    {"peak_alloc_byte_rate", TOPIC_METRIC, "bytes asked for in the busiest second",
     "Unit: bytes per second. The highest alloc_bytes within any window of one\n"
     "second, measured like peak_alloc_rate. Totals and processes only.\n"},
    {"mapped_bytes", TOPIC_METRIC, "anonymous memory mapped",
     "Unit: bytes. Sum of anonymous mmap calls of the program and growth by mremap;\n"
     "never part of alloc_bytes. The allocator's own mappings, made inside libc, are\n"
     "not seen. Totals and processes only.\n"
     "To act: large figures with small alloc_bytes mean that memory is managed by\n"
     "hand; the heap sections then show a part of the picture only.\n"},
    {"mapped_peak_bytes", TOPIC_METRIC, "most anonymous memory mapped at once",
     "Unit: bytes. The largest sum of the mappings in mapped_bytes at any moment;\n"
     "partial munmap is followed. In the totals of several processes: the sum of\n"
     "their peaks, which need not have come together. Mapped is not resident:\n"
     "untouched pages cost nothing.\n"},
    {"lifetime_ns", TOPIC_METRIC, "how long blocks live",
     "Unit: nanoseconds, as p50, p95, p99 and max (JSON). From the allocation to the\n"
     "free of the same block; a reallocation does not begin a new life. Blocks never\n"
     "freed have no lifetime. Percentiles are within 1/32 of the true value, max is\n"
     "exact. Null where nothing was freed.\n"
     "To act: short lives at a busy place suit a pool, an arena or the stack; equal\n"
     "long lives suit an arena freed in one go.\n"
     "Pitfall: recording adds tens of nanoseconds. In bursts, events share readings\n"
     "of the clock (but for run --exact-times): a life of 0 was below a microsecond.\n"},
    {"alloc_call_ns", TOPIC_METRIC, "how long the allocator takes to give a block",
     "Unit: nanoseconds, as p50, p95, p99 and max, with `timed`, the number of calls\n"
     "measured (JSON, call sites only). The time inside the program's real malloc,\n"
     "calloc or realloc, of one call in 64 on average; null where none was timed, or\n"
     "with --no-latency. Reading the counter is taken off.\n"
     "To act: p50 times alloc_count estimates what a site's calls cost. A p99 far\n"
     "above p50 points to lock contention, page faults or mmap in the allocator.\n"
     "Pitfall: recording shares caches with the program; small figures are upper\n"
     "bounds.\n"},
    {"free_call_ns", TOPIC_METRIC, "how long the allocator takes to free its blocks",
     "Unit: as alloc_call_ns, of the program's real free. It stands at the site that\n"
     "allocated the block, not where it was freed.\n"
     "To act: frees far dearer than allocations often give blocks back from another\n"
     "thread than the one that allocated them.\n"},
    {"max_live_count", TOPIC_METRIC, "most blocks of a site live at once",
     "Unit: blocks. The largest number of blocks of one call site live at the same\n"
     "time; the peak of the site, not of the process. Call sites only; it does not\n"
     "add up over sites.\n"
     "To act: it is the number of slots that a pool for this site needs.\n"},
    {"max_live_bytes", TOPIC_METRIC, "most bytes of a site live at once",
     "Unit: bytes. The same for requested bytes. If it is far above the site's\n"
     "peak_bytes, the site has its own peak at another time than the process.\n"},
    {"threads", TOPIC_METRIC, "threads that allocate",
     "Unit: threads. On a call site: distinct threads that allocated there. In\n"
     "coverage: threads recorded.\n"
     "To act: busy sites with many threads profit most from per-thread caches or\n"
     "pools.\n"},
    {"io_calls", TOPIC_METRIC, "physical read and write calls",
     "Unit: calls. Calls that reached the kernel to read or to write, made by the\n"
     "program or by stdio for it, failed and empty ones included: io_read_calls +\n"
     "io_write_calls. Copies inside the kernel (sendfile, splice, tee,\n"
     "copy_file_range) count on both sides. Syncs, seeks, opens and stats are apart.\n"
     "All metrics of I/O are null where none was recorded: with --no-io, or by an\n"
     "older version.\n"
     "To act: many calls with few bytes each: HOT I/O CALL SITES has the places,\n"
     "with the median size. Read and write more at once, or through a buffer.\n"
     "Pitfall: pages touched through mmap, and io_uring, move bytes without a call.\n"},
    {"io_read_calls", TOPIC_METRIC, "physical read calls",
     "Unit: calls. The reading part of io_calls: read, readv, pread64, preadv,\n"
     "preadv2, recvfrom, recvmsg, recvmmsg, aio_read, and copies.\n"
     "The read that finds the end of a file, and reads that fail, count as well.\n"},
    {"io_write_calls", TOPIC_METRIC, "physical write calls",
     "Unit: calls. The writing part of io_calls: write, writev, pwrite64, pwritev,\n"
     "pwritev2, sendto, sendmsg, sendmmsg, aio_write, vmsplice, and copies.\n"},
    {"io_read_bytes", TOPIC_METRIC, "bytes read",
     "Unit: bytes. What the calls in io_read_calls moved: what they returned, not\n"
     "what they asked for.\n"
     "To act: FILES tells where they came from; `read N times over` there means that\n"
     "the same bytes came more than once.\n"
     "Pitfall: most reads are served by the page cache; the device sees fewer.\n"},
    {"io_write_bytes", TOPIC_METRIC, "bytes written",
     "Unit: bytes. What the calls in io_write_calls moved: what they returned, not\n"
     "what they were given.\n"
     "Pitfall: written means handed to the kernel; only syncs wait for a device.\n"},
    {"io_seconds", TOPIC_METRIC, "time in I/O calls",
     "Unit: seconds. Wall time inside the calls in io_calls and inside the sync\n"
     "calls of fsync_count, summed over threads: with several it may exceed the run\n"
     "time. Waiting for a peer (a pipe, a socket, a terminal) counts too.\n"
     "To act: BLOCKING TIME has it by thread, SLOWEST CALLS the single calls.\n"
     "Pitfall: waiting in poll, epoll_wait or select is not part of it.\n"},
    {"stdio_calls", TOPIC_METRIC, "logical stdio calls",
     "Unit: calls. Calls of stdio functions that may transfer data: fwrite, fgets,\n"
     "printf, fflush and their families, before buffering. Macros and inlined code\n"
     "that work on the buffer alone (getc_unlocked) are not seen.\n"
     "To act: stdio_calls divided by the transfers of layer stdio says how well the\n"
     "buffer works; near 1 it does nothing: look for a flush after every line.\n"},
    {"fsync_count", TOPIC_METRIC, "calls that force data to disk",
     "Unit: calls. fsync, fdatasync, syncfs, sync_file_range, msync, sync. Their\n"
     "time is part of io_seconds; FLUSHES AND SYNCS lists them by place.\n"
     "To act: one sync for many records (a transaction, a batch) costs as much as\n"
     "one for each.\n"},
    {"open_count", TOPIC_METRIC, "files opened",
     "Unit: calls. open, openat, creat, fopen, freopen, opendir, mkstemp,\n"
     "memfd_create and their families, failed ones included.\n"
     "To act: FILES shows names opened again and again; keep the descriptor. Many\n"
     "failed opens are a search path.\n"},
    {"seek_count", TOPIC_METRIC, "position changes",
     "Unit: calls. Calls of lseek that reached the kernel, made by the program or by\n"
     "stdio for it.\n"
     "To act: pread and pwrite need no seek. With stdio a seek between two reads\n"
     "drops what the buffer holds.\n"},
    {"stat_count", TOPIC_METRIC, "file status queries",
     "Unit: calls. stat, fstat, lstat, fstatat, statx, access and their families,\n"
     "failed ones included.\n"
     "To act: many for one name (FILES) mean that the answer could be kept.\n"},
    {"events", TOPIC_METRIC, "events recorded",
     "Unit: events. Allocations, reallocations, frees, mappings and I/O in the\n"
     "trace. Together with lost_events it says how complete the trace is.\n"},
    {"lost_events", TOPIC_METRIC, "events that are missing",
     "Unit: events. Could not be recorded, for any reason: a full buffer under --on-\n"
     "full drop, a collector that died, a nested signal handler, a damaged ring. 0\n"
     "means that counts and bytes are exact.\n"
     "To act: record again with a larger --buffer or with --on-full block. With\n"
     "losses, counts are lower bounds, and leaks may be blocks whose free was lost.\n"},
    {"duration_seconds", TOPIC_METRIC, "run time",
     "Unit: seconds. Of a process: from its start to its end as the collector saw\n"
     "it. Of the run: from the start of the command to the last exit. Wall time on\n"
     "the clock of the trace, recording included.\n"},
    {"peak_rss_bytes", TOPIC_METRIC, "most memory resident",
     "Unit: bytes. The largest sum of the resident sizes of all recorded processes,\n"
     "sampled from outside (every 10 ms by default). It includes the shim's buffers\n"
     "and shared pages once per process.\n"
     "Pitfall: a short spike between two samples is missed. peak_bytes, in contrast,\n"
     "is exact.\n"},
    {"coverage", TOPIC_SECTION, "what the report knows, and what not",
     "Shown first, and only when there is something to say: the trace was cut,\n"
     "recording stopped early, events were lost, processes were not recorded, or\n"
     "blocks were freed that nobody allocated on record. While it shows lost events\n"
     "or a cut, read every count as a lower bound. `N of M kernel reads/writes\n"
     "attributed` tells that some I/O was not seen, or cannot be compared: see\n"
     "kernel_counters.\n"
     "In JSON the object coverage is always there, with the same figures for every\n"
     "process.\n"},
    {"marks", TOPIC_SECTION, "what the program said of itself",
     "Lines that the program put into the trace by heapwise_mark(\"text\"), with their\n"
     "time after the start; shown only when there are any, the first hundred.\n"
     "Include <heapwise.h>, which needs no library: without the recorder the call\n"
     "does nothing. For telling phases apart: \"configuration loaded\", \"warm\".\n"
     "Pitfall: marks of all processes stand in one list.\n"},
    {"rates", TOPIC_SECTION, "the totals of the run",
     "Run time, calls and bytes with their rates per second, the rate in the busiest\n"
     "second, peak heap, slack at that peak, peak resident size, leaks and mappings;\n"
     "then reads, writes and the other calls of I/O. The figures are sums over all\n"
     "processes; peak heap is the largest process's.\n"
     "Each row is one of the metrics: run `heapwise explain METRIC` on it.\n"},
    {"most_calls", TOPIC_SECTION, "the places that call the allocator most",
     "One entry per place, ordered by allocations plus reallocations; the share is\n"
     "that of all calls of the run. Below it stand its callers, merged into a tree:\n"
     "each branch carries its own figures, a chain of single callers is one line per\n"
     "frame and shows no figures because they are those of the line above; where\n"
     "callers with less than 0.5 % of it were passed over, --stacks 0 shows them.\n"
     "To act: go down the tree until a caller appears that you own and that loops.\n"},
    {"peak_memory", TOPIC_SECTION, "who held memory at the peak",
     "One entry per place, ordered by the bytes its blocks held at the moment of the\n"
     "peak. Shares are those of the peak. With several processes each place counts\n"
     "in the process with the largest peak.\n"
     "To act: the first three entries usually decide. `calls` far above `blocks`\n"
     "means that the place also churns.\n"},
    {"leaks", TOPIC_SECTION, "what was never freed",
     "One entry per place, ordered by bytes live at the end. Blocks that the C and\n"
     "C++ runtime keeps on purpose (stdio buffers, the emergency exception pool,\n"
     "loader tables) and blocks that match --suppressions are left out of the table\n"
     "and summed up below it.\n"
     "A suppression file has lines `leak:PATTERN` as LeakSanitizer reads them; *\n"
     "matches anything, ^ and $ anchor. A pattern is compared with function, file\n"
     "and module of every frame.\n"},
    {"temporary", TOPIC_SECTION, "blocks that served a single step",
     "One entry per place, ordered by temporary_count. `of its calls` is the share\n"
     "of the place's own allocations that were temporary: near 100 % the buffer can\n"
     "nearly always be avoided or kept.\n"
     "See temporary_count for the definition.\n"},
    {"lifetimes", TOPIC_SECTION, "how long blocks live, by call stack",
     "The first line covers all blocks that were freed. Then one entry per call\n"
     "stack, ordered by blocks freed, with the median and upper percentiles from\n"
     "allocation to free. Percentiles cannot be added, so stacks are not merged\n"
     "here. Where several begin alike, those frames follow that tell them apart:\n"
     "callers further out, library functions (`down to`), or, where all names are\n"
     "the same, addresses (`at`).\n"
     "To act: a p99 close to p50 means equal lives: an arena fits. A p50 of\n"
     "microseconds at a busy stack: a pool or the stack fits.\n"},
    {"sizes", TOPIC_SECTION, "requested sizes",
     "A histogram in powers of two, with calls, their share, the bytes, the\n"
     "temporary ones and the median lifetime of each class. Reallocations count with\n"
     "their new size. In JSON each call site has `sizes` as min, p50, p95, p99 and\n"
     "max in bytes; min and max are exact, percentiles within 1/32.\n"
     "To act: most programs have one or two classes that make up 80 % of all calls;\n"
     "a pool for exactly these pays. A site with one size only (min equals max) is\n"
     "the best case.\n"},
    {"hot_io", TOPIC_SECTION, "the places that spend most time in I/O",
     "HOT I/O CALL SITES has one entry per place, ordered by the time inside its\n"
     "reads, writes and syncs (or by the I/O metric given to --sort), with calls,\n"
     "bytes and the callers below. Under the place stand the kernel call and the\n"
     "file; the median size and time of a call and the time that 99 % stay below (of\n"
     "few calls, the longest); and what is remarkable. Where several stacks of the\n"
     "place make the same call, the median of all lies in the range given.\n"
     "In JSON, io_sites has one row per stack, call and layer, with all figures.\n"
     "To act: time far above others with a small median size: larger pieces. See\n"
     "layers, patterns and stdio_calls for the remarks.\n"},
    {"files", TOPIC_SECTION, "what was read and written",
     "One entry per file, pipe, socket or device, ordered by the time spent in its\n"
     "reads, writes and syncs (or by the I/O metric given to --sort): calls, bytes,\n"
     "and what is remarkable, as `read 4.0 times over` (bytes read against bytes\n"
     "covered at least once), opens, seeks, turns between reading and writing. Names\n"
     "that were only looked for or opened are summed up below.\n"
     "A name is what the descriptor led to at its first transfer; a file renamed\n"
     "later keeps it, and one deleted is marked by the kernel.\n"},
    {"slowest_calls", TOPIC_SECTION, "single calls that took longest",
     "The slowest reads, writes, syncs and opens of the run, up to 20: how long,\n"
     "when they began, in which thread, how many bytes, where, and on what; the file\n"
     "and the callers of a stack and call stand there once.\n"
     "To act: a slow call once is a cold cache or a busy device; one place with many\n"
     "of them is a pattern. Reads of pipes, sockets and terminals wait for the other\n"
     "side: that is no fault of theirs.\n"},
    {"flushes", TOPIC_SECTION, "syncs, and buffers written early",
     "Calls that wait for a device (fsync and its kin), and streams of stdio most of\n"
     "whose writes were smaller than a buffer of 4096 bytes: something made stdio\n"
     "write early, as fflush, std::endl, a line end on a terminal, a seek, or a\n"
     "stream without buffer. `stdio calls per write` near 1 or 2 is one flush per\n"
     "record.\n"
     "To act: let the buffer fill where nobody waits for the line; one sync per\n"
     "batch.\n"},
    {"blocking", TOPIC_SECTION, "how long each thread waited for I/O",
     "Wall time inside reads, writes and syncs by thread, its share of the thread's\n"
     "life, the part that is syncs, and the longest single call.\n"
     "To act: a thread that must answer quickly should have a small share; move its\n"
     "syncs to another one.\n"
     "Pitfall: time in poll, locks and page faults is not part of it.\n"},
    {"open_descriptors", TOPIC_SECTION, "what was never closed",
     "Descriptors still open when their process ended, by the place that opened\n"
     "them, with how many it opened in all. Descriptors inherited from a parent are\n"
     "not listed.\n"
     "To act: a few opened once are a matter of taste, for the kernel closes them;\n"
     "as many as were opened are a leak, which ends at the limit of open files.\n"},
    {"processes", TOPIC_SECTION, "the tree of processes",
     "Shown when more than one process was recorded: id (for --process), pid, exit\n"
     "status or signal, time, calls, peak and leaks, each process below the one that\n"
     "started it. `after N exec:` tells that earlier programs ran in the same\n"
     "process; blocks live at an exec are not leaks. `?` is a status that only an\n"
     "unrecorded parent learned.\n"},
    {"timeline", TOPIC_SECTION, "the course of the run",
     "Only in JSON: up to about a thousand points of equal width with live bytes\n"
     "(highest in the interval), allocations, bytes asked for, resident bytes, bytes\n"
     "read and bytes written, summed over all processes.\n"},
    {"call_site", TOPIC_NOTION, "one call stack that allocates",
     "A call stack from the allocator's caller to the outermost frame. The same\n"
     "stack in several threads or processes is one site. Its id is made of modules,\n"
     "build ids and offsets, so it is the same from run to run of the same binaries.\n"},
    {"io_site", TOPIC_NOTION, "one call stack that does I/O",
     "A call stack that made one kind of kernel call by one layer. Its calls and\n"
     "bytes are physical, so that the rows add up to the totals; a copy inside the\n"
     "kernel is one call that reads and writes. latency_ns is the time inside the\n"
     "call as p50, p95, p99 and max; sizes are those of calls that moved anything.\n"},
    {"layers", TOPIC_NOTION, "who made the kernel call",
     "syscall: the program called read, write and so on itself (in the report just\n"
     "`read`). stdio: the C library did, to fill or empty the buffer of a stream\n"
     "(`read by stdio`); the place is then the caller of fgets, printf or whatever\n"
     "made the transfer necessary, and logical_calls tells how many stdio calls the\n"
     "stream had since its last transfer. What the exit of the program flushes is\n"
     "charged to the stream's last writer.\n"},
    {"patterns", TOPIC_NOTION, "how positions in a file follow each other",
     "For files only, per descriptor: consecutive: a call begins where the last one\n"
     "ended. strided: further on, skipping bytes. random: anywhere else, also back.\n"
     "The report remarks on them from 10 % on.\n"
     "To act: small random reads of one file suit mmap or a cache; a stride suits\n"
     "reading all and picking.\n"},
    {"io_errors", TOPIC_NOTION, "calls that did less than asked",
     "failed: the kernel refused; of these would_block were not ready (EAGAIN, on a\n"
     "non-blocking descriptor) and interrupted met a signal first (EINTR).\n"
     "short_calls moved fewer bytes than asked for, empty ones none; at the end of a\n"
     "file, and on pipes and sockets, both are normal.\n"
     "To act: many would_block calls are a loop that should wait in poll.\n"},
    {"io_heap", TOPIC_NOTION, "how I/O and allocations meet",
     "Per I/O site, JSON object heap: calls whose buffer lay in a live block of the\n"
     "heap; fresh_calls, in one that no call from there had used before;\n"
     "single_calls, in one that was freed before any other call used it;\n"
     "inner_allocs, blocks that functions of stdio allocated when called from there;\n"
     "copied_calls and copied_bytes, writes of memory that a read had just filled.\n"
     "To act: single_calls near calls is a buffer allocated per call: keep one.\n"
     "Bytes passed on as they were read suit splice or sendfile.\n"},
    {"kernel_counters", TOPIC_NOTION, "the kernel's own count of I/O",
     "/proc/PID/io counts read and write calls and their bytes, for each process\n"
     "with those of its reaped children. The report compares it with what was\n"
     "recorded: `1,118 of 1,118 kernel reads/writes attributed (100.0 %), 6 of them\n"
     "before recording began`, most of these by the dynamic loader; as the last line\n"
     "where nothing is missing, else in COVERAGE. JSON: io_kernel, where seen_* are\n"
     "the recorded calls of the kinds that the kernel counts, and loader_* those\n"
     "from before. comparable is false where more may differ, which the remarks\n"
     "name.\n"
     "The kernel does not count send and recv, splice, io_uring and mmap there.\n"},
    {"place", TOPIC_NOTION, "the frame a site is named by",
     "The innermost frame that is not part of the C or C++ runtime: in std::string\n"
     "of parse() called by main(), the place is parse(). Sections merge all sites of\n"
     "the same place: same function, file and line; without line information the\n"
     "same function of the same module. `through` names the library frames that were\n"
     "passed over.\n"},
    {"inlined", TOPIC_NOTION, "a frame that the compiler dissolved",
     "The function's body was inlined into the frame that follows it. It has a name\n"
     "and a line from debug information, but no call of its own.\n"},
    {"unknown_frees", TOPIC_NOTION, "frees of memory nobody recorded",
     "Blocks that were freed without a recorded allocation: allocated before the\n"
     "shim was there, or by an allocator that it does not see, or their allocation\n"
     "is among the lost events. Where a trace was cut or stopped early, the records\n"
     "of some threads reach less far than those of others: a block handed from the\n"
     "one to the other may be freed on record and not allocated. A few at start-up\n"
     "are normal.\n"},
    {"inherited_frees", TOPIC_NOTION, "frees of memory from before a fork",
     "A forked child begins with no blocks of its own. Freeing one that its parent\n"
     "allocated counts in free_count and here; it is no unknown free.\n"},
    {"unwind", TOPIC_NOTION, "how stacks were obtained",
     "fast: by the shim's own unwinder. fallback: by libunwind, for code the fast\n"
     "one has no rule for. truncated: deeper than --depth, or cut at code without\n"
     "unwind tables; the outermost callers are missing and the tree ends in\n"
     "[end of stack].\n"},
    {"truncated", TOPIC_NOTION, "a trace that was cut",
     "The trace has no end mark: the recorder was killed, the disk was full, or the\n"
     "file was copied while it grew. All figures cover what came before the cut;\n"
     "blocks live at that moment count as leaked.\n"},
    {"units", TOPIC_NOTION, "how numbers are shown",
     "Counts are exact and in full. Bytes are decimal: 1 kB is 1000 bytes, 1 MB 1000\n"
     "kB. Durations go from ns over us and ms to s, min and h. JSON and csv carry\n"
     "plain integers in bytes and nanoseconds. Sizes given as options (--max-size\n"
     "1G) are binary: K is 1024.\n"},
};

size_t explain_count(void)
{
    return sizeof topics / sizeof *topics;
}

const struct topic *explain_at(size_t i)
{
    return i < explain_count() ? &topics[i] : NULL;
}

static int fold(char c)
{
    return c == '-' || c == ' ' ? '_' : tolower((unsigned char)c);
}

const struct topic *explain_find(const char *name)
{
    for (size_t i = 0; i < explain_count(); i++) {
        const char *topic = topics[i].name;
        size_t n = 0;
        while (topic[n] && topic[n] == fold(name[n]))
            n++;
        if (!topic[n] && !name[n])
            return &topics[i];
    }
    return NULL;
}
