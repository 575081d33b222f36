import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ATTEMPT_ADVICE } from '../../src/data-sinks/domain/attempt-advice.js';
import {
  type AttemptOutcome,
  classify,
  type ExchangeFailureCode,
  outcome,
} from '../../src/data-sinks/domain/attempt-outcome.js';
import { outcomeOf, S3_ERRORS } from '../../src/data-sinks/destinations/s3/s3-answer.js';
import { STS_ERRORS, stsOutcome } from '../../src/data-sinks/destinations/s3/sts-client.js';
import {
  ATTEMPT_ERROR_CODES,
  type AttemptErrorCode,
  BUCKET_ERROR_CODES,
  ROLE_ERROR_CODES,
} from '../../src/data-sinks/domain/attempt.js';
import { DISABLED_REASONS, OPTIONALLY_RETRYABLE_STATUSES } from '../../src/data-sinks/domain/data-sink.js';
import { DELIVERY_REASONS, type DeliveryReason } from '../../src/data-sinks/domain/delivery.js';
import { PROBLEM_TYPE_BASE, PROBLEMS, type ProblemCode } from '../../src/data-sinks/domain/errors.js';
import { RECOVERY_REASONS } from '../../src/data-sinks/domain/recovery.js';
import { HOST_PROBLEMS } from '../../src/reference-host/http/host-problem.js';

/** Of what is not 400. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  bucket_in_other_region: 301,
  bucket_slow_down: 503,
  bucket_unsupported: 501,
  role_service_unavailable: 503,
};

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const rowsOf = tables(text);

/** The tables of the page by the head of their first column; each row by its first cell, code marks taken off. */
function tables(page: string): (head: string) => ReadonlyMap<string, readonly string[]>[] {
  const found: { head: string; rows: Map<string, readonly string[]> }[] = [];
  let open = false;
  for (const line of page.split('\n')) {
    const cells = line.startsWith('|')
      ? line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'))
      : null;
    const [first = '', ...rest] = cells ?? [];
    if (cells && !open) found.push({ head: first, rows: new Map() });
    else if (cells && !/^-+$/.test(first)) {
      const { rows } = found.at(-1) ?? { rows: new Map() };
      if (rows.has(first)) throw new Error(`${first} is in the table twice`);
      rows.set(first, rest);
    }
    open = cells !== null;
  }
  return (head) => found.filter((table) => table.head === head).map(({ rows }) => rows);
}

const only = (head: string, at = 0): ReadonlyMap<string, readonly string[]> => {
  const table = rowsOf(head)[at];
  if (!table) throw new Error(`docs/errors.md has no table of ${head}`);
  return table;
};

const saysSomething = /^[A-Z`].{8,}\.$/;

describe('docs/errors.md on problems', () => {
  const documented = only('code');
  const host = only('code', 1);

  it('has every problem of the module, and no other', () => {
    expect([...documented.keys()]).toEqual(Object.keys(PROBLEMS));
  });

  it('has every problem of the reference host, and no other', () => {
    expect([...host.keys()]).toEqual(Object.keys(HOST_PROBLEMS));
  });

  it.each([...documented, ...host])(
    'tells of %s its status, its title, what it means and what to do',
    (code, cells) => {
      const [status, title, meaning, toDo] = cells;
      const problem = { ...PROBLEMS, ...HOST_PROBLEMS }[code as ProblemCode];
      expect([Number(status), title]).toEqual([problem.status, problem.title]);
      expect(meaning).toMatch(saysSomething);
      expect(toDo).toMatch(saysSomething);
    },
  );

  it('gives an example that is one', () => {
    const example = JSON.parse(/```json\n([^`]+)```/.exec(text)?.[1] ?? '') as Record<string, unknown>;
    const { status, title } = PROBLEMS['validation-failed'];
    expect(example).toMatchObject({ type: `${PROBLEM_TYPE_BASE}validation-failed`, title, status });
  });
});

describe('docs/errors.md on attempt error codes', () => {
  const documented = only('errorCode');

  it('has every code, and no other', () => {
    expect([...documented.keys()]).toEqual([...ATTEMPT_ERROR_CODES]);
  });

  it.each([...documented])('tells of %s what the code does', (code, cells) => {
    const { step, advice } = ATTEMPT_ADVICE[code as AttemptErrorCode];
    expect(cells).toEqual([
      ...behaviour(code as AttemptErrorCode).slice(0, 1),
      step,
      behaviour(code as AttemptErrorCode)[1],
      advice,
    ]);
  });
});

