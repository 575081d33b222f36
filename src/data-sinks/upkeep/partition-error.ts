import { isMissingRight } from '../database/missing-right.js';

/** An attempts partition could not be created or dropped. */
export class PartitionError extends Error {
  readonly code = 'partition_failed';
  /** @param rights advice for a missing privilege: PostgreSQL names the privilege, but not its purpose */
  constructor([partition, cause]: readonly [name: string, error: unknown], rights: string) {
    super(`${partition}: ${String(cause)}${isMissingRight(cause) ? `. ${rights}` : ''}`, { cause });
  }
}
