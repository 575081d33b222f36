import type { LayoutOf } from './layout.js';
import { rowOf } from './result-row.js';

/**
 * One row object per line and nothing else, so that data warehouses can load the file directly. JSON escapes line
 * breaks inside strings, so each line is one row.
 */
export const jsonLinesLayout: LayoutOf = (fields) => {
  const toRow = rowOf(fields);
  return {
    separator: '',
    head: () => '',
    rows: (rows, job) => rows.map((row) => `${JSON.stringify(toRow(row, job))}\n`).join(''),
    tail: () => '',
  };
};
