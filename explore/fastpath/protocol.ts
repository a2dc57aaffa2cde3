/** What the driver of the fast-path measurement and its processes say to each other. */
import type { SuiteSource } from '../campaign/described.js';
import type { Allocation } from './attribution.js';
import type { GateName } from './flags.js';
import type { FamilyReading, OperationReading } from './gates.js';
import type { Recording, RecordingOptions } from './recording.js';

interface RequestBase {
  readonly source: SuiteSource;
  /** File for the answer. */
  readonly answer: string;
}

export type Request = RequestBase &
  (
    | { readonly kind: 'list' }
    | { readonly kind: 'record'; readonly suite: string; readonly options: RecordingOptions }
    | { readonly kind: GateName; readonly suite: string; readonly recording: string }
    | {
        readonly kind: 'attribute';
        readonly suite: string;
        readonly recording: string;
        readonly gate: GateName;
        readonly operations: readonly string[];
        /** Explain the whole mix too; it is called ''. */
        readonly mix: boolean;
      }
  );

export type Answer =
  | { readonly kind: 'list'; readonly suites: readonly string[] }
  | { readonly kind: 'record'; readonly recording: Recording }
  | { readonly kind: 'A'; readonly operations: readonly OperationReading[]; readonly control: number }
  | {
      readonly kind: 'B';
      readonly families: readonly FamilyReading[];
      readonly operations: readonly OperationReading[];
      readonly control: number;
    }
  | {
      readonly kind: 'attribute';
      readonly calls: number;
      readonly operations: readonly { readonly operation: string; readonly allocations: readonly Allocation[] }[];
    }
  | { readonly kind: 'error'; readonly code: string; readonly says: string };
