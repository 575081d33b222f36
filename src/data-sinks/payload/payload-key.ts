import type { JobKey } from '../domain/job-completed.js';

/** Identifies a body: one per workspace, job, run and recipe. */
export interface PayloadKey extends JobKey {
  /** The recipe's name, stored in the column `format`. */
  readonly recipe: string;
}
