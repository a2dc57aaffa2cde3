/**
 * Fault reasons of legacy-mode DMA remapping (VT-d Architecture Specification, 7.1.3 and appendix A), by name and number.
 */
export const REASON = {
  ROOT_NOT_PRESENT: 0x1,
  CONTEXT_NOT_PRESENT: 0x2,
  CONTEXT_INVALID: 0x3,
  ADDRESS_BEYOND_WIDTH: 0x4,
  NO_WRITE: 0x5,
  NO_READ: 0x6,
  TABLE_UNREACHABLE: 0x7,
  ROOT_UNREACHABLE: 0x8,
  CONTEXT_UNREACHABLE: 0x9,
  ROOT_RESERVED: 0xa,
  CONTEXT_RESERVED: 0xb,
  TABLE_RESERVED: 0xc,
  TRANSLATION_TYPE: 0xd,
  INTERRUPT_WINDOW: 0xe,
} as const;

/** `root entry not present (1h)`. */
export function reasonName(reason: number): string {
  for (const [name, value] of Object.entries(REASON)) {
    if (value === reason) return `${name.toLowerCase().replaceAll('_', ' ')} (${reason.toString(16)}h)`;
  }
  return `reason ${reason.toString(16)}h`;
}

/**
 * 7.2.1: qualified faults are those met once a context entry was found; its FPD bit keeps them out of the fault records.
 * Faults about the root entry, or about not finding a context entry, are recorded always.
 */
export function isQualified(reason: number): boolean {
  switch (reason) {
    case REASON.ROOT_NOT_PRESENT:
    case REASON.ROOT_UNREACHABLE:
    case REASON.CONTEXT_UNREACHABLE:
    case REASON.ROOT_RESERVED:
      return false;
    default:
      return true;
  }
}