const OF_STORES: readonly string[] = [...BUCKET_ERROR_CODES, ...ROLE_ERROR_CODES];

/** An answer for each code of an error, and what it means. */
function outcomes(errors: typeof S3_ERRORS, meaning: typeof outcomeOf): [string, AttemptOutcome][] {
  return Object.entries(errors).map(([code, [errorCode]]) => {
    const httpStatus = HTTP_STATUS[errorCode] ?? 400;
    const answer = {
      httpStatus,
      headers: [],
      excerpt: `<Error><Code>${code}</Code></Error>`,
      ending: 'complete',
    } as const;
    const timings = { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: 1, waitMs: 1, totalMs: 2 };
    const result = { kind: 'answered', httpStatus, retryAfterMs: null } as const;
    return [errorCode, meaning({ result, answer, timings, remoteAddress: null, operatorDetail: null })];
  });
}

const BUCKET = new Map([...outcomes(STS_ERRORS, stsOutcome), ...outcomes(S3_ERRORS, outcomeOf)]);
BUCKET.set('object_differs', outcome('HTTP_4XX', 'object_differs', 'FINAL', null));
BUCKET.set('role_without_external_id', outcome('BLOCKED', 'role_without_external_id', 'FINAL', null));
BUCKET.set('condition_ignored', outcome('HTTP_5XX', 'condition_ignored', 'FINAL', null));

/** The attempt's status and whether it is retried, as the code has it. */
function behaviour(code: AttemptErrorCode): readonly [status: string, retried: string] {
  const retried = { RETRY: 'yes', FINAL: 'no', RETRY_FREE: 'free', RETRY_AT_ONCE: 'at once', DELIVERED: 'delivered' };
  switch (code) {
    case 'worker_lost':
    case 'shutdown':
    case 'internal_error':
      // What our own process broke off is not classified: it is abandoned, and free.
      return ['ABANDONED', 'free'];
    case 'rejected_by_receiver':
    case 'receiver_error':
    case 'redirect_refused': {
      const httpStatus = { rejected_by_receiver: 408, receiver_error: 500, redirect_refused: 301 }[code];
      const answer = { kind: 'answered', httpStatus, retryAfterMs: null } as const;
      const [plain, chosen] = [classify(answer), classify(answer, OPTIONALLY_RETRYABLE_STATUSES)];
      expect([plain.errorCode, chosen.errorCode]).toEqual([code, code]);
      return [plain.status, plain.verdict === chosen.verdict ? retried[plain.verdict] : 'by choice'];
    }
    default: {
      const bucket = OF_STORES.includes(code) ? BUCKET.get(code) : undefined;
      if (bucket) return [bucket.status, retried[bucket.verdict]];
      const { status, verdict } = classify({ kind: 'failed', errorCode: code as ExchangeFailureCode });
      return [status, retried[verdict]];
    }
  }
}

describe('docs/errors.md on disabled data sinks', () => {
  const documented = only('disabledReason');

  it('has every reason with what it means and what to do, and no other', () => {
    expect([...documented.keys()]).toEqual([...DISABLED_REASONS]);
    for (const cells of documented.values()) for (const cell of cells) expect(cell).toMatch(saysSomething);
  });
});

describe('docs/errors.md on delivery reasons', () => {
  const documented = only('reason');
  const CANCELLED: readonly DeliveryReason[] = [
    'plan_required',
    'agent_inactive',
    'auto_push_off',
    'sink_inactive',
    'requested',
  ];

  it('has every reason, and no other', () => {
    expect([...documented.keys()]).toEqual([...DELIVERY_REASONS]);
  });

  it.each([...documented])('tells of %s how the delivery ends, what it means and what to do', (reason, cells) => {
    const [status, meaning, toDo] = cells;
    expect(status).toBe(CANCELLED.includes(reason as DeliveryReason) ? 'CANCELLED' : 'FAILED');
    expect(meaning).toMatch(saysSomething);
    expect(toDo).toMatch(saysSomething);
  });
});

describe('docs/errors.md on cancelled recoveries', () => {
  const documented = only('reason', 1);

  it('has every reason with what it means and what to do, and no other', () => {
    expect([...documented.keys()]).toEqual([...RECOVERY_REASONS]);
    for (const cells of documented.values()) for (const cell of cells) expect(cell).toMatch(saysSomething);
  });
});
