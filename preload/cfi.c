/* SPDX-License-Identifier: MIT */
/* How the rule of an address is found: module by _dl_find_object(), function by binary search in
 * .eh_frame_hdr, then the call-frame program of its CIE and FDE is run up to the address.
 *
 * The tables belong to loaded, mostly well-formed modules; reads stay inside the records that their
 * length fields describe, and anything not understood is CFI_UNUSUAL. */
#include "preload/cfi.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    REGISTER_BP = 6,
    REGISTER_SP = 7,
    REGISTER_RETURN = 16,
    REMEMBERED_ROWS = 8,
};

/* DWARF pointer encodings, low nibble the format, high nibble what it counts from. */
enum {
    PE_ABSOLUTE = 0x00,
    PE_ULEB = 0x01,
    PE_UDATA2 = 0x02,
    PE_UDATA4 = 0x03,
    PE_UDATA8 = 0x04,
    PE_SLEB = 0x09,
    PE_SDATA2 = 0x0a,
    PE_SDATA4 = 0x0b,
    PE_SDATA8 = 0x0c,
    PE_PC_RELATIVE = 0x10,
    PE_DATA_RELATIVE = 0x30,
    PE_OMITTED = 0xff,
    PE_TABLE = PE_DATA_RELATIVE | PE_SDATA4,
};

struct bytes {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* a read went past the end, or something was not understood */
};

static uint64_t take_fixed(struct bytes *bytes, size_t n)
{
    uint64_t value = 0;
    if ((size_t)(bytes->end - bytes->at) < n) {
        bytes->bad = true;
        return 0;
    }
    memcpy(&value, bytes->at, n);
    bytes->at += n;
    return value;
}

static uint64_t take_leb(struct bytes *bytes, bool is_signed)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = (uint8_t)take_fixed(bytes, 1);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) && !bytes->bad);
    if (is_signed && shift < 64 && (byte & 0x40))
        value |= ~UINT64_C(0) << shift;
    return value;
}

static uint64_t take_uleb(struct bytes *bytes)
{
    return take_leb(bytes, false);
}

static int64_t take_sleb(struct bytes *bytes)
{
    return (int64_t)take_leb(bytes, true);
}

static uint64_t take_pointer(struct bytes *bytes, uint8_t encoding, uintptr_t data_base)
{
    const uintptr_t here = (uintptr_t)bytes->at;
    uint64_t value;
    switch (encoding & 0x0f) {
    case PE_ABSOLUTE:
    case PE_UDATA8:
    case PE_SDATA8: value = take_fixed(bytes, 8); break;
    case PE_ULEB: value = take_uleb(bytes); break;
    case PE_SLEB: value = (uint64_t)take_sleb(bytes); break;
    case PE_UDATA2: value = take_fixed(bytes, 2); break;
    case PE_SDATA2: value = (uint64_t)(int16_t)take_fixed(bytes, 2); break;
    case PE_UDATA4: value = take_fixed(bytes, 4); break;
    case PE_SDATA4: value = (uint64_t)(int32_t)take_fixed(bytes, 4); break;
    default: bytes->bad = true; return 0;
    }
    switch (encoding & 0x70) {
    case PE_ABSOLUTE: return value;
    case PE_PC_RELATIVE: return value + here;
    case PE_DATA_RELATIVE: return value + data_base;
    default: bytes->bad = true; return 0;
    }
}

/* ---- from address to FDE ---- */

/* One row of the sorted table: offsets from the table's own base. */
struct table_row {
    int32_t function;
    int32_t fde;
};

/* Binary search for the last function at or below pc. Returns its FDE, NULL where none. */
static const uint8_t *search_table(const uint8_t *header, uintptr_t pc)
{
    struct bytes bytes = {.at = header + 4, .end = header + 4 + 32};
    if (header[0] != 1 || header[3] != PE_TABLE || header[2] == PE_OMITTED)
        return NULL;
    take_pointer(&bytes, header[1], (uintptr_t)header);
    const uint64_t n_rows = take_pointer(&bytes, header[2], (uintptr_t)header);
    if (bytes.bad || n_rows == 0)
        return NULL;
    const struct table_row *const rows = (const struct table_row *)bytes.at;
    const int64_t wanted = (int64_t)(pc - (uintptr_t)header);
    if (wanted < rows[0].function)
        return NULL;
    uint64_t low = 0, high = n_rows;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (rows[middle].function <= wanted)
            low = middle;
        else
            high = middle;
    }
    return header + rows[low].fde;
}

