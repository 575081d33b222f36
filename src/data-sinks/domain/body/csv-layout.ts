import type { LayoutOf } from './layout.js';
import { fieldsOf, rowOf } from './result-row.js';

/** RFC 4180: a header row, CRLF line ends, quotes where needed. */
export const csvLayout: LayoutOf = (fields, csvFormulas) => {
  const names = fieldsOf(fields);
  const toRow = rowOf(fields);
  const cell = csvFormulas === 'raw' ? csvField : safeField;
  return {
    separator: '',
    head: () => `${names.join(',')}\r\n`,
    rows: (rows, job) => rows.map((row) => `${Object.values(toRow(row, job)).map(cell).join(',')}\r\n`).join(''),
    tail: () => '',
  };
};

/** A null is an empty field; an empty text is a pair of quotes, so that the two can be told apart. */
function csvField(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  return value === '' || NEEDS_QUOTES.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function safeField(value: string | number | null): string {
  return csvField(typeof value === 'string' ? defused(value) : value);
}

/** Beyond RFC 4180, also quotes values with leading or trailing blanks, which some readers strip. */
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

/** What a spreadsheet evaluates as a formula: OWASP's list, also after white space, quotes and invisible characters. */
const LOOKS_LIKE_A_FORMULA = /^[\s"'\p{Cf}]*[=+\-@\t\r\n\0＝＋－＠]/u;

/**
 * Prefixes a formula with an apostrophe, so that opening the file in a spreadsheet does not execute text from a hotel's
 * row. A formula that already has leading apostrophes gets one more, so a reader that strips one apostrophe from such
 * cells restores the original text.
 */
function defused(text: string): string {
  return LOOKS_LIKE_A_FORMULA.test(text) ? `'${text}` : text;
}
