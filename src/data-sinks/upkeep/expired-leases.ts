import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import { Database } from '../database/database.js';
import { sweepExpiredLeases } from '../queue/lease.sql.js';
import { WorkerPresence } from '../queue/worker-presence.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import { SettledDeliveries } from '../settlement/settled-deliveries.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { EventLog } from '../tools/event-log.js';
import { IDS_IN_A_LINE } from '../tools/log-line.js';
import { failpoint } from '../tools/failpoint.js';

/** Takes back deliveries from dead workers: they are due again, or end `FAILED` after `maxAbandoned` crashes. */
@Injectable()
export class ExpiredLeases {
  readonly #logger = new EventLog();

  constructor(
    private readonly database: Database,
    private readonly presence: WorkerPresence,
    private readonly wakeup: Wakeup,
    private readonly settled: SettledDeliveries,
    private readonly telemetry: Telemetry,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /** @throws what the database throws */
  async takeBack(): Promise<void> {
    const swept = await sweepExpiredLeases(this.database, {
      includeGoneWorkers: this.presence.isSteady,
      maxAbandoned: this.options.maxAbandoned,
    });
    if (swept.length === 0) return;
    this.telemetry.leasesExpired(swept.length);
    failpoint('mid-sweep');
    const abandoned = swept.filter(({ status }) => status === 'FAILED');
    this.#logger.warn({
      event: 'delivery.lease_expired',
      message: `the workers of ${swept.length} deliveries were not heard of any more; they are sent again`,
      ...{ deliveries: swept.length, failed: abandoned.length },
      deliveryIds: swept.slice(0, IDS_IN_A_LINE).map(({ deliveryId }) => deliveryId),
    });
    if (abandoned.length < swept.length) this.wakeup.notify();
    this.settled.abandoned(abandoned);
  }
}
