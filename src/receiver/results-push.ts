/** The body of a push: the results of one completed mapping job. */
export interface ResultsPush extends PushFacts {
  readonly results: readonly MappingResultRow[];
}

/** A push without its rows. */
export interface PushFacts {
  /** `job_…` */
  readonly jobId: string;
  /** `agt_…` */
  readonly agentId: string;
  /** `ws_…` */
  readonly workspaceId: string;
  /** When the job completed, RFC 3339 in UTC: `2026-05-25T12:34:56Z`. */
  readonly completedAt: string;
  readonly stats: PushStats;
  /** Set on the synthetic push of a Test, whose ids refer to nothing: do not store its rows. */
  readonly test?: true;
  /** Which part of the job this is, from the headers. The stats are for the whole job, the rows only for this part. */
  readonly part?: PushPart;
}

/** A job in parts arrives as `of` pushes. The last is sent after all others were answered with 2xx. */
export interface PushPart {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

export interface PushStats {
  readonly total: number;
  readonly matched: number;
  readonly unmatched: number;
}

/** A sink may select some of the fields; the others are absent. */
export interface MappingResultRow {
  /** `row_…` */
  readonly partnerRowId: string;
  /** `ref_…`, or null when there is no match. */
  readonly referenceHotelId?: string | null;
  /** E.g. `STANDARD`; null when there is no match. */
  readonly matchMethod?: string | null;
  /** 0 to 1, or null when the method reports none. */
  readonly matchConfidence?: number | null;
  /** The job's, where the sink sends it with every row; so the next two. */
  readonly jobId?: string;
  readonly completedAt?: string;
  /** Which completion of the job, from 1. */
  readonly run?: number;
}

/**
 * - `payload_malformed`: not in the declared format, or not a push
 * - `payload_unread`: a Parquet file, which the kit verifies and does not parse
 * - `payload_truncated`: the body ends too early
 * - `payload_incomplete`: a member of `PushFacts`, or its header, is missing or of the wrong type
 * - `row_invalid`: a row without `partnerRowId`, or with a member of the wrong type
 * - `value_too_large`: a single row or member, or the names of all members together, exceed the reader's limit
 * - `payload_too_large`: a compressed body exceeds the reader's limit after decompression
 */
export type PayloadErrorCode =
  | 'payload_malformed'
  | 'payload_unread'
  | 'payload_truncated'
  | 'payload_incomplete'
  | 'row_invalid'
  | 'value_too_large'
  | 'payload_too_large';

/** A body that is not a valid push. If it was verified, tell us. `statusCode` is the recommended response. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly expose = true;

  constructor(
    readonly code: PayloadErrorCode,
    detail: string,
  ) {
    super(detail);
  }

  get statusCode(): 400 | 413 {
    return this.code === 'payload_too_large' ? 413 : 400;
  }

  get status(): 400 | 413 {
    return this.statusCode;
  }
}

/** Validates a parsed row. Unknown members are kept, so that a future field does not break receivers. */
export function checkedRow(value: unknown, index: number): MappingResultRow {
  if (typeof value !== 'object' || value === null) throw invalidRow(index, 'is not an object');
  const { partnerRowId, referenceHotelId, matchMethod, matchConfidence } = value as Record<string, unknown>;
  if (typeof partnerRowId !== 'string' || partnerRowId === '') throw invalidRow(index, 'has no partnerRowId');
  if (!isTextOrNull(referenceHotelId))
    throw invalidRow(index, 'has a referenceHotelId that is neither a string nor null');
  if (!isTextOrNull(matchMethod)) throw invalidRow(index, 'has a matchMethod that is neither a string nor null');
  if (matchConfidence !== undefined && matchConfidence !== null && typeof matchConfidence !== 'number') {
    throw invalidRow(index, 'has a matchConfidence that is neither a number nor null');
  }
  return value as MappingResultRow;
}

/** Validates the members other than rows. */
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

/** Undefined for a field that the sink did not select. */
function isTextOrNull(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === 'string';
}

export function invalidRow(index: number, problem: string): PayloadError {
  return new PayloadError('row_invalid', `Row ${index} (counted from 0) ${problem}.`);
}

function incomplete(name: string): PayloadError {
  return new PayloadError(
    'payload_incomplete',
    `The member ${name}, or the header for it, is missing or of the wrong type.`,
  );
}
