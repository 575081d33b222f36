import type { Problem } from '../api/problem.js';
import type { SinkDraft } from './draft.js';

/** Props of each group of a sink's fields. */
export interface FieldsParts {
  readonly draft: SinkDraft;
  readonly isNew: boolean;
  readonly problem: Problem | null;
  readonly change: (change: Partial<SinkDraft>) => void;
}
