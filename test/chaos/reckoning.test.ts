import { describe, expect, it } from '@jest/globals';
import type { LedgerLine } from './harness/ledger.js';
import { type AttemptRow, type Books, type DeliveryRow, reckon } from './harness/reckoning.js';

const delivery: DeliveryRow = {
  id: 'dlv_1',
  data_source_id: 'ads_1',
  job_id: 'job_1',
  run: 1,
  part: 1,
  part_count: 1,
  status: 'DELIVERED',
  reason: null,
  retries_spent: 0,
  sha256: 'aa',
};
const attempt: AttemptRow = {
  delivery_id: 'dlv_1',
  attempt_number: 1,
  status: 'SUCCEEDED',
  error_code: null,
  http_status: 200,
  worker_id: 'first',
};
const wanted = [{ job_id: 'job_1', data_source_id: 'ads_1' }];
const audited = [{ delivery_id: 'dlv_1', entries: 1, redelivered: false }];
const books: Books = { wanted, deliveries: [delivery], attempts: [attempt], audited };

const parts = [1, 2].map((part) => ({ ...delivery, id: `dlv_${part}`, part, part_count: 2 }));
const attempts = parts.map(({ id }) => ({ ...attempt, delivery_id: id }));
const inParts: Books = { wanted, deliveries: parts, attempts, audited };

const post = { at: 0, path: '/one', delivery: 'dlv_1', attempt: 1, sha256: 'aa', jobId: 'job_1', signed: true };
const told = { part: null, keys: [0], signedAt: 0, clockOffS: 0, status: 200 };
const seen = (changes: Partial<LedgerLine> = {}): LedgerLine[] =>
  (['begun', 'arrived', 'answered'] as const).map((event) => ({
    ...post,
    ...told,
    event,
    ...changes,
  }));

const seenPart = (part: number) => seen({ delivery: `dlv_${part}`, part: `${part}/2` });

const clean = {
  deliveries: 1,
  attempts: 1,
  lost: 0,
  unrecorded: 0,
  differingBodies: 0,
  doubleDeliveries: 0,
  unaudited: 0,
  duplicatePosts: 0,
  oddities: [],
};

describe('the comparison of the tables with the receiver’s ledger', () => {
  it('finds nothing when they agree', () => {
    expect(reckon(books, seen(), ['job_1'])).toEqual(clean);
  });

  it('finds nothing when a job came in parts, the last one after the others', () => {
    const ledger = [...seenPart(1), ...seenPart(2)];
    expect(reckon(inParts, ledger, ['job_1'])).toEqual({ ...clean, deliveries: 2, attempts: 2 });
  });

  it.each<[string, Partial<Record<keyof typeof clean, unknown>>, Books, LedgerLine[], string[]]>([
    ['a job that was taken and is nowhere', { lost: 1 }, books, seen(), ['job_1', 'job_2']],
    [
      'a finished job without a delivery',
      { lost: 1 },
      { ...books, wanted: [...wanted, { job_id: 'job_1', data_source_id: 'ads_2' }] },
      seen(),
      [],
    ],
    [
      'a delivery that ended otherwise',
      { lost: 1, oddities: ['dlv_1 ended FAILED, abandoned_too_often'] },
      { ...books, deliveries: [{ ...delivery, status: 'FAILED', reason: 'abandoned_too_often' }] },
      seen(),
      [],
    ],
    [
      'a success on record that the receiver knows nothing of',
      { lost: 1, oddities: ['dlv_1/1 is on record as a success that the receiver knows nothing of'] },
      books,
      [],
      [],
    ],
    ['a POST without its row', { unrecorded: 1, duplicatePosts: 1 }, books, [...seen(), ...seen({ attempt: 2 })], []],
    [
      'a POST cut off in its body, without its row',
      { unrecorded: 1 },
      books,
      [...seen(), ...seen({ attempt: 2 }).slice(0, 1)],
      [],
    ],
    [
      'other bytes on the second attempt',
      { differingBodies: 1, duplicatePosts: 1, attempts: 2 },
      { ...books, attempts: [attempt, { ...attempt, attempt_number: 2 }] },
      [...seen(), ...seen({ attempt: 2, sha256: 'bb' })],
      [],
    ],
    [
      'an end that the audit trail knows nothing of',
      { unaudited: 1 },
      { ...books, audited: [{ delivery_id: 'dlv_1', entries: 0, redelivered: false }] },
      seen(),
      [],
    ],
    [
      'an end that is audited twice',
      { oddities: ['dlv_1 has 2 audit entries about its end'] },
      { ...books, audited: [{ delivery_id: 'dlv_1', entries: 2, redelivered: false }] },
      seen(),
      [],
    ],
    ['another job’s body', { differingBodies: 1 }, books, seen({ jobId: 'job_9' }), []],
    [
      'two deliveries of one completion',
      { doubleDeliveries: 1, deliveries: 2, attempts: 2, duplicatePosts: 0 },
      {
        ...books,
        deliveries: [delivery, { ...delivery, id: 'dlv_2' }],
        attempts: [attempt, { ...attempt, delivery_id: 'dlv_2' }],
      },
      [...seen(), ...seen({ delivery: 'dlv_2' })],
      [],
    ],
    [
      'a retry spent on a failure of ours',
      { oddities: ['dlv_1 spent 1 retries on 0 failures'] },
      { ...books, deliveries: [{ ...delivery, retries_spent: 1 }] },
      seen(),
      [],
    ],
    [
      'an attempt that nobody closed',
      { oddities: ['dlv_1/2 is still open'], attempts: 2 },
      { ...books, attempts: [attempt, { ...attempt, attempt_number: 2, status: 'IN_FLIGHT' }] },
      seen(),
      [],
    ],
    [
      'one number for two POSTs',
      { oddities: ['dlv_1/1 was posted twice under one number'], duplicatePosts: 1 },
      books,
      [...seen(), ...seen()],
      [],
    ],
    [
      'a part that was never made',
      { lost: 1 },
      { ...inParts, deliveries: parts.slice(0, 1), attempts: attempts.slice(0, 1) },
      seenPart(1),
      [],
    ],
    [
      'a last part that came too early',
      { oddities: ['dlv_2 was sent before dlv_1 had arrived'], deliveries: 2, attempts: 2 },
      inParts,
      [...seenPart(2), ...seenPart(1)],
      [],
    ],
    ['a wrong signature', { oddities: ['dlv_1/1 has a wrong signature'] }, books, seen({ signed: false }), []],
    [
      'a signature of another time',
      { oddities: ['dlv_1/1 was signed 600 s off'] },
      books,
      seen({ clockOffS: 600 }),
      [],
    ],
  ])('finds %s', (_what, found, planted, ledger, accepted) => {
    expect(reckon(planted, ledger, accepted)).toEqual({ ...clean, ...found });
  });
});
