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
  /** Which part of the job this is, where the headers say so: the stats are the whole job's, the rows only this part's. */
  readonly part?: PushPart;
}

/** A job that is pushed in parts comes as so many pushes, the last one when all others were answered with 2xx. */
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

/** A sink may ask for some of the fields only; those that it does not ask for are not there. */
export interface MappingResultRow {
  /** `row_…` */
  readonly partnerRowId: string;
  /** `ref_…`, or null when nothing matched. */
  readonly referenceHotelId?: string | null;
  /** Such as `STANDARD`; null when nothing matched. */
  readonly matchMethod?: string | null;
  /** 0 to 1, or null when the method gives none. */
  readonly matchConfidence?: number | null;
}

/**
 * - `payload_malformed`: not in the format that it says, or not a push in it
 * - `payload_truncated`: it ends before its end
 * - `payload_incomplete`: it is whole, but a member of `PushFacts`, or the header for it, is missing or of the wrong type
 * - `row_invalid`: a row without `partnerRowId`, or with a member of the wrong type
 * - `value_too_large`: a single row or member, or the names of all members together, beyond the reader's limit
 * - `payload_too_large`: a compressed body that is larger than the reader's limit once it is not
 */
export type PayloadErrorCode =
  | 'payload_malformed'
  | 'payload_truncated'
  | 'payload_incomplete'
  | 'row_invalid'
  | 'value_too_large'
  | 'payload_too_large';

/** A body that cannot be read as a push. On a verified one, tell us; `statusCode` is the answer that fits. */
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

/** Checks a parsed row; members we do not know are left in it, so that a later field breaks no receiver. */
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

/** A field that the sink did not ask for is undefined. */
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
