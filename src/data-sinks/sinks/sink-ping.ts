import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import { Database } from '../database/database.js';
import { ServerClock } from '../database/server-clock.js';
import type { Destination, SecretValues } from '../destinations/destination.js';
import type { DataSink } from '../domain/data-sink.js';
import { Cancellation } from '../tools/cancellation.js';
import { EventLog } from '../tools/event-log.js';
import { SecretsInForce } from '../vault/secrets-in-force.js';
import { TestLimit } from './test-limit.js';

/** The request that saves the sink waits this long at most. */
const LIMIT_MS = 5_000;

/** One text for every cause: an editor of sinks must not be able to probe our network with it. */
const NO_ANSWER =
  'The data source was saved, but its destination did not answer a ping as expected. Send a Test to see what is wrong.';

/**
 * Pings the destination of a sink that was saved. A failure is a warning, never a refusal (contract, section 9).
 */
@Injectable()
export class SinkPing {
  readonly #log = new EventLog();

  constructor(
    private readonly limit: TestLimit,
    private readonly secrets: SecretsInForce,
    private readonly clock: ServerClock,
    private readonly database: Database,
    @Inject(OPTIONS) private readonly options: Pick<ResolvedDataSinksOptions, 'pingOnSave'>,
  ) {}

  /**
   * Call after the sink is committed.
   * @returns warnings for its author; none where no ping was sent, for instance because the limit of Tests was reached
   */
  async warningsFor(destination: Destination, sink: DataSink): Promise<readonly string[]> {
    if (!this.options.pingOnSave || !destination.ping) return [];
    const late = new Cancellation();
    const timer = setTimeout(() => late.abort(new Error('the ping took too long')), LIMIT_MS);
    try {
      await this.limit.use(sink);
      const of = { workspaceId: sink.workspaceId, dataSourceId: sink.id };
      return (await destination.ping(sink.config, () => this.#secretsOf(sink), late, of)) ? [] : [NO_ANSWER];
    } catch (error) {
      if (late.aborted) return [NO_ANSWER];
      // Our own failure or the limit of Tests: nothing is known about the destination.
      this.#log.debug({
        event: 'sink.not_pinged',
        message: `data sink ${sink.id} was saved; its destination was not pinged`,
        ...{ dataSourceId: sink.id, error: String(error) },
      });
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  async #secretsOf({ secret, previousSecret, workspaceId }: DataSink): Promise<SecretValues> {
    // A process without a worker has no database time yet, and signatures depend on it.
    this.clock.set(new Date(await this.database.now()));
    const previous = previousSecret && { secretId: previousSecret.id, expiresAt: previousSecret.expiresAt };
    return this.secrets.open({ secret: { secretId: secret.id, workspaceId }, previousSecret: previous });
  }
}
