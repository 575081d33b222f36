import type { LayoutOf } from '../payload-layout.js';
import { rowOf } from '../result-row.js';

/**
 * One row object per line and nothing else, so that a loader of any warehouse takes the file as it is. JSON has no line
 * break outside of strings and escapes those inside, so a line is a row.
 */
export const jsonLinesLayout: LayoutOf = (fields) => {
  const toRow = rowOf(fields);
  return {
    contentType: 'application/x-ndjson',
    tellsFacts: false,
    separator: '',
    head: () => '',
    rows: (rows) => rows.map((row) => `${JSON.stringify(toRow(row))}\n`).join(''),
    tail: () => '',
  };
};
