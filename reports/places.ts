/** Where in the sources a step is. */

export interface Place {
  /** Path with '/', from the folder that the campaign ran in. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}
