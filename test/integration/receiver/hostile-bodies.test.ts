import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CompiledKit } from '../../support/receiver/listen-process.js';
import { compileKit } from '../../support/receiver/listen-process.js';

const READ_ONE = fileURLToPath(new URL('../../support/receiver/hostile-bodies.mjs', import.meta.url));
/** Node alone takes 50 of it, its heap of young objects and the 64 below most of the rest. */
const MOST_MIB = 200;

let kit: CompiledKit;
beforeAll(() => {
  kit = compileKit();
});
afterAll(() => kit.remove());

describe('a hostile body, which is read before it is verified, takes little memory', () => {
  it.each([
    ['members', 'compressed, with members that no push has and lists in the place of texts', 'payload_incomplete'],
    ['json', 'a value of JSON whose bytes come one by one', 'payload_truncated'],
    ['jsonl', 'a line of JSON lines whose bytes come one by one', 'payload_truncated'],
    ['csv', 'a record of CSV whose bytes come one by one', 'payload_truncated'],
    ['request', 'a body for receivePush whose bytes come one by one', 'signature_mismatch'],
  ])('%s: %s', (body, _told, ended) => {
    const child = spawnSync(process.execPath, ['--max-old-space-size=64', READ_ONE, kit.entry, body], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect({ status: child.status, fatal: /FATAL ERROR.*/.exec(child.stderr)?.[0] }).toEqual({ status: 0 });
    const found = JSON.parse(child.stdout) as { ended: string; peakMib: number };
    process.stdout.write(`${body}: peak ${found.peakMib} MiB\n`);
    expect(found.ended).toBe(ended);
    expect(found.peakMib).toBeLessThan(MOST_MIB);
  });
});
