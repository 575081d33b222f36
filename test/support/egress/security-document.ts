import { readFileSync, writeFileSync } from 'node:fs';

import { type Attack, EARLY_ANSWERS } from './attack-matrix.js';

const FILE = new URL('../../../docs/security.md', import.meta.url);

export type DocumentTable = 'attacks' | 'early-answers';

export function attackRows(attacks: readonly Attack[]): readonly string[] {
  return [
    '| the receiver | the attempt ends with | ended by | attempt status | answer’s ending |',
    '|---|---|---|---|---|',
    ...attacks.map(
      ({ does, ends, by, status, ending }) =>
        `| ${does} | \`${ends}\` | ${by} | \`${status}\` | ${ending ? `\`${ending}\`` : ''} |`,
    ),
  ];
}

/** @param right runs with the right status, by behaviour and status */
export function earlyAnswerRows(right: (name: string, status: number) => string): readonly string[] {
  return [
    '| the receiver | 401 seen | 413 seen |',
    '|---|---|---|',
    ...Object.entries(EARLY_ANSWERS).map(([name, does]) => `| ${does} | ${right(name, 401)} | ${right(name, 413)} |`),
  ];
}

/**
 * Compares the table between its markers in `docs/security.md` with what a test run found. With `WRITE_DOCS=1` it writes
 * the table instead.
 * @returns whether the document says what the run found
 */
export function documentSays(table: DocumentTable, rows: readonly string[]): boolean {
  const [begin, end] = [`<!-- ${table}: written by the test run -->`, `<!-- /${table} -->`];
  const text = readFileSync(FILE, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/security.md has no markers for ${table}`);
  if (process.env['WRITE_DOCS'] === '1') {
    writeFileSync(FILE, `${text.slice(0, from + begin.length)}\n\n${rows.join('\n')}\n\n${text.slice(to)}`);
    return true;
  }
  // A formatter may have aligned the columns.
  return squeeze(text.slice(from + begin.length, to)) === squeeze(rows.join('\n'));
}

function squeeze(table: string): string {
  return table
    .trim()
    .replaceAll(/-{3,}/g, '---')
    .replaceAll(/ *\| */g, '|');
}
