import type { MappingResultRow, RuleViolation } from '../../data-sinks/index.js';

const FIELDS = ['partnerRowId', 'referenceHotelId', 'matchMethod', 'matchConfidence'] as const;
const MAX_TEXT = 256;

export type RowResult =
  | { readonly ok: true; readonly row: MappingResultRow }
  | { readonly ok: false; readonly violations: readonly RuleViolation[] };

/**
 * Validates one row of a completed job. `partnerRowId` is required; the others may be absent or null.
 * @param pointer position of the row in the caller's document, e.g. `/results/17`
 */
export function readResultRow(value: unknown, pointer: string): RowResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, violations: [{ pointer, detail: 'must be an object' }] };
  }
  const given = value as Readonly<Record<string, unknown>>;
  const { partnerRowId, referenceHotelId = null, matchMethod = null, matchConfidence = null } = given;
  if (
    isText(partnerRowId) &&
    isTextOrNull(referenceHotelId) &&
    isTextOrNull(matchMethod) &&
    isConfidence(matchConfidence)
  ) {
    const unknown = unknownFields(given, pointer);
    if (unknown.length > 0) return { ok: false, violations: unknown };
    return { ok: true, row: { partnerRowId, referenceHotelId, matchMethod, matchConfidence } };
  }
  const violations = unknownFields(given, pointer);
  const refuse = (field: string, detail: string): number => violations.push({ pointer: `${pointer}/${field}`, detail });
  const text = `a string of 1 to ${MAX_TEXT} characters, without NUL, that does not begin with U+FEFF`;
  if (!isText(partnerRowId)) refuse('partnerRowId', `must be ${text}`);
  if (!isTextOrNull(referenceHotelId)) refuse('referenceHotelId', `must be null or ${text}`);
  if (!isTextOrNull(matchMethod)) refuse('matchMethod', `must be null or ${text}`);
  if (!isConfidence(matchConfidence)) refuse('matchConfidence', 'must be null or a number from 0 to 1');
  return { ok: false, violations };
}

/** Fast path for rows with only the four known fields: a job may have a million rows. */
function unknownFields(given: Readonly<Record<string, unknown>>, pointer: string): RuleViolation[] {
  return Object.keys(given)
    .filter((key) => !(FIELDS as readonly string[]).includes(key))
    .map((key) => ({
      pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      detail: `unknown field; known are ${FIELDS.join(', ')}`,
    }));
}

function isText(value: unknown): value is string {
  // PostgreSQL's text cannot hold NUL, an unpaired surrogate has no UTF-8 form, and the embedded database drops a leading
  // byte order mark from what it answers.
  return (
    typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && !/^\uFEFF|\0|\p{Surrogate}/u.test(value)
  );
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || isText(value);
}

function isConfidence(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && value >= 0 && value <= 1);
}
