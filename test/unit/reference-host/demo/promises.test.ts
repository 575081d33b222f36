import { describe, expect, it } from '@jest/globals';
import type { DeliverySeen } from '../../../../src/reference-host/demo/platform-client.js';
import { type Received, verifyPromises } from '../../../../src/reference-host/demo/promises.js';
import { Terminal } from '../../../../src/reference-host/demo/terminal.js';

const SHA = 'ab'.repeat(32);

const DELIVERY: DeliverySeen = {
  id: 'dlv_1',
  status: 'DELIVERED',
  reason: null,
  nextAttemptAt: null,
  payload: { sha256: SHA, bytes: 10, rows: 12_000 },
  attempts: [
    { attemptNumber: 2, status: 'SUCCEEDED', httpStatus: 200, startedAt: at(5_300), finishedAt: at(5_400) },
    { attemptNumber: 1, status: 'HTTP_5XX', httpStatus: 503, startedAt: at(0), finishedAt: at(100) },
  ],
};
const FIRST: Received = {
  event: 'received',
  test: false,
  deliveryId: 'dlv_1',
  attempt: 1,
  bytes: 10,
  sha256: SHA,
  signatureValid: true,
  rows: 12_000,
  matched: 11_540,
  answered: 503,
};
const SECOND: Received = { ...FIRST, attempt: 2, answered: 200 };
const [SUCCESS, FAILURE] = DELIVERY.attempts as [DeliverySeen['attempts'][0], DeliverySeen['attempts'][0]];

describe('the demo’s proof', () => {
  it('ends with one line that says what was proved', () => {
    expect(play(DELIVERY, [FIRST, SECOND])).toMatch(
      /\nProved: both attempts sent the same 10 bytes \(SHA-256 abababababababab…\), .* 12,000 rows, 11,540 of them matched\.\n$/,
    );
  });

  it.each<[string, DeliverySeen, readonly [Received, Received], RegExp]>([
    ['the delivery failed', { ...DELIVERY, status: 'FAILED', reason: 'retries_exhausted' }, [FIRST, SECOND], /FAILED/],
    ['there is one attempt', { ...DELIVERY, attempts: [SUCCESS] }, [FIRST, SECOND], /1 attempts on record/],
    [
      'the first was not 503',
      { ...DELIVERY, attempts: [SUCCESS, { ...FAILURE, httpStatus: 500 }] },
      [FIRST, SECOND],
      /503/,
    ],
    [
      'it came too soon',
      { ...DELIVERY, attempts: [{ ...SUCCESS, startedAt: at(5_000) }, FAILURE] },
      [FIRST, SECOND],
      /wait was 4900 ms/,
    ],
    [
      'it came too late',
      { ...DELIVERY, attempts: [{ ...SUCCESS, startedAt: at(9_000) }, FAILURE] },
      [FIRST, SECOND],
      /wait was 8900 ms/,
    ],
    ['a signature was wrong', DELIVERY, [FIRST, { ...SECOND, signatureValid: false }], /could not verify/],
    ['the id changed', DELIVERY, [FIRST, { ...SECOND, deliveryId: 'dlv_2' }], /not the same twice/],
    ['the bytes changed', DELIVERY, [FIRST, { ...SECOND, sha256: 'cd' }], /different bytes/],
    ['the record is of other bytes', { ...DELIVERY, payload: null }, [FIRST, SECOND], /not those on record/],
    ['rows are missing', DELIVERY, [FIRST, { ...SECOND, rows: 11_999 }], /counted 11540 of 11999/],
  ])('fails when %s', (_, delivery, received, reason) => {
    expect(() => play(delivery, received)).toThrow(reason);
  });
});

function play(delivery: DeliverySeen, received: readonly [Received, Received]): string {
  let text = '';
  const write = (part: string | Uint8Array): boolean => {
    text += String(part);
    return true;
  };
  verifyPromises(new Terminal({ isTTY: false, write } as NodeJS.WriteStream, () => 0), delivery, received);
  return text;
}

function at(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
