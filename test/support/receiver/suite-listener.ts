import { afterAll, beforeAll } from '@jest/globals';
import { type CompiledKit, compileKit, ListenProcess } from './listen-process.js';

const START_LIMIT_MS = 300_000;

/** The kit's own receiver in a child process, for all tests of a file: it verifies, reads and tells what came. */
export function suiteListener(secret: string): () => ListenProcess {
  let kit: CompiledKit | null = null;
  let listening: ListenProcess | null = null;
  beforeAll(async () => {
    kit = compileKit();
    listening = await ListenProcess.start(kit.command, ['--json', '--secret', secret]);
  }, START_LIMIT_MS);
  afterAll(async () => {
    await listening?.end();
    kit?.remove();
  });
  return () => {
    if (!listening) throw new Error('the listener runs within tests only');
    return listening;
  };
}
