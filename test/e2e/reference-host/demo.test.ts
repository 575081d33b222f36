import { describe, expect, it } from '@jest/globals';
import { runNode } from './run-node.js';

describe('npm run demo', () => {
  it('plays the story from an empty database to a verified push, ends by itself, and proves it', async () => {
    const startedAt = performance.now();
    const { code, output } = await runNode('src/reference-host/demo/demo.js', {}, 240_000);
    expect(output).toMatch(/1 +HTTP_5XX +503 .* verified\n +2 +SUCCEEDED +200 .* verified\n/);
    expect(output).toMatch(
      /\nProved: both attempts sent the same [\d,]+ bytes .* 12,000 rows, 11,540 of them matched\.\n/,
    );
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  });
});
