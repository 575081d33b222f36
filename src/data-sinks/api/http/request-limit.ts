import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../../data-sinks.options.js';
import { OPTIONS } from '../../data-sinks.tokens.js';
import type { Caller } from '../../ports/workspace-access.js';
import { RateLimit } from '../../tools/rate-limit.js';

/** Limits the requests per caller, so that one runaway script does not starve the others. */
@Injectable()
export class RequestLimit {
  readonly #perCaller: RateLimit;

  constructor(@Inject(OPTIONS) { requestsPerMinute }: ResolvedDataSinksOptions) {
    this.#perCaller = new RateLimit(requestsPerMinute);
  }

  /** @throws ProblemError `rate-limited` */
  use({ workspaceId, actor }: Caller): void {
    this.#perCaller.use(JSON.stringify([workspaceId, actor.type, actor.id]), 'Using these endpoints with one token');
  }
}
