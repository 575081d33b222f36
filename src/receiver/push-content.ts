import { type HeaderLookup, headerLookup, type PushHeaders } from './push-headers.js';
import { checkedFacts, PayloadError, type PushFacts, type PushPart } from './results-push.js';

/** The formats of a push, as the sink names them. */
export type PushFormat = 'JSON' | 'JSONL' | 'CSV';

/** What the headers say of a body. They are not signed: the delivery's id is. */
export interface PushContent {
  /** Null for a content type that no push has. */
  readonly format: PushFormat | null;
  /** Whether the body has to be decompressed, after it was verified as it came. */
  readonly gzip: boolean;
  /** Null for a job that is pushed in one piece. */
  readonly part: PushPart | null;
}

const FORMATS: ReadonlyMap<string, PushFormat> = new Map([
  ['application/json', 'JSON'],
  ['application/x-ndjson', 'JSONL'],
  ['text/csv', 'CSV'],
]);

/** Content types that a framework has to let through. */
export const PUSH_CONTENT_TYPES: readonly string[] = [...FORMATS.keys()];

/** @throws PayloadError `payload_malformed` for a compression that no push has */
export function pushContent(headers: PushHeaders): PushContent {
  const lookup = headerLookup(headers);
  const type = one(lookup, 'content-type').split(';')[0] ?? '';
  const encoding = one(lookup, 'content-encoding').toLowerCase();
  if (!['', 'identity', 'gzip'].includes(encoding)) {
    throw new PayloadError('payload_malformed', 'The body is compressed in a way that is not known here.');
  }
  return { format: FORMATS.get(type.trim().toLowerCase()) ?? null, gzip: encoding === 'gzip', part: partIn(lookup) };
}

/** `X-MT-Part: 3/12`; null when it did not come, or is not of that form. */
export function partIn(lookup: HeaderLookup): PushPart | null {
  const [, number, of] = /^([1-9]\d{0,8})\/([1-9]\d{0,8})$/.exec(one(lookup, 'x-mt-part')) ?? [];
  const part = { number: Number(number), of: Number(of) };
  return number !== undefined && part.number <= part.of ? part : null;
}

/**
 * The job's facts from the headers, for a body that holds nothing but rows.
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

/** The header's first value, or an empty text. */
function one(lookup: HeaderLookup, name: string): string {
  return lookup(name)[0]?.trim() ?? '';
}

/** Ids are written as in a URL, so that a header can hold them. */
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
