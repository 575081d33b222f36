import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import type { MappingResultRow } from '../../../src/receiver/index.js';
import { PayloadReader, PushVerifierStream } from '../../../src/receiver/index.js';
import { signedBody } from './pushed-body.js';
import { DELIVERY_ID, NOW, OTHER_SECRET, PAYLOAD, SECRET, signedPush } from './signed-push.js';

const { body, headers } = signedPush(JSON.stringify(PAYLOAD));
const pieces = (bytes: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));

async function passThrough(stream: PushVerifierStream, bytes: Buffer): Promise<Buffer> {
  const out: Buffer[] = [];
  await pipeline(Readable.from(pieces(bytes)), stream, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) out.push(chunk);
  });
  return Buffer.concat(out);
}

describe('a body verified as a stream', () => {
  it('passes unchanged, and is verified at its end', async () => {
    const stream = new PushVerifierStream({ headers, secret: SECRET, now: NOW });
    expect(stream.proof).toBeNull();
    expect(await passThrough(stream, body)).toEqual(body);
    expect(stream.proof?.deliveryId).toBe(DELIVERY_ID);
  });

  it.each(['JSON', 'JSONL', 'CSV'])('is proved and read in one go when it came compressed, in %s', async (format) => {
    const push = signedBody(`${format};gzip`, PAYLOAD.results);
    const stream = new PushVerifierStream({ headers: push.headers, secret: SECRET, now: NOW });
    const rows: MappingResultRow[] = [];
    await pipeline(Readable.from(pieces(push.body)), stream, async (bytes: AsyncIterable<Buffer>) => {
      for await (const row of new PayloadReader(bytes, { headers: push.headers })) rows.push(row);
    });
    expect(rows).toEqual(PAYLOAD.results);
    expect(stream.proof?.deliveryId).toBe(DELIVERY_ID);
  });

  it('is read to its end and refused if it is compressed and signed with another secret', async () => {
    const push = signedBody('CSV;gzip', PAYLOAD.results);
    const stream = new PushVerifierStream({ headers: push.headers, secret: OTHER_SECRET, now: NOW });
    const read = pipeline(Readable.from(pieces(push.body)), stream, async (bytes: AsyncIterable<Buffer>) => {
      for await (const row of new PayloadReader(bytes, { headers: push.headers }))
        expect(row).toHaveProperty('partnerRowId');
    });
    await expect(read).rejects.toMatchObject({ code: 'wrong_secret' });
    expect(stream.proof).toBeNull();
  });

  it('fails at its end if a byte was changed', async () => {
    const stream = new PushVerifierStream({ headers, secret: SECRET, now: NOW });
    const changed = Buffer.from(body.toString('utf8').replace('STANDARD', 'STANDARE'));
    await expect(passThrough(stream, changed)).rejects.toMatchObject({ code: 'body_altered' });
    expect(stream.proof).toBeNull();
  });

  it('fails before its first byte if the headers are invalid', () => {
    expect(() => new PushVerifierStream({ headers: {}, secret: SECRET })).toThrow(
      expect.objectContaining({ code: 'missing_header' }),
    );
  });

  it.each([
    ['gives rows and facts in one pass', body, null],
    [
      'rejects and gives no facts when a byte was changed',
      Buffer.from(body.toString('utf8').replace('STANDARD', 'STANDARE')),
      'body_altered',
    ],
  ])('read by a PayloadReader %s', async (_name, bytes, code) => {
    const stream = new PushVerifierStream({ headers, secret: SECRET, now: NOW });
    const rows: MappingResultRow[] = [];
    const facts: string[] = [];
    const reading = pipeline(Readable.from(pieces(bytes)), stream, async (source: AsyncIterable<Buffer>) => {
      const reader = new PayloadReader(source);
      for await (const batch of reader.batches()) rows.push(...batch);
      facts.push(reader.facts.jobId);
    });
    await (code === null ? reading : expect(reading).rejects.toMatchObject({ code }));
    if (code === null) expect(rows).toEqual(PAYLOAD.results);
    expect(facts).toEqual(code === null ? [PAYLOAD.jobId] : []);
  });
});
