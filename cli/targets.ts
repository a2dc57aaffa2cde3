/** The real targets that `ringfence attack` knows. */
export interface Target {
  readonly name: string;
  readonly says: string;
}

export const TARGETS: readonly Target[] = [
  {
    name: 'qemu-vtd',
    says: "QEMU's Intel VT-d, with two devices in two domains, in lockstep with the bit-level specification",
  },
];
