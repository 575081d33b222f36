// @ts-check
import { until } from '../harness/until.js';

/** @typedef {import('./scenario.js').Scenario} Scenario */

/** A pause that does not end by itself: a retry finds the receiver back. Retries come seldom enough not to run out. */
const OPTIONS = { pauseMs: 600_000, longestPauseMs: 600_000, retryWaitsMs: [5_000], disableAfter: 1_000 };

const FRESH_JOBS = 20;

/** @type {readonly Scenario[]} */
export const PAUSES = [
  {
    fault: 'receiver down until its sinks are paused, SIGKILL of all workers, receiver back',
    promise: 'what waited is delivered, at its first try and with all its retries',
    play: async (stage) => {
      const [first, second] = await stage.start(
        { name: 'first', options: OPTIONS },
        { name: 'second', options: OPTIONS },
      );
      await stage.receiver({ always: 503 });
      await stage.finishJobs(8);
      await until('the sinks are paused', async () => {
        const going = await stage.query('SELECT FROM agent_data_source WHERE (paused_until > now()) IS NOT TRUE');
        return going.length === 0;
      });
      const [pause] = await stage.query('SELECT now() AS began');
      await stage.finishJobs(FRESH_JOBS);
      await until('retries find it down all the same', () =>
        [first, second].some((worker) => worker.logged('delivery.attempted').length > 10),
      );
      for (const worker of [first, second]) worker.signal('SIGKILL');
      stage.fault();
      await Promise.all([first.ended, second.ended]);
      const waiting = await stage.query(WAITING, [pause?.['began']]);
      if (waiting.length !== 2 * FRESH_JOBS) throw new Error(`${waiting.length} wait untried, not ${2 * FRESH_JOBS}`);
      await stage.receiver({ always: 0 });
      await stage.start({ name: 'third', options: OPTIONS }, { name: 'fourth', options: OPTIONS });
      await stage.untilClear();
      const spent = await stage.query(SPENT, [pause?.['began']]);
      if (spent.length > 0) throw new Error(`${spent.length} that waited were tried twice, or spent a retry`);
    },
  },
];

const WAITING = `
SELECT FROM agent_data_source_delivery WHERE created_at >= $1 AND status = 'PENDING' AND attempt_count = 0`;

const SPENT = `
SELECT FROM agent_data_source_delivery WHERE created_at >= $1 AND (attempt_count > 1 OR retries_spent > 0)`;
