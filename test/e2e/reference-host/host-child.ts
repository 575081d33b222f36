import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DataSinksOptions } from '../../../src/data-sinks/index.js';

const HOST = fileURLToPath(new URL('../../chaos/processes/worker.mjs', import.meta.url));

/** The compiled host (`npm run build`) as a process of its own, which real signals reach. */
export interface HostChild {
  readonly url: string;
  /** Of the workspace that a first start makes; null of a later one. */
  readonly token: string | null;
  /** How often it has logged this event. */
  readonly logged: (event: string) => number;
  /** All that it has logged. */
  readonly lines: () => readonly string[];
  /** Sends SIGTERM; the exit code and how long it took. */
  readonly stop: () => Promise<{ readonly code: number | null; readonly afterMs: number }>;
  readonly kill: () => void;
}

export async function startHostChild(
  variables: Readonly<Record<string, string>>,
  options: DataSinksOptions = {},
): Promise<HostChild> {
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(HOST, [], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH, HOME, PORT: '0', ...variables, CHAOS_OPTIONS: JSON.stringify(options) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`the host did not start: ${output}`)));
  const [{ url, seeded }] = (await Promise.race([once(child, 'message'), ended])) as [
    { url: string; seeded: { token: string } | null },
  ];
  ended.catch(() => undefined);
  return {
    url,
    token: seeded?.token ?? null,
    lines: () => output.split('\n'),
    logged: (event) => output.split(`"event":"${event}"`).length - 1,
    kill: () => void child.kill('SIGKILL'),
    stop: async () => {
      const sentAt = performance.now();
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      return { code, afterMs: performance.now() - sentAt };
    },
  };
}
