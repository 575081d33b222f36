import { type HeaderLookup, headerLookup, type PushHeaders } from './push-headers.js';
import { checkedFacts, PayloadError, type PushFacts, type PushPart } from './results-push.js';

/** The formats of a push whose rows the kit reads, by the sink's name for them. */
export type PushFormat = 'JSON' | 'JSONL' | 'CSV';

/** Facts about a body from its headers. The headers are not signed, except the delivery id. */
export interface PushContent {
  /** Null for a Parquet file and for an unknown content type. */
  readonly format: PushFormat | null;
  /** Whether the body must be decompressed after verification. */
  readonly gzip: boolean;
  /** Null for a job that is pushed as one body. */
  readonly part: PushPart | null;
}

const FORMATS: ReadonlyMap<string, PushFormat> = new Map([
  ['application/json', 'JSON'],
  ['application/x-ndjson', 'JSONL'],
  ['text/csv', 'CSV'],
]);

/** The type of a Parquet file, which the kit verifies and does not parse. */
const PARQUET = 'application/vnd.apache.parquet';

/** Content types that the framework must accept. */
export const PUSH_CONTENT_TYPES: readonly string[] = [...FORMATS.keys(), PARQUET];

/** @throws PayloadError `payload_malformed` for an unknown compression */
export function pushContent(headers: PushHeaders): PushContent {
  const lookup = headerLookup(headers);
  const encoding = one(lookup, 'content-encoding').toLowerCase();
  if (!['', 'identity', 'gzip'].includes(encoding)) {
    throw new PayloadError('payload_malformed', 'The Content-Encoding is not supported.');
  }
  return { format: FORMATS.get(mediaType(lookup)) ?? null, gzip: encoding === 'gzip', part: partIn(lookup) };
}

/** Whether a push is a Parquet file. */
export function isParquet(headers: PushHeaders): boolean {
  return mediaType(headerLookup(headers)) === PARQUET;
}

function mediaType(lookup: HeaderLookup): string {
  return (one(lookup, 'content-type').split(';')[0] ?? '').trim().toLowerCase();
}

/** `X-MT-Part: 3/12`; null when missing or malformed. */
export function partIn(lookup: HeaderLookup): PushPart | null {
  const [, number, of] = /^([1-9]\d{0,8})\/([1-9]\d{0,8})$/.exec(one(lookup, 'x-mt-part')) ?? [];
  const part = { number: Number(number), of: Number(of) };
  return number !== undefined && part.number <= part.of ? part : null;
}

/**
 * The job's facts from the headers, for a body that consists of rows only.
 * @throws PayloadError `payload_incomplete`
 */
export function factsIn(headers: PushHeaders): PushFacts {
  const lookup = headerLookup(headers);
  const members = new Map<string, unknown>([
    ['jobId', decoded(one(lookup, 'x-mt-job-id'))],
    ['agentId', decoded(one(lookup, 'x-mt-agent-id'))],
    ['workspaceId', decoded(one(lookup, 'x-mt-workspace-id'))],
    ['completedAt', one(lookup, 'x-mt-completed-at')],
    ['stats', dictionary(one(lookup, 'x-mt-stats'))],
    ['test', one(lookup, 'x-mt-test') === 'true'],
  ]);
  return checkedFacts(members);
}

/** The header's first value, or ''. */
function one(lookup: HeaderLookup, name: string): string {
  return lookup(name)[0]?.trim() ?? '';
}

/** Ids are percent-encoded in headers. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** `total=3, matched=2, unmatched=1` (RFC 9651). */
function dictionary(text: string): Record<string, number> {
  const members = [...text.matchAll(/([a-z]+)=(\d+)/g)];
  return Object.fromEntries(members.map(([, name = '', value]) => [name, Number(value)] as const));
}