/* ---- CIE and FDE ---- */

struct cie {
    struct bytes program;
    uint64_t code_align;
    int64_t data_align;
    uint8_t pointer_encoding;
    bool has_augmentation;
    bool is_signal_frame;
    bool bad;
};

/* A record's body, after its length and before its end. */
static struct bytes record_body(const uint8_t *record)
{
    uint32_t n_bytes;
    memcpy(&n_bytes, record, 4);
    if (n_bytes == 0 || n_bytes == UINT32_MAX) /* terminator, or the 64-bit form nobody emits */
        return (struct bytes){.bad = true};
    return (struct bytes){.at = record + 4, .end = record + 4 + n_bytes};
}

static void take_augmentation(struct bytes *bytes, const char *letters, struct cie *cie)
{
    if (letters[0] != 'z') {
        cie->bad = letters[0] != '\0';
        return;
    }
    cie->has_augmentation = true;
    const uint64_t n_bytes = take_uleb(bytes);
    struct bytes data = *bytes;
    bytes->at += n_bytes <= (size_t)(bytes->end - bytes->at) ? n_bytes : 0;
    for (const char *letter = letters + 1; *letter; letter++) {
        if (*letter == 'R') {
            cie->pointer_encoding = (uint8_t)take_fixed(&data, 1);
        } else if (*letter == 'P') {
            const uint8_t encoding = (uint8_t)take_fixed(&data, 1);
            take_pointer(&data, encoding & 0x7f, 0);
        } else if (*letter == 'L') {
            take_fixed(&data, 1);
        } else if (*letter == 'S') {
            cie->is_signal_frame = true;
        } else if (*letter != 'B') {
            cie->bad = true;
        }
    }
    cie->bad |= data.bad;
}

static struct cie read_cie(const uint8_t *record)
{
    struct cie cie = {.pointer_encoding = PE_ABSOLUTE};
    struct bytes bytes = record_body(record);
    if (bytes.bad || take_fixed(&bytes, 4) != 0) {
        cie.bad = true;
        return cie;
    }
    const uint64_t version = take_fixed(&bytes, 1);
    const char *const letters = (const char *)bytes.at;
    while (take_fixed(&bytes, 1) != 0 && !bytes.bad)
        ;
    cie.code_align = take_uleb(&bytes);
    cie.data_align = take_sleb(&bytes);
    const uint64_t return_register = version == 1 ? take_fixed(&bytes, 1) : take_uleb(&bytes);
    cie.bad = bytes.bad || (version != 1 && version != 3) || return_register != REGISTER_RETURN;
    if (!cie.bad)
        take_augmentation(&bytes, letters, &cie);
    cie.program = bytes;
    cie.bad |= bytes.bad;
    return cie;
}

/* ---- the call-frame program ---- */

/* What is known of one register's caller's value. */
enum saved {
    SAVED_NOT, /* unchanged */
    SAVED_AT_CFA,
    SAVED_UNDEFINED,
    SAVED_OTHERWISE, /* expression or another register */
};

struct row {
    uint8_t cfa_register; /* 0xff: an expression */
    int64_t cfa_offset;
    enum saved bp, sp, return_address;
    int64_t bp_offset, return_offset;
};

struct machine {
    struct bytes program;
    const struct cie *cie;
    uintptr_t location; /* of the row being built */
    uintptr_t wanted;
    struct row row, initial;
    struct row remembered[REMEMBERED_ROWS];
    unsigned n_remembered;
    bool done; /* the next row begins beyond the wanted address */
};

static void set_register(struct row *row, uint64_t number, enum saved saved, int64_t offset)
{
    if (number == REGISTER_BP) {
        row->bp = saved;
        row->bp_offset = offset;
    } else if (number == REGISTER_RETURN) {
        row->return_address = saved;
        row->return_offset = offset;
    } else if (number == REGISTER_SP) {
        row->sp = saved;
    }
}

static void restore_register(struct machine *machine, uint64_t number)
{
    const struct row *const initial = &machine->initial;
    if (number == REGISTER_BP)
        set_register(&machine->row, number, initial->bp, initial->bp_offset);
    else if (number == REGISTER_RETURN)
        set_register(&machine->row, number, initial->return_address, initial->return_offset);
    else if (number == REGISTER_SP)
        machine->row.sp = initial->sp;
}

