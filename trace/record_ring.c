/* SPDX-License-Identifier: MIT */
/* How the records of a ring are decoded: events, stack nodes, modules, processes and threads. Their
 * times and most addresses are differences, so they move the input's base on. */
#include "trace/record_shape.h"

static int decode_allocation(struct record_input *input)
{
    struct record_block *const block = &input->record->block;
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_address(input)) ||
        (error = record_take_uint(input, UINT64_MAX, &block->size_bytes)) ||
        (error = record_take_u32(input, &block->stack)))
        return error;
    block->usable_bytes = TRACE_USUAL_USABLE(block->size_bytes);
    if (input->n_left && (error = record_take_uint(input, UINT64_MAX, &block->usable_bytes)))
        return error;
    if (input->n_left && (error = record_take_uint(input, UINT64_MAX, &block->alignment)))
        return error;
    return 0;
}

static int decode_resize_begin(struct record_input *input)
{
    uint64_t call = 0;
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_address(input)) ||
        (error = record_take_uint(input, UINT8_MAX, &call)))
        return error;
    input->record->block.resize_call = (uint8_t)call;
    return 0;
}

static int decode_stamp_only(struct record_input *input)
{
    return record_take_ticks(input);
}

/* Address and size are those of the resize's begin. */
static int decode_resize_freed(struct record_input *input)
{
    const int error = record_take_ticks(input);
    return error || !input->n_left ? error : record_take_u32(input, &input->record->block.stack);
}

static int decode_release(struct record_input *input)
{
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_address(input)))
        return error;
    return input->n_left ? record_take_u32(input, &input->record->block.stack) : 0;
}

static int decode_map(struct record_input *input)
{
    struct record_block *const block = &input->record->block;
    int error;
    if ((error = record_take_ticks(input)) ||
        (error = record_take_uint(input, UINT64_MAX, &block->address)) ||
        (error = record_take_uint(input, UINT64_MAX, &block->size_bytes)))
        return error;
    return input->n_left ? record_take_u32(input, &block->stack) : 0;
}

static int decode_call_time(struct record_input *input)
{
    struct record_block *const block = &input->record->block;
    uint64_t call;
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_uint(input, UINT8_MAX, &call)) ||
        (error = record_take_uint(input, UINT64_MAX, &block->size_bytes)))
        return error;
    block->timed_call = (uint32_t)call;
    return 0;
}

static int decode_node(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_u32(input, &record->node.id)) ||
        (error = record_take_u32(input, &record->node.parent)) ||
        (error = record_take_uint(input, UINT64_MAX, &record->node.return_address)))
        return error;
    return record->node.parent < record->node.id ? 0 : -EBADMSG;
}

static int decode_nothing(struct record_input *input)
{
    (void)input;
    return 0;
}

static int decode_module(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_ticks(input)) ||
        (error = record_take_u32(input, &record->module.id)) ||
        (error = record_take_text(input, &record->module.path)) ||
        (error = record_take_text(input, &record->module.build_id)) ||
        (error = record_take_uint(input, UINT64_MAX, &record->module.bias)) ||
        (error = record_take_uint(input, UINT64_MAX, &record->module.start)) ||
        (error = record_take_uint(input, UINT64_MAX, &record->module.end)))
        return error;
    return record->module.build_id.n_bytes <= 2 * TRACE_MAX_BUILD_ID_BYTES ? 0 : -EBADMSG;
}

static int decode_module_gone(struct record_input *input)
{
    const int error = record_take_ticks(input);
    return error ? error : record_take_u32(input, &input->record->module.id);
}

static int take_map_text(struct unpack_cursor *cursor, struct unpack_text *text_out)
{
    struct unpack_text text;
    const int error = unpack_text(cursor, &text);
    if (error)
        return error;
    if (text.n_bytes > TRACE_MAX_TEXT_BYTES)
        return -EBADMSG;
    *text_out = text;
    return 0;
}

