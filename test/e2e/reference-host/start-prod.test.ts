import { afterEach, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { until } from '../../support/platform/until.js';
import { newDataDirectory } from './host-fixture.js';

const MINUTE = 60_000;
let npm: ChildProcess | null = null;
let directory: string | null = null;
afterEach(async () => {
  npm?.kill('SIGKILL');
  if (directory) await rm(directory, { recursive: true, force: true });
});

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it(
  'npm run start:prod listens where it is told, with the metrics on a port of their own, and ends with its node on SIGTERM',
  async () => {
    directory = await newDataDirectory();
    const { PATH = '', HOME = '' } = process.env;
    const where = { PORT: '0', BIND_ADDRESS: '127.0.0.1', METRICS_PORT: '0', DATA_DIR: directory };
    npm = spawn('npm', ['run', '--silent', 'start:prod'], { env: { PATH, HOME, ...where } });
    let output = '';
    for (const stream of [npm.stdout, npm.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()));
    const url = await until(() => /listening on (http:\/\/127\.0\.0\.1:\d+),/.exec(output)?.[1], 'the host listens');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    const metrics = /metrics on (http:\/\/127\.0\.0\.1:\d+\/metrics)/.exec(output)?.[1];
    expect(await (await fetch(String(metrics))).text()).toContain('data_sinks_database_up');
    const pid = Number(/"pid":(\d+)/.exec(output)?.[1]);
    expect(isThere(pid)).toBe(true);

    const ended = once(npm, 'exit');
    npm.kill('SIGTERM');
    await ended;
    await until(() => !isThere(pid), 'its node has ended');
  },
  5 * MINUTE,
);