static void advance(struct machine *machine, uint64_t n_units)
{
    machine->location += n_units * machine->cie->code_align;
    machine->done = machine->location > machine->wanted;
}

static void skip_block(struct bytes *program)
{
    const uint64_t n = take_uleb(program);
    if (n > (size_t)(program->end - program->at))
        program->bad = true;
    else
        program->at += n;
}

static void remember(struct machine *machine)
{
    if (machine->n_remembered == REMEMBERED_ROWS)
        machine->program.bad = true;
    else
        machine->remembered[machine->n_remembered++] = machine->row;
}

static void recall(struct machine *machine)
{
    if (machine->n_remembered == 0)
        machine->program.bad = true;
    else
        machine->row = machine->remembered[--machine->n_remembered];
}

/* Instructions with an opcode byte of their own: DWARF 5 table 7.29. A flat table of cases. */
static void run_extended(struct machine *machine, uint8_t opcode)
{
    struct bytes *const program = &machine->program;
    struct row *const row = &machine->row;
    const int64_t align = machine->cie->data_align;
    uint64_t number;
    switch (opcode) {
    case 0x00: break; /* nop */
    case 0x01:        /* set_loc */
        machine->location = take_pointer(program, machine->cie->pointer_encoding, 0);
        machine->done = machine->location > machine->wanted;
        break;
    case 0x02: advance(machine, take_fixed(program, 1)); break;
    case 0x03: advance(machine, take_fixed(program, 2)); break;
    case 0x04: advance(machine, take_fixed(program, 4)); break;
    case 0x05: /* offset_extended */
        number = take_uleb(program);
        set_register(row, number, SAVED_AT_CFA, (int64_t)take_uleb(program) * align);
        break;
    case 0x06: restore_register(machine, take_uleb(program)); break;
    case 0x07: set_register(row, take_uleb(program), SAVED_UNDEFINED, 0); break;
    case 0x08: set_register(row, take_uleb(program), SAVED_NOT, 0); break;
    case 0x09: /* register */
        number = take_uleb(program);
        take_uleb(program);
        set_register(row, number, SAVED_OTHERWISE, 0);
        break;
    case 0x0a: remember(machine); break;
    case 0x0b: recall(machine); break;
    case 0x0c: /* def_cfa */
        row->cfa_register = (uint8_t)take_uleb(program);
        row->cfa_offset = (int64_t)take_uleb(program);
        break;
    case 0x0d: row->cfa_register = (uint8_t)take_uleb(program); break;
    case 0x0e: row->cfa_offset = (int64_t)take_uleb(program); break;
    case 0x0f: /* def_cfa_expression */
        row->cfa_register = 0xff;
        skip_block(program);
        break;
    case 0x10: /* expression */
    case 0x16: /* val_expression */
        number = take_uleb(program);
        set_register(row, number, SAVED_OTHERWISE, 0);
        skip_block(program);
        break;
    case 0x11: /* offset_extended_sf */
        number = take_uleb(program);
        set_register(row, number, SAVED_AT_CFA, take_sleb(program) * align);
        break;
    case 0x12: /* def_cfa_sf */
        row->cfa_register = (uint8_t)take_uleb(program);
        row->cfa_offset = take_sleb(program) * align;
        break;
    case 0x13: row->cfa_offset = take_sleb(program) * align; break;
    case 0x14: /* val_offset */
    case 0x15: /* val_offset_sf */
        number = take_uleb(program);
        take_uleb(program);
        set_register(row, number, SAVED_OTHERWISE, 0);
        break;
    case 0x2e: take_uleb(program); break; /* GNU_args_size: does not move the CFA */
    default: program->bad = true; break;
    }
}

static void run_program(struct machine *machine)
{
    struct bytes *const program = &machine->program;
    while (program->at < program->end && !program->bad && !machine->done) {
        const uint8_t opcode = (uint8_t)take_fixed(program, 1);
        const uint8_t operand = opcode & 0x3f;
        switch (opcode >> 6) {
        case 1: advance(machine, operand); break;
        case 2:
            set_register(&machine->row, operand, SAVED_AT_CFA,
                         (int64_t)take_uleb(program) * machine->cie->data_align);
            break;
        case 3: restore_register(machine, operand); break;
        default: run_extended(machine, opcode); break;
        }
    }
}