/* Check one array of texts, remember where its elements begin. */
static int take_arguments(struct unpack_cursor *cursor, struct record_image *image)
{
    uint32_t n;
    int error = unpack_array(cursor, &n);
    if (error)
        return error;
    if (n > TRACE_MAX_ARGUMENTS)
        return -EBADMSG;
    const uint8_t *const first = cursor->at;
    for (uint32_t i = 0; i < n; i++) {
        struct unpack_text text;
        if ((error = take_map_text(cursor, &text)))
            return error;
    }
    image->n_arguments = n;
    image->arguments = (struct unpack_cursor){.at = first, .end = cursor->at};
    return 0;
}

/* The image map's number keys: where each goes and how large it may be. */
static const struct image_number {
    const char *key;
    uint64_t max;
    size_t offset, n_bytes;
} image_numbers[] = {
#define NUMBER(key, field, max)                                                                    \
    {                                                                                              \
        key, max, offsetof(struct record_image, field), sizeof((struct record_image *)0)->field    \
    }
    NUMBER("image", image_id, UINT32_MAX),       NUMBER("pid", pid, INT32_MAX),
    NUMBER("parent_pid", parent_pid, INT32_MAX), NUMBER("parent_image", parent_image, UINT32_MAX),
    NUMBER("fork_id", fork_id, UINT32_MAX),      NUMBER("start", start_clock_ticks, UINT64_MAX),
#undef NUMBER
};

static int take_image_number(struct unpack_cursor *cursor, const struct image_number *number,
                             struct record_image *image)
{
    uint64_t value;
    const int error = unpack_uint(cursor, &value);
    if (error)
        return error;
    if (value > number->max)
        return -EBADMSG;
    void *const field = (char *)image + number->offset;
    if (number->n_bytes == sizeof(uint64_t))
        *(uint64_t *)field = value;
    else
        *(uint32_t *)field = (uint32_t)value;
    return 0;
}

static int take_image_pair(struct unpack_cursor *cursor, struct record_image *image)
{
    struct unpack_text key;
    const int error = unpack_text(cursor, &key);
    if (error)
        return error;
    for (size_t i = 0; i < sizeof image_numbers / sizeof *image_numbers; i++)
        if (record_key_is(&key, image_numbers[i].key))
            return take_image_number(cursor, &image_numbers[i], image);
    if (record_key_is(&key, "executable"))
        return take_map_text(cursor, &image->executable);
    if (record_key_is(&key, "allocator"))
        return take_map_text(cursor, &image->allocator);
    if (record_key_is(&key, "arguments"))
        return take_arguments(cursor, image);
    return unpack_skip(cursor, TRACE_MAX_NESTING);
}

static int decode_image(struct record_input *input)
{
    int error = record_take_ticks(input);
    uint32_t n_pairs;
    if (error || (error = unpack_map(&input->cursor, &n_pairs)))
        return error;
    for (uint32_t i = 0; i < n_pairs; i++)
        if ((error = take_image_pair(&input->cursor, &input->record->image)))
            return error;
    input->n_left--;
    return input->record->image.image_id ? 0 : -EBADMSG;
}

static int decode_thread(struct record_input *input)
{
    int error;
    if ((error = record_take_ticks(input)) ||
        (error = record_take_i32(input, &input->record->thread.tid)))
        return error;
    return record_take_text(input, &input->record->thread.name);
}

static int decode_fork(struct record_input *input)
{
    const int error = record_take_ticks(input);
    return error ? error : record_take_u32(input, &input->record->fork.id);
}

static int decode_exec(struct record_input *input)
{
    const int error = record_take_ticks(input);
    return error ? error : record_take_text(input, &input->record->exec.path);
}

static int decode_exec_fail(struct record_input *input)
{
    const int error = record_take_ticks(input);
    return error ? error : record_take_i32(input, &input->record->exec.error);
}

static int decode_child_exit(struct record_input *input)
{
    const int error = record_take_ticks(input);
    return error ? error : record_take_exit(input);
}

static int decode_remark(struct record_input *input)
{
    int error;
    if ((error = record_take_ticks(input)) ||
        (error = record_take_u32(input, &input->record->remark.what)))
        return error;
    return record_take_text(input, &input->record->remark.text);
}

