import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Endpoint } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';
import { StopStage } from '../../support/stops/stop-stage.js';
import { type Stop, STOPS } from '../../support/stops/stops.js';

/** What operators are promised; a machine that runs other suites beside gets as much again. */
const SEEN_WITHIN_MS = 15_000;
const MINUTE = 60_000;

let stage: StopStage;
let endpoint: Endpoint;

beforeAll(async () => {
  stage = await StopStage.open();
  await stage.startHost();
  endpoint = await stage.makeSink();
}, 5 * MINUTE);
afterAll(() => stage.close(), MINUTE);

async function isWell(): Promise<void> {
  await until(async () => {
    const { status, body } = await stage.health();
    return status === 200 && body.status === 'ok' && body.reasons?.length === 0;
  }, 'all is well');
}

const linesOf = (log: RegExp): readonly string[] => stage.platform.logs.lines.filter((line) => log.test(line));

describe('a total stop on our own side', () => {
  it.each(STOPS.map((stop): [string, Stop] => [stop.name, stop]))(
    'is seen by its health, metrics and one line of the log, and over at once after the repair: %s',
    async (_name, stop) => {
      await isWell();
      stage.platform.logs.lines.length = 0;
      await stop.stop(stage);
      const jobId = stop.isRecorded ? await stage.finishJob() : null;
      const stoppedAt = performance.now();
      await until(async () => {
        const { status, body } = await stage.health();
        return status === stop.health.status && stop.health.says.test(JSON.stringify(body));
      }, `the health says: ${stop.name}`);
      expect(performance.now() - stoppedAt).toBeLessThan(2 * SEEN_WITHIN_MS);
      const arrived = () => endpoint.requests.some(({ body }) => body?.includes(jobId ?? 'no job'));
      if (stop.isDelivered) await until(arrived, 'the job is delivered all the same');
      else expect(arrived()).toBe(false);
      const { log } = stop;
      const told = () => (log ? linesOf(log).filter((line) => line.startsWith('error')) : []);
      // The health asks; the log is told when a part of the module is refused.
      if (log) await until(() => told().length > 0, 'the log tells of it');
      expect(told()).toHaveLength(log ? 1 : 0);

      await stop.repair(stage);
      await isWell();
      const later = jobId ?? (await stage.finishJob());
      await until(() => endpoint.requests.some(({ body }) => body?.includes(later)), 'the job is delivered');
      const failures = linesOf(/"event":"[a-z_.]*(unavailable|not_opened|not_prepared)"/);
      expect(failures.length).toBeLessThanOrEqual(1);
    },
    10 * MINUTE,
  );
});