/* The row as a rule, where a rule can say it. */
static struct cfi_rule rule_of(const struct row *row)
{
    const struct cfi_rule unusual = {.kind = CFI_UNUSUAL};
    if (row->return_address == SAVED_UNDEFINED)
        return (struct cfi_rule){.kind = CFI_OUTERMOST};
    if (row->return_address != SAVED_AT_CFA || row->return_offset != -8 || row->sp != SAVED_NOT)
        return unusual;
    if (row->cfa_register != REGISTER_SP && row->cfa_register != REGISTER_BP)
        return unusual;
    if (row->cfa_offset < INT32_MIN || row->cfa_offset > INT32_MAX)
        return unusual;
    const bool bp_saved = row->bp == SAVED_AT_CFA;
    if (row->bp == SAVED_OTHERWISE)
        return unusual;
    if (bp_saved && (row->bp_offset % 8 || row->bp_offset < -1024 || row->bp_offset > 1016))
        return unusual;
    return (struct cfi_rule){.kind = CFI_RULE,
                             .cfa_from_bp = row->cfa_register == REGISTER_BP,
                             .bp_saved = bp_saved,
                             .bp_words = bp_saved ? (int8_t)(row->bp_offset / 8) : 0,
                             .cfa_offset = (int32_t)row->cfa_offset};
}

/* An FDE as far as it says which code it is for. */
struct fde {
    struct cie cie; /* bad also where the FDE is */
    uintptr_t start;
    uint64_t n_code_bytes;
    struct bytes rest; /* augmentation and program */
};

/* False where the record is no FDE. */
static bool read_fde(const uint8_t *record, struct fde *fde_out)
{
    struct bytes bytes = record_body(record);
    if (bytes.bad)
        return false;
    const uint8_t *const cie_field = bytes.at;
    const uint64_t cie_distance = take_fixed(&bytes, 4);
    if (cie_distance == 0)
        return false;
    fde_out->cie = read_cie(cie_field - cie_distance);
    fde_out->start = take_pointer(&bytes, fde_out->cie.pointer_encoding, 0);
    fde_out->n_code_bytes = take_pointer(&bytes, fde_out->cie.pointer_encoding & 0x0f, 0);
    fde_out->cie.bad |= bytes.bad;
    fde_out->rest = bytes;
    return true;
}

static bool covers(const struct fde *fde, uintptr_t pc)
{
    return pc >= fde->start && pc - fde->start < fde->n_code_bytes;
}

static struct cfi_rule rule_in_fde(const uint8_t *record, uintptr_t pc)
{
    const struct cfi_rule unusual = {.kind = CFI_UNUSUAL};
    struct fde fde;
    if (!read_fde(record, &fde))
        return (struct cfi_rule){.kind = CFI_NONE};
    if (fde.cie.bad || fde.cie.is_signal_frame)
        return unusual;
    if (!covers(&fde, pc))
        return (struct cfi_rule){.kind = CFI_NONE};
    if (fde.cie.has_augmentation)
        skip_block(&fde.rest);
    struct machine machine = {
        .program = fde.cie.program, .cie = &fde.cie, .location = fde.start, .wanted = UINTPTR_MAX};
    run_program(&machine);
    const bool cie_bad = machine.program.bad;
    machine.initial = machine.row;
    machine.program = fde.rest;
    machine.location = fde.start;
    machine.wanted = pc;
    machine.done = false;
    run_program(&machine);
    return cie_bad || machine.program.bad ? unusual : rule_of(&machine.row);
}

struct cfi_rule cfi_find(uintptr_t pc)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)pc, &object) != 0)
        return (struct cfi_rule){.kind = CFI_NO_MODULE};
    if (!object.dlfo_eh_frame)
        return (struct cfi_rule){.kind = CFI_NONE};
    const uint8_t *const fde = search_table(object.dlfo_eh_frame, pc);
    if (!fde)
        return (struct cfi_rule){.kind = CFI_NONE};
    return rule_in_fde(fde, pc);
}

const void *cfi_find_fde(uintptr_t pc, uintptr_t *function_out)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)pc, &object) != 0 || !object.dlfo_eh_frame)
        return NULL;
    const uint8_t *const record = search_table(object.dlfo_eh_frame, pc);
    struct fde fde;
    if (!record || !read_fde(record, &fde) || fde.cie.bad || !covers(&fde, pc))
        return NULL;
    *function_out = fde.start;
    return record;
}
