import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLE = 'docs/examples/minimal-host';

function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');
}

function between(document: string, begin: string, end: string): string {
  return document.split(begin)[1]?.split(end)[0]?.trim() ?? '';
}

describe('“Drop it into your backend”', () => {
  it('shows the host that matrix/hosts/nest-12.test.ts installs, compiles and starts', () => {
    const shown = between(text('README.md'), '<!-- minimal-host:begin -->', '<!-- minimal-host:end -->');
    expect(shown).toBe(`\`\`\`ts\n${text(`${EXAMPLE}/host.ts`)}\`\`\``);
  });

  it('fits on one screen', () => {
    const lines = text(`${EXAMPLE}/host.ts`).split('\n');
    expect(lines.filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length).toBeLessThanOrEqual(48);
  });

  it('names every package that the host needs', () => {
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(text('package.json')) as Record<
      'peerDependencies' | 'peerDependenciesMeta',
      Readonly<Record<string, unknown>>
    >;
    const needed = Object.keys(peerDependencies).filter((name) => !(name in peerDependenciesMeta));
    const install = between(text(`${EXAMPLE}/README.md`), '```sh\n', '```');
    expect(needed.filter((name) => !install.split(/\s+/).includes(name))).toEqual([]);
  });
});
