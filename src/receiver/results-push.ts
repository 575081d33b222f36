/** The body of a push: the results of one finished mapping job. */
export interface ResultsPush extends PushFacts {
  readonly results: readonly MappingResultRow[];
}

/** Everything of a push but its rows. */
export interface PushFacts {
  /** `job_…` */
  readonly jobId: string;
  /** `agt_…` */
  readonly agentId: string;
  /** `ws_…` */
  readonly workspaceId: string;
  /** When the job finished, RFC 3339 in UTC: `2026-05-25T12:34:56Z`. */
  readonly completedAt: string;
  readonly stats: PushStats;
  /** Set on the synthetic push of the Test button, whose ids name nothing: do not store its rows. */
  readonly test?: true;
}

export interface PushStats {
  readonly total: number;
  readonly matched: number;
  readonly unmatched: number;
}

export interface MappingResultRow {
  /** `row_…` */
  readonly partnerRowId: string;
  /** `ref_…`, or null when nothing matched. */
  readonly referenceHotelId: string | null;
  /** Such as `STANDARD`; null when nothing matched. */
  readonly matchMethod: string | null;
  /** 0 to 1, or null when the method gives none. */
  readonly matchConfidence: number | null;
}

/**
 * - `payload_malformed`: not JSON, or not the JSON of a push
 * - `payload_truncated`: it ends before its end
 * - `payload_incomplete`: it is whole, but a member of `PushFacts` is missing or of the wrong type
 * - `row_invalid`: a row without `partnerRowId`, or with a member of the wrong type
 * - `value_too_large`: a single row or member beyond the reader's limit
 */
export type PayloadErrorCode =
  'payload_malformed' | 'payload_truncated' | 'payload_incomplete' | 'row_invalid' | 'value_too_large';

/** A body that cannot be read as a push. On a verified one, tell us; 400 is the answer that fits. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly statusCode = 400;
  readonly status = 400;
  readonly expose = true;

  constructor(
    readonly code: PayloadErrorCode,
    detail: string,
  ) {
    super(detail);
  }
}

/** Checks a parsed row; members we do not know are left in it, so that a later field breaks no receiver. */
export function checkedRow(value: unknown, index: number): MappingResultRow {
  if (typeof value !== 'object' || value === null) throw invalidRow(index, 'is not an object');
  const { partnerRowId, referenceHotelId, matchMethod, matchConfidence } = value as Record<string, unknown>;
  if (typeof partnerRowId !== 'string' || partnerRowId === '') throw invalidRow(index, 'has no partnerRowId');
  if (!isTextOrNull(referenceHotelId))
    throw invalidRow(index, 'has a referenceHotelId that is neither a string nor null');
  if (!isTextOrNull(matchMethod)) throw invalidRow(index, 'has a matchMethod that is neither a string nor null');
  if (matchConfidence !== null && typeof matchConfidence !== 'number') {
    throw invalidRow(index, 'has a matchConfidence that is neither a number nor null');
  }
  return value as MappingResultRow;
}

/** Checks the members that are not rows. */
export function checkedFacts(members: ReadonlyMap<string, unknown>): PushFacts {
  const text = (name: string): string => {
    const value = members.get(name);
    if (typeof value !== 'string' || value === '') throw incomplete(name);
    return value;
  };
  const facts = {
    jobId: text('jobId'),
    agentId: text('agentId'),
    workspaceId: text('workspaceId'),
    completedAt: text('completedAt'),
    stats: checkedStats(members.get('stats')),
  };
  return members.get('test') === true ? { ...facts, test: true } : facts;
}

function checkedStats(value: unknown): PushStats {
  if (typeof value !== 'object' || value === null) throw incomplete('stats');
  const stats = value as Record<string, unknown>;
  const count = (name: keyof PushStats): number => {
    const found = stats[name];
    if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0) throw incomplete(`stats.${name}`);
    return found;
  };
  return { total: count('total'), matched: count('matched'), unmatched: count('unmatched') };
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function invalidRow(index: number, problem: string): PayloadError {
  return new PayloadError('row_invalid', `Row ${index} (counted from 0) ${problem}.`);
}

function incomplete(name: string): PayloadError {
  return new PayloadError('payload_incomplete', `The member ${name} is missing or of the wrong type.`);
}
