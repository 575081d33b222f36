import type { AttemptStatus } from '../../../src/data-sinks/domain/attempt.js';

/** Short, to keep the suite fast; the documentation shows the defaults. */
export const ATTACK_DEADLINES = { responseHeadersMs: 400, responseBodyMs: 300, uploadIdleMs: 400 } as const;

export interface Attack {
  readonly path: string;
  readonly does: string;
  /** Status of the response or error code, as in the attempt row. */
  readonly ends: number | string;
  /** What ended it, for the documentation. */
  readonly by: string;
  readonly status: AttemptStatus;
  readonly ending?: 'complete' | 'cap' | 'deadline' | 'cut';
  /** Bytes of a large body; a small one when absent. */
  readonly uploadBytes?: number;
  /** The deadline that must have passed. */
  readonly afterMs?: number;
}

const { responseHeadersMs, responseBodyMs, uploadIdleMs } = ATTACK_DEADLINES;
const ALL_BYTES = 'cap on all bytes of an answer';
const METADATA_REDIRECT = 'redirects to a cloud’s metadata address';

export const ATTACKS: readonly Attack[] = [
  timesOut('never-answers', 'reads the request and never answers'),
  timesOut('one-header-byte-a-tick', 'sends its header one byte at a time, for ever'),
  timesOut('endless-103', 'sends `103 Early Hints` for ever, slowly'),
  timesOut('endless-100', 'sends `100 Continue` for ever, slowly'),
  failed('flood-of-103', 'sends `103 Early Hints` for ever, as fast as it can', 'invalid_http_response', 'cap of 100'),
  failed('flood-of-100', 'sends `100 Continue` for ever, as fast as it can', 'invalid_http_response', 'cap of 100'),
  ...(
    [
      ['flood-in-the-reason', 'sends a reason phrase without end'],
      ['flood-of-blank-lines', 'sends blank lines without end before its answer'],
      ['flood-of-blanks-in-a-header', 'sends blanks without end before a header’s value'],
    ] as const
  ).map(([name, does]) => failed(name, does, 'invalid_http_response', ALL_BYTES)),
  answered('flood-in-a-chunk-extension', 'sends an extension of a chunk without end', 200, ALL_BYTES, 'cap'),
  answered('flood-of-zeros-in-a-chunk-size', 'sends zeros without end before a chunk’s size', 200, ALL_BYTES, 'cap'),
  {
    path: '/early/stops-reading/0',
    does: 'stops reading in the middle of a large body',
    ends: 'upload_stalled',
    by: 'upload-idle deadline',
    status: 'TIMEOUT',
    uploadBytes: 31_000_000,
    afterMs: uploadIdleMs,
  },
  {
    ...answered('endless-body', 'sends a body without end, slowly', 200, 'response-body deadline', 'deadline'),
    afterMs: responseBodyMs,
  },
  answered('one-gigabyte-body', 'sends a body of 1 GB, fast', 200, 'body cap', 'cap'),
  answered('gzip-bomb', 'sends a gzip bomb of 50 MB', 200, 'body cap, never inflated', 'cap'),
  answered(
    'nul-and-invalid-utf8',
    'sends NUL and bytes that are not UTF-8',
    200,
    'its own end; stored as U+FFFD',
    'complete',
  ),
  answered('content-length-too-long', 'announces more than it sends, and closes', 200, 'closed by the peer', 'cut'),
  answered(
    'content-length-too-short',
    'sends more than it announces',
    200,
    'the announced length; the connection is not used again',
    'complete',
  ),
  answered('resets-in-the-body', 'resets in the middle of its body', 200, 'reset by the peer', 'cut'),
  answered(
    'one-100-first',
    'sends a `100 Continue` that nobody asked for, then answers',
    200,
    'its own end',
    'complete',
  ),
  answered(
    'a-103-then-a-100-first',
    'sends `103 Early Hints`, then a `100 Continue` that nobody asked for, then answers',
    200,
    'its own end',
    'complete',
  ),
  ...[301, 302, 303, 307, 308].map((status) =>
    answered(
      `redirect/${status}`,
      `${METADATA_REDIRECT} with ${status}`,
      status,
      'never followed',
      'complete',
      'HTTP_3XX',
    ),
  ),
  answered(
    'bare-line-feeds',
    'ends its lines with a bare line feed',
    200,
    'its own end; the connection is closed',
    'complete',
  ),
  answered('one-length-twice', 'says one length twice', 200, 'its own end; the connection is closed', 'complete'),
  answered('sixty-kilobytes-of-headers', 'sends 60 KB of headers', 200, 'its own end', 'complete'),
  failed('twenty-thousand-headers', 'sends 20,000 headers', 'response_headers_too_large', 'header cap'),
  failed('one-megabyte-header', 'sends one header of 1 MB', 'response_headers_too_large', 'header cap'),
  failed('content-length-twice', 'sends two different lengths', 'invalid_http_response', 'parser'),
  failed('length-and-chunked', 'sends a length and chunks', 'invalid_http_response', 'parser'),
  failed('speaks-no-http', 'speaks SMTP', 'invalid_http_response', 'parser'),
  failed('speaks-http-2', 'speaks HTTP/2 unasked', 'invalid_http_response', 'parser'),
  failed('ninety-nine-kinds-of-space', 'puts spaces into header names', 'invalid_http_response', 'parser'),
  failed('switches-protocols', 'switches to another protocol', 'invalid_http_response', 'parser'),
  failed(
    'resets-after-the-first-byte',
    'resets after the first byte of its answer',
    'connection_reset',
    'reset by the peer',
  ),
  failed('resets-without-a-word', 'resets instead of an answer', 'connection_reset', 'reset by the peer'),
  failed('closes-without-a-word', 'closes instead of an answer', 'connection_reset', 'closed by the peer'),
];

function timesOut(name: string, does: string): Attack {
  return {
    path: `/attack/${name}`,
    does,
    ends: 'response_timeout',
    by: 'response-headers deadline',
    status: 'TIMEOUT',
    afterMs: responseHeadersMs,
  };
}

function failed(name: string, does: string, ends: string, by: string): Attack {
  return { path: `/attack/${name}`, does, ends, by, status: 'NETWORK_ERROR' };
}

function answered(
  name: string,
  does: string,
  ends: number,
  by: string,
  ending: NonNullable<Attack['ending']>,
  status: AttemptStatus = 'SUCCEEDED',
): Attack {
  return { path: `/attack/${name}`, does, ends, by, ending, status };
}

export const EARLY_ANSWERS = {
  'keeps-open-unread': 'answers before reading and keeps the connection open',
  'closes-in-order': 'answers before reading and closes in order',
  'destroys-at-once': 'answers before reading and destroys the socket at once',
  'resets-after-a-moment': 'answers before reading and resets 5 ms later',
  'answers-after-10-ms-and-destroys': 'answers after 10 ms and destroys the socket',
  'reads-64-kb-then-destroys': 'reads 64 KB, answers and destroys the socket',
  'reads-1-mb-then-destroys': 'reads 1 MB, answers and destroys the socket',
} as const;

export const EARLY_RUNS = 15;
export const EARLY_BODY_BYTES = 31_000_000;
