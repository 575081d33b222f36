import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from './child.js';
import { playStory } from './story.js';
import { Terminal } from './terminal.js';

/**
 * `npm run demo`: the customer's story from an empty database to a verified push, in about ten seconds. Exits with 0 if
 * everything was as promised, else with 1 and the reason. Cleans up, also on Ctrl-C.
 */
const startedAt = performance.now();
const dataDir = await mkdtemp(join(tmpdir(), 'data-sinks-demo-'));
const children: Child[] = [];
let stopping = false;
const terminal = new Terminal(process.stdout, () => performance.now());

async function cleanUp(): Promise<void> {
  // Stop the receiver first: a host that shuts down waits for attempts in flight.
  await Promise.all(children.toReversed().map((child) => child.stop()));
  await rm(dataDir, { recursive: true, force: true });
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    stopping = true;
    terminal.line('\nStopped; cleaning up.');
    void cleanUp().finally(() => process.exit(code));
  });
}

try {
  await playStory({ dataDir, terminal, onChild: (child) => children.push(child) });
  await cleanUp();
  terminal.line(`\nDone in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s; everything was cleaned up.`);
} catch (error) {
  // After Ctrl-C, do not report that the processes have ended.
  if (!stopping) terminal.line(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  await cleanUp();
  process.exitCode = 1;
}
