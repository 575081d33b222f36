import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAuthority } from '../egress/certificates.js';
import { ClosingReceiver } from '../egress/closing-receiver-process.js';
import { type Agent, resultRows, type Sink } from './customer.js';
import { suitePlatform } from './suite-platform.js';
import { until } from './until.js';

/** How servers close connections that clients would use again. The last is the worst case of all of them. */
const HABITS = [
  'announces-and-closes',
  'closes-unannounced',
  'closes-after-25-ms-idle',
  'ends-while-idle',
  'resets-while-idle',
  'half-closes',
  'cuts-the-next',
] as const;

/** Over what a large body begins: 64 KB. */
const SIZES = { small: 3, large: 1_000 } as const;

const CELL_LIMIT_MS = 180_000;

export interface ClosingMatrix {
  readonly pushes: number;
  readonly sizes: readonly (keyof typeof SIZES)[];
  readonly atATime: readonly (1 | 8)[];
}

/**
 * Whatever its connections do, a receiver that answers 200 to all that it reads gets every push, loses no retry (it is
 * allowed none), and is neither paused nor disabled.
 */
export function describeClosingMatrix({ pushes, sizes, atATime }: ClosingMatrix): void {
  const ours = createAuthority('Authority of this matrix');
  // One failure that counted would pause the sink, and disable it.
  const options = {
    maxInFlightPerSink: 8,
    pauseAfter: 1,
    pauseMs: 600_000,
    longestPauseMs: 600_000,
    disableAfter: 1,
    disableAfterMs: 0,
  };
  const platform = suitePlatform({ options: { ...options, trustedCertificates: [ours.cert] } });

  describe.each([
    ['plain', null],
    ['TLS', ours.issue({ name: '127.0.0.1', hosts: ['127.0.0.1'] })],
  ])('over %s', (_name, certificate) => {
    const cells = HABITS.flatMap((habit) => sizes.flatMap((size) => atATime.map((n) => [habit, size, n] as const)));
    let receiver: ClosingReceiver;
    beforeAll(async () => {
      receiver = await ClosingReceiver.start(certificate);
    });
    afterAll(() => receiver.stop());

    it.each(cells)(
      `a receiver that %s takes ${pushes} %s pushes, %i at a time, and none is charged`,
      async (habit, size, n) => {
        const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
        const sink = await agent.sink(receiver.url(`${habit}?${size}-${n}`));
        await pushAll(agent, sink, { pushes, rows: SIZES[size], atATime: n });
        expect(await chargedTo(sink)).toEqual({ delivered: pushes, retries_spent: 0, unlike_stale: 0 });
        expect(await standing(sink)).toEqual({ status: 'ACTIVE', paused_until: null, failures_in_row: 0 });
        const answered = (await receiver.seenAt(`${habit}?${size}-${n}`)).filter((one) => one.answered);
        expect(new Set(answered.map(({ deliveryId }) => deliveryId)).size).toBe(pushes);
      },
      CELL_LIMIT_MS,
    );
  });

  interface Load {
    readonly pushes: number;
    readonly rows: number;
    readonly atATime: 1 | 8;
  }

  async function pushAll(agent: Agent, sink: Sink, { pushes: all, rows, atATime: n }: Load): Promise<void> {
    const results = resultRows(rows);
    for (let sent = 0; sent < all; sent += n) {
      const round = Math.min(n, all - sent);
      await Promise.all(Array.from({ length: round }, () => agent.finishJob(results)));
      await until(async () => (await settled(sink)) === sent + round, `${sent + round} pushes are settled`, 60_000);
    }
  }

  async function settled(sink: Sink): Promise<number> {
    const [row] = await platform().sql<{ settled: number }>(
      `SELECT count(*)::int AS settled FROM agent_data_source_delivery WHERE data_source_id = $1 AND settled_at IS NOT NULL`,
      [sink.id],
    );
    return row?.settled ?? 0;
  }

  async function chargedTo(sink: Sink): Promise<unknown> {
    const [row] = await platform().sql(
      `SELECT count(*) FILTER (WHERE status = 'DELIVERED')::int AS delivered, sum(retries_spent)::int AS retries_spent,
              (SELECT count(*)::int FROM agent_data_source_sync a WHERE a.data_source_id = $1
                 AND a.status <> 'SUCCEEDED' AND a.error_code <> 'stale_connection') AS unlike_stale
         FROM agent_data_source_delivery WHERE data_source_id = $1`,
      [sink.id],
    );
    return row;
  }

  async function standing(sink: Sink): Promise<unknown> {
    const [row] = await platform().sql(
      'SELECT status, paused_until, failures_in_row FROM agent_data_source WHERE id = $1',
      [sink.id],
    );
    return row;
  }
}
