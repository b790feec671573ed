/* SPDX-License-Identifier: MIT */
/* How the rule of an address is found: module by _dl_find_object(), function by binary search in
 * .eh_frame_hdr, then the call-frame program of its CIE and FDE is run up to the address.
 *
 * The tables belong to loaded, mostly well-formed modules; anything not understood is CFI_UNUSUAL. */
#include "preload/cfi.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "preload/cfi_program.h"

enum { START_CODE_BYTES = 64 }; /* the loader's returns to 48 bytes behind its entry */

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
    cie.bad = bytes.bad || (version != 1 && version != 3) || return_register != CFI_PC;
    if (!cie.bad)
        take_augmentation(&bytes, letters, &cie);
    cie.program = bytes;
    cie.bad |= bytes.bad;
    return cie;
}

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
    fde_out->record = record;
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

/* The row as a rule, where a rule can say it. */
static struct cfi_rule rule_of(const struct row *row)
{
    const struct cfi_rule unusual = {.kind = CFI_UNUSUAL};
    const struct saved_register pc = row->registers[CFI_PC], bp = row->registers[CFI_BP];
    if (pc.how == SAVED_UNDEFINED)
        return (struct cfi_rule){.kind = CFI_OUTERMOST};
    if (pc.how != SAVED_AT_CFA || pc.offset != -8 || row->registers[CFI_SP].how != SAVED_NOT)
        return unusual;
    if (row->cfa_register != CFI_SP && row->cfa_register != CFI_BP)
        return unusual;
    if (row->cfa_offset < INT32_MIN || row->cfa_offset > INT32_MAX)
        return unusual;
    const bool bp_saved = bp.how == SAVED_AT_CFA;
    if (!bp_saved && bp.how != SAVED_NOT && bp.how != SAVED_UNDEFINED)
        return unusual;
    if (bp_saved && (bp.offset % 8 || bp.offset < -1024 || bp.offset > 1016))
        return unusual;
    return (struct cfi_rule){.kind = CFI_RULE,
                             .cfa_from_bp = row->cfa_register == CFI_BP,
                             .bp_saved = bp_saved,
                             .bp_words = bp_saved ? (int8_t)(bp.offset / 8) : 0,
                             .cfa_offset = (int32_t)row->cfa_offset};
}

static struct cfi_rule rule_in_fde(const uint8_t *record, uintptr_t pc)
{
    const struct cfi_rule unusual = {.kind = CFI_UNUSUAL};
    struct fde fde;
    struct row row;
    if (!read_fde(record, &fde))
        return (struct cfi_rule){.kind = CFI_NONE};
    if (fde.cie.bad || fde.cie.is_signal_frame)
        return unusual;
    if (!covers(&fde, pc))
        return (struct cfi_rule){.kind = CFI_NONE};
    return cfi_run(&fde, pc, &row) ? rule_of(&row) : unusual;
}

/* Nothing calls start code. It lies behind its module's entry point; or it is where makecontext(3) lets a
 * coroutine end: there the return address is the very beginning of a function, which no call leaves. */
static bool is_start_code(const struct dl_find_object *object, uintptr_t pc)
{
    const ElfW(Ehdr) *const header = object->dlfo_map_start;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_entry != 0 &&
        pc - (object->dlfo_link_map->l_addr + header->e_entry) < START_CODE_BYTES)
        return true;
    const uint8_t *const next =
        object->dlfo_eh_frame ? search_table(object->dlfo_eh_frame, pc + 1) : NULL;
    struct fde fde;
    return next && read_fde(next, &fde) && fde.start == pc + 1;
}

struct cfi_rule cfi_find(uintptr_t pc)
{
    struct dl_find_object object;
    struct cfi_rule rule = {.kind = CFI_NONE};
    if (_dl_find_object((void *)pc, &object) != 0)
        return (struct cfi_rule){.kind = CFI_NO_TABLE};
    const uint8_t *const fde = object.dlfo_eh_frame ? search_table(object.dlfo_eh_frame, pc) : NULL;
    if (fde)
        rule = rule_in_fde(fde, pc);
    if (rule.kind == CFI_NONE && !is_start_code(&object, pc))
        rule.kind = CFI_NO_TABLE;
    return rule;
}

bool cfi_read_fde(uintptr_t pc, struct fde *fde_out)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)pc, &object) != 0 || !object.dlfo_eh_frame)
        return false;
    const uint8_t *const record = search_table(object.dlfo_eh_frame, pc);
    return record && read_fde(record, fde_out) && (fde_out->cie.bad || covers(fde_out, pc));
}

const void *cfi_find_fde(uintptr_t pc, uintptr_t *function_out)
{
    struct fde fde;
    if (!cfi_read_fde(pc, &fde) || fde.cie.bad)
        return NULL;
    *function_out = fde.start;
    return fde.record;
}
