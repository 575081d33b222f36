import type { LayoutOf } from '../payload-layout.js';
import { fieldsOf, rowOf } from '../result-row.js';

/** RFC 4180: a header row, lines that end with CRLF, quotes where they are needed. */
export const csvLayout: LayoutOf = (fields) => {
  const names = fieldsOf(fields);
  const toRow = rowOf(fields);
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    tellsFacts: false,
    separator: '',
    head: () => `${names.join(',')}\r\n`,
    rows: (rows) => rows.map((row) => `${Object.values(toRow(row)).map(csvField).join(',')}\r\n`).join(''),
    tail: () => '',
  };
};

/** A null is the empty field; an empty text is an empty pair of quotes, so that the two can be told apart. */
function csvField(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = defused(value);
  return text === '' || NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Beside what RFC 4180 demands, blanks at either end, which some readers take off. */
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

/**
 * What a spreadsheet takes for a formula, or for the way to one: OWASP's list, also behind white space, quotes and
 * characters that are not seen.
 */
const LOOKS_LIKE_A_FORMULA = /^[\s"'\p{Cf}]*[=+\-@\t\r\n\0＝＋－＠]/u;

/**
 * Whoever opens the file in a spreadsheet must not run what somebody wrote into a hotel's row: such a cell begins with an
 * apostrophe. Text that begins with apostrophes before a formula gets one more, so whoever takes off one apostrophe where
 * what follows looks like a formula has the text as it was.
 */
function defused(text: string): string {
  return LOOKS_LIKE_A_FORMULA.test(text) ? `'${text}` : text;
}
