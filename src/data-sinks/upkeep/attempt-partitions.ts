import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { EventLog } from '../tools/event-log.js';
import { within } from '../tools/within.js';
import { createAttemptPartitions } from './attempt-partitions.sql.js';
import { PartitionError } from './partition-error.js';

/** The boot waits this long for partitions; until they exist, the default partition takes the attempts. */
const WITHIN_MS = 30_000;

const RIGHTS =
  'The role needs to own the table of attempts and CREATE on its schema (docs/database.md); until then attempts are ' +
  'kept in the default partition';

/** Creates the monthly partitions of the attempts' table ahead of time. */
@Injectable()
export class AttemptPartitions {
  readonly #logger = new EventLog();

  constructor(private readonly database: Database) {}

  /** @throws PartitionError when a month could not be made, the others were; NoAnswerError after 30 seconds */
  create(): Promise<void> {
    return within(this.#create(), WITHIN_MS, 'the database');
  }

  async #create(): Promise<void> {
    const { made, failures } = await createAttemptPartitions(this.database);
    if (made.length > 0) {
      this.#logger.log({
        event: 'partitions.created',
        message: `partitions of the attempts were made: ${made.join(', ')}`,
        partitions: made,
      });
    }
    const [failed] = failures;
    if (failed) throw new PartitionError(failed, RIGHTS);
  }
}
