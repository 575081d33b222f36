import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram } from '../support/services/installed-program.js';
import { until } from '../support/platform/until.js';
import { StopStage } from '../support/stops/stop-stage.js';
import { type Stop, STOPS } from '../support/stops/stops.js';

const MINUTE = 60_000;
const RULES = resolve('docs/grafana/alerts.yml');
/** One that is recorded stands for a quarter of a minute, as Prometheus would scrape. */
const SCRAPES = 3;
const BETWEEN_MS = 500;

/** What `/metrics` answered. */
type Scrape = string;

interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/**
 * The module's series of some scrapes, as `promtool test rules` takes them; the last value of each goes on. A series that a
 * scrape does not have is missing there. Counters that rose between the first and the last scrape go on to rise.
 */
function recordedSeries(scrapes: readonly Scrape[], goesOnFor: number): readonly InputSeries[] {
  const parsed = scrapes.map(samplesOf);
  const names = new Set(parsed.flatMap((samples) => [...samples.keys()]));
  return [...names].map((series) => {
    const values = parsed.map((samples) => samples.get(series) ?? '_');
    // One by one: promtool's short form takes numbers alone, and some are NaN.
    const goesOn = Array<string>(goesOnFor).fill(values.at(-1) ?? '_');
    return { series, values: [...values, ...goesOn].join(' ') };
  });
}

function samplesOf(scrape: Scrape): ReadonlyMap<string, string> {
  const samples = new Map<string, string>();
  for (const line of scrape.split('\n')) {
    const [, series, value] = /^(data_sinks_[a-z_]+(?:\{.*\})?) (\S+)(?: \d+)?$/.exec(line) ?? [];
    if (series !== undefined && value !== undefined) samples.set(series, value);
  }
  return samples;
}

let stage: StopStage;
let directory: string;

beforeAll(async () => {
  const promtool = await findProgram('promtool', 'prometheus');
  if ('missing' in promtool)
    throw new Error(`install Debian's package prometheus, which has promtool: ${promtool.missing}`);
  directory = await mkdtemp(join(tmpdir(), 'data-sinks-alerts-'));
  stage = await StopStage.open();
  await stage.startHost();
  await stage.makeSink();
}, 10 * MINUTE);
afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
}, MINUTE);

async function record(): Promise<readonly Scrape[]> {
  const scrapes: Scrape[] = [];
  for (let i = 0; i < SCRAPES; i++) {
    scrapes.push(await stage.metrics());
    await delay(BETWEEN_MS);
  }
  return scrapes;
}

/** Whether it fires at the end of half an hour in which the host went on to say what it said when it was recorded. */
async function expectAlert(alertname: string, scrapes: readonly Scrape[], isFiring: boolean): Promise<void> {
  await expectFiring(alertname, recordedSeries(scrapes, 120), isFiring);
}

/** @param labels of the alert, such as `, type="S3"` */
async function expectFiring(
  alertname: string,
  input_series: readonly InputSeries[],
  isFiring: boolean,
  labels = '',
): Promise<void> {
  const expr = `count(ALERTS{alertstate="firing", alertname="${alertname}"${labels}})`;
  const exp_samples = isFiring ? [{ labels: '{}', value: 1 }] : [];
  const promql_expr_test = [{ expr, eval_time: '30m', exp_samples }];
  const test = {
    ...{ rule_files: [RULES], evaluation_interval: '15s' },
    tests: [{ interval: '15s', input_series, promql_expr_test }],
  };
  // JSON is YAML.
  const file = join(directory, 'test.yml');
  await writeFile(file, JSON.stringify(test));
  await promisify(execFile)('promtool', ['test', 'rules', file]).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${alertname}${labels} should ${isFiring ? '' : 'not '}fire: ${error.stdout}${error.stderr}`);
  });
}

describe('the alerts of docs/grafana/alerts.yml', () => {
  it('are rules that Prometheus takes', async () => {
    const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', RULES]);
    expect(stdout).toContain('SUCCESS');
  });

  it('DataSinksManyFail and DataSinksSinkDisabled tell a few failing buckets apart from many endpoints that are well', async () => {
    const deliveries = (type: string, outcome: string, values: string): InputSeries => ({
      series: `data_sinks_deliveries_total{type="${type}",outcome="${outcome}"}`,
      values,
    });
    const series = [
      deliveries('HTTPS_WEBHOOK', 'delivered', '0+1000x120'),
      deliveries('HTTPS_WEBHOOK', 'failed', '0x120'),
      deliveries('S3', 'delivered', '0+1x120'),
      deliveries('S3', 'failed', '0+1x120'),
      { series: 'data_sinks_sinks_disabled_total{type="S3",reason="REPEATED_REJECTION"}', values: '0x100 1x20' },
      { series: 'data_sinks_sinks_disabled_total{type="HTTPS_WEBHOOK",reason="REPEATED_REJECTION"}', values: '0x120' },
    ];
    for (const alert of ['DataSinksManyFail', 'DataSinksSinkDisabled']) {
      await expectFiring(alert, series, true, ', type="S3"');
      await expectFiring(alert, series, false, ', type="HTTPS_WEBHOOK"');
    }
  });

  it.each(STOPS.map((stop): [string, string, Stop] => [stop.alert, stop.name, stop]))(
    '%s is silent while all is well, fires when %s, and ends with the repair',
    async (alert, name, stop) => {
      const isWell = async () => (await stage.health()).body.status === 'ok';
      await until(isWell, 'all is well');
      await expectAlert(alert, await record(), false);
      await stop.stop(stage);
      try {
        if (stop.isRecorded) await stage.finishJob();
        await until(async () => {
          const { status, body } = await stage.health();
          return status === stop.health.status && stop.health.says.test(JSON.stringify(body));
        }, `the health says: ${name}`);
        // The queue and the workers are asked every 15 seconds at most.
        await until(async () => stop.seen === undefined || stop.seen.test(await stage.metrics()), 'the metrics say it');
        await expectAlert(alert, await record(), true);
      } finally {
        await stop.repair(stage);
      }
      await until(isWell, 'all is well again');
      await until(async () => stop.seen === undefined || !stop.seen.test(await stage.metrics()), 'the metrics say it');
      await expectAlert(alert, await record(), false);
    },
    10 * MINUTE,
  );
});
