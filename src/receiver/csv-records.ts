/** A field: null when there is nothing between its commas. */
export type CsvField = string | null;

/**
 * Splits text into records and fields (RFC 4180): CRLF or LF, quotes doubled within quotes.
 * @returns null when the text is not valid CSV
 */
export function csvRecords(text: string): CsvField[][] | null {
  const records: CsvField[][] = [];
  let record: CsvField[] = [];
  for (let at = 0; at < text.length;) {
    const field = text.startsWith('"', at) ? quotedField(text, at) : bareField(text, at);
    if (!field) return null;
    record.push(field.value);
    const after = separatorAt(text, field.end);
    if (!after) return null;
    at = after.end;
    if (after.endsRecord) {
      records.push(record);
      record = [];
    }
  }
  return record.length === 0 ? records : null;
}

interface Found {
  readonly value: CsvField;
  /** Returns the index after the field. */
  readonly end: number;
}

const BARE = /[^",\r\n]*/y;
const QUOTED = /"([^"]*(?:""[^"]*)*)"/y;

function bareField(text: string, at: number): Found | null {
  BARE.lastIndex = at;
  const [value = ''] = BARE.exec(text) ?? [];
  return { value: value === '' ? null : value, end: at + value.length };
}

function quotedField(text: string, at: number): Found | null {
  QUOTED.lastIndex = at;
  const [whole, inner] = QUOTED.exec(text) ?? [];
  if (whole === undefined || inner === undefined) return null;
  return { value: inner.includes('"') ? inner.replaceAll('""', '"') : inner, end: at + whole.length };
}

function separatorAt(text: string, at: number): { readonly end: number; readonly endsRecord: boolean } | null {
  if (text.startsWith(',', at)) return { end: at + 1, endsRecord: false };
  if (text.startsWith('\r\n', at)) return { end: at + 2, endsRecord: true };
  if (text.startsWith('\n', at)) return { end: at + 1, endsRecord: true };
  return null;
}
