/* SPDX-License-Identifier: MIT */
/* How a call-frame program is run: instruction after instruction changes a row of rules, until the next
 * row would begin beyond the address that is asked for. Source: DWARF 5 §6.4.2. */
#include "preload/cfi_program.h"

enum { REMEMBERED_ROWS = 8 };

struct machine {
    struct bytes program;
    const struct cie *cie;
    uintptr_t location; /* of the row being built */
    uintptr_t wanted;
    struct row row, initial;
    struct row *remembered; /* [REMEMBERED_ROWS]; apart, as nothing needs them cleared */
    unsigned n_remembered;
    bool done; /* the next row begins beyond the wanted address */
};

static void set_register(struct row *row, uint64_t number, enum saved saved, int64_t offset)
{
    if (number >= CFI_REGISTERS)
        return;
    if (offset > LARGEST_SAVED_OFFSET || offset < -LARGEST_SAVED_OFFSET) {
        saved = SAVED_OTHERWISE;
        offset = 0;
    }
    row->registers[number] = (struct saved_register){.how = saved, .offset = (int32_t)offset};
}

/* Kept in another register. */
static void set_holder(struct row *row, uint64_t number, uint64_t holder)
{
    const bool is_known = holder < CFI_REGISTERS;
    set_register(row, number, is_known ? SAVED_IN_REGISTER : SAVED_OTHERWISE, (int64_t)holder);
}

/* Saved where an expression says. */
static void set_expression(struct row *row, uint64_t number, struct bytes expression)
{
    int64_t offset;
    if (take_bp_plus(&expression, &offset) && expression.at == expression.end)
        set_register(row, number, SAVED_AT_BP, offset);
    else
        set_register(row, number, SAVED_OTHERWISE, 0);
}

static void restore_register(struct machine *machine, uint64_t number)
{
    if (number < CFI_REGISTERS)
        machine->row.registers[number] = machine->initial.registers[number];
}

static void advance(struct machine *machine, uint64_t n_units)
{
    machine->location += n_units * machine->cie->code_align;
    machine->done = machine->location > machine->wanted;
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
        set_holder(row, number, take_uleb(program));
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
        row->cfa_expression = take_block(program);
        break;
    case 0x10: /* expression */
        number = take_uleb(program);
        set_expression(row, number, take_block(program));
        break;
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

bool cfi_run(struct fde *fde, uintptr_t pc, struct row *row_out)
{
    if (fde->cie.has_augmentation)
        skip_block(&fde->rest);
    struct row remembered[REMEMBERED_ROWS];
    struct machine machine = {.program = fde->cie.program,
                              .cie = &fde->cie,
                              .remembered = remembered,
                              .location = fde->start,
                              .wanted = UINTPTR_MAX};
    run_program(&machine);
    const bool cie_bad = machine.program.bad;
    machine.initial = machine.row;
    machine.program = fde->rest;
    machine.location = fde->start;
    machine.wanted = pc;
    machine.done = false;
    run_program(&machine);
    *row_out = machine.row;
    return !cie_bad && !machine.program.bad;
}
