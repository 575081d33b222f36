import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';

/** Of a UUID's text: its first half, which names the worker. */
const PREFIX_LENGTH = 18;

/**
 * The identity of this process as a worker. Random for each boot: containers reuse host names and process ids.
 *
 * Its lease tokens share a prefix, so that a sweep finds the leases of a killed worker. A separate column would be wrong
 * during a rolling deployment: the older version does not write it.
 */
@Injectable()
export class ThisWorker {
  readonly id: string = randomUUID();
  /** The beginning of its lease tokens. */
  readonly leasePrefix: string = this.id.slice(0, PREFIX_LENGTH);

  newLeaseToken(): string {
    return this.leasePrefix + randomUUID().slice(PREFIX_LENGTH);
  }
}

/** SQL: a new lease token. @param prefix the worker's `leasePrefix` */
export const newLeaseToken = (prefix: string): string =>
  `(${prefix}::text || substr(gen_random_uuid()::text, ${PREFIX_LENGTH + 1}))::uuid`;

/** SQL: the `leasePrefix` of a worker. @param token its id or one of its lease tokens, as text */
export const leasePrefixOf = (token: string): string => `left(${token}, ${PREFIX_LENGTH})`;