const struct record_shape record_ring_shapes[TRACE_TAG_FILE] = {
    [TRACE_MALLOC] = {"malloc", 5, decode_allocation},
    [TRACE_CALLOC] = {"calloc", 5, decode_allocation},
    [TRACE_REALLOC_NEW] = {"realloc_new", 5, decode_allocation},
    [TRACE_REALLOCARRAY_NEW] = {"reallocarray_new", 5, decode_allocation},
    [TRACE_POSIX_MEMALIGN] = {"posix_memalign", 5, decode_allocation},
    [TRACE_ALIGNED_ALLOC] = {"aligned_alloc", 5, decode_allocation},
    [TRACE_MEMALIGN] = {"memalign", 5, decode_allocation},
    [TRACE_VALLOC] = {"valloc", 5, decode_allocation},
    [TRACE_PVALLOC] = {"pvalloc", 5, decode_allocation},
    [TRACE_MALLOCX] = {"mallocx", 5, decode_allocation},
    [TRACE_REALLOC_BEGIN] = {"realloc_begin", 4, decode_resize_begin},
    [TRACE_REALLOC_END] = {"realloc_end", 5, decode_allocation},
    [TRACE_REALLOC_FAIL] = {"realloc_fail", 2, decode_stamp_only},
    [TRACE_REALLOC_FREED] = {"realloc_freed", 2, decode_resize_freed},
    [TRACE_FREE] = {"free", 3, decode_release},
    [TRACE_FREE_SIZED] = {"free_sized", 3, decode_release},
    [TRACE_FREE_ALIGNED_SIZED] = {"free_aligned_sized", 3, decode_release},
    [TRACE_CFREE] = {"cfree", 3, decode_release},
    [TRACE_DALLOCX] = {"dallocx", 3, decode_release},
    [TRACE_SDALLOCX] = {"sdallocx", 3, decode_release},
    [TRACE_MMAP] = {"mmap", 5, decode_map},
    [TRACE_MUNMAP] = {"munmap", 4, decode_map},
    [TRACE_REMAP_BEGIN] = {"remap_begin", 4, decode_map},
    [TRACE_REMAP_END] = {"remap_end", 5, decode_map},
    [TRACE_MAP_FAIL] = {"map_fail", 2, decode_stamp_only},
    [TRACE_CALL_TIME] = {"call_time", 4, decode_call_time},
    [TRACE_NODE] = {"node", 4, decode_node},
    [TRACE_TREE_RESET] = {"tree_reset", 1, decode_nothing},
    [TRACE_MODULE] = {"module", 8, decode_module},
    [TRACE_MODULE_GONE] = {"module_gone", 3, decode_module_gone},
    [TRACE_IMAGE] = {"image", 3, decode_image},
    [TRACE_THREAD] = {"thread", 4, decode_thread},
    [TRACE_FORK] = {"fork", 3, decode_fork},
    [TRACE_FORK_FAIL] = {"fork_fail", 3, decode_fork},
    [TRACE_EXEC] = {"exec", 3, decode_exec},
    [TRACE_EXEC_FAIL] = {"exec_fail", 3, decode_exec_fail},
    [TRACE_CHILD_EXIT] = {"child_exit", 4, decode_child_exit},
    [TRACE_REMARK] = {"remark", 4, decode_remark},
    [TRACE_IO] = {"io", 10, record_decode_io},
    [TRACE_STDIO] = {"stdio", 10, record_decode_io},
    [TRACE_PATH_CALL] = {"path_call", 8, record_decode_path_call},
    [TRACE_FD_NEW] = {"fd_new", 6, record_decode_fd_new},
    [TRACE_FD_IS] = {"fd_is", 10, record_decode_fd_is},
    [TRACE_FD_CLOSE] = {"fd_close", 4, record_decode_fd_close},
    [TRACE_FOLDER] = {"folder", 3, record_decode_folder},
    [TRACE_KERNEL_IO] = {"kernel_io", 7, record_decode_kernel_io},
};
