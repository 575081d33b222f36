import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';

import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { EARLY_ANSWERS, EARLY_BODY_BYTES, EARLY_RUNS } from '../../support/egress/attack-matrix.js';
import { createAuthority } from '../../support/egress/certificates.js';
import { loopbackClient, pushOf, streamedBody } from '../../support/egress/push-client-fixture.js';
import { ReceiverProcess } from '../../support/egress/receiver-process.js';
import { documentSays, earlyAnswerRows } from '../../support/egress/security-document.js';

const authority = createAuthority('The authority of early answers');
const certificate = authority.issue({ name: 'receiver', hosts: ['127.0.0.1'] });

/** Whether the client waits for an early answer or takes the endpoint for one that reads large bodies. */
const WAYS = [
  { way: 'HTTP, waited for', scheme: 'http', earlyAnswerWaitMs: 50 },
  { way: 'HTTP, not waited for', scheme: 'http', earlyAnswerWaitMs: 0 },
  { way: 'HTTPS, waited for', scheme: 'https', earlyAnswerWaitMs: 50 },
  { way: 'HTTPS, not waited for', scheme: 'https', earlyAnswerWaitMs: 0 },
] as const;

const MATRIX = Object.entries(EARLY_ANSWERS).flatMap(([name, does]) =>
  [401, 413].map((status) => ({ name, does, status })),
);

/** Of each row of the matrix. */
const RUNS = WAYS.length * EARLY_RUNS;

describe('large bodies', () => {
  let receiver: ReceiverProcess;
  let client: PushClient;
  let secure: ReceiverProcess;
  const right = new Map<string, number>();

  beforeAll(async () => {
    receiver = await ReceiverProcess.start();
    secure = await ReceiverProcess.start({ tls: certificate });
  });
  afterAll(async () => {
    const seen = [...right.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(`early answers: right status seen in ${seen} of ${MATRIX.length * RUNS} runs\n`);
    await Promise.all([receiver.stop(), secure.stop()]);
  });
  beforeEach(() => {
    client = loopbackClient();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await client.close();
  });

  describe.each(WAYS)('over $way', ({ scheme, earlyAnswerWaitMs }) => {
    it.each(MATRIX)('a receiver that $does: its $status is seen in every run', async ({ name, status }) => {
      client = loopbackClient({ earlyAnswerWaitMs, ca: [authority.cert] });
      const at = scheme === 'https' ? secure : receiver;
      const url = at.url(`/early/${name}/${status}`, '127.0.0.1', scheme);
      const statuses: unknown[] = [];
      for (let run = 0; run < EARLY_RUNS; run++) {
        const { result, answer } = await client.post(pushOf(url, streamedBody(EARLY_BODY_BYTES)));
        statuses.push(result.kind === 'answered' ? `${result.httpStatus} ${answer?.excerpt}` : result.errorCode);
      }
      const seen = statuses.filter((found) => found === `${status} refuse`).length;
      right.set(`${name} ${status}`, (right.get(`${name} ${status}`) ?? 0) + seen);
      expect(statuses).toEqual(Array.from({ length: EARLY_RUNS }, () => `${status} refuse`));
    });
  });

  it('the next one is sent without a wait to an endpoint that accepted the last, until it refuses one', async () => {
    const waitMs = 4_321;
    const real = globalThis.setTimeout;
    const timers = jest
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((work: () => void, ms: number) => real(work, ms === waitMs ? 1 : ms)) as never);
    client = loopbackClient({ earlyAnswerWaitMs: waitMs });
    const url = receiver.url('/early/takes-only-the-first/413');
    const post = async (bytes: number) => {
      const { result } = await client.post(pushOf(url, streamedBody(bytes)));
      const waits = timers.mock.calls.filter(([, ms]) => ms === waitMs).length;
      return [result.kind === 'answered' && result.httpStatus, waits];
    };
    expect(await post(EARLY_BODY_BYTES)).toEqual([200, 1]);
    expect(await post(EARLY_BODY_BYTES)).toEqual([413, 1]);
    expect(await post(EARLY_BODY_BYTES)).toEqual([413, 2]);
    expect(await post(1_000)).toEqual([413, 2]);
  });

  it.each(['aborts-after-64-kb', 'ends-after-64-kb'])(
    'a receiver that %s without an answer is upload_aborted_by_peer',
    async (name) => {
      for (let run = 0; run < EARLY_RUNS; run++) {
        const { result, answer } = await client.post(
          pushOf(receiver.url(`/early/${name}`), streamedBody(EARLY_BODY_BYTES)),
        );
        expect([result, answer]).toEqual([{ kind: 'failed', errorCode: 'upload_aborted_by_peer' }, null]);
      }
    },
  );

  it('an early refusal stops the upload: almost nothing of 31 MB is sent', async () => {
    let taken = 0;
    const whole = streamedBody(EARLY_BODY_BYTES);
    const body = {
      bytes: EARLY_BODY_BYTES,
      whole: null,
      async *open() {
        for await (const chunk of whole.open()) {
          taken += chunk.byteLength;
          yield chunk;
        }
      },
    };
    const { answer } = await client.post(pushOf(receiver.url('/early/keeps-open-unread/413'), body));
    expect(answer?.httpStatus).toBe(413);
    expect(taken).toBeLessThanOrEqual(200_000);
  });

  it.each([
    ['keeps-open-unread', 'deadline'],
    ['destroys-at-once', 'cut'],
  ])('a 200 from a receiver that stops reading and %s is kept', async (name, ending) => {
    client = loopbackClient({ deadlines: { uploadIdleMs: 300 } });
    const { result, answer } = await client.post(
      pushOf(receiver.url(`/early/${name}/200`), streamedBody(EARLY_BODY_BYTES)),
    );
    expect([result.kind, answer?.httpStatus, answer?.ending]).toEqual(['answered', 200, ending]);
  });

  it('a slow but healthy upload may take longer than any single deadline', async () => {
    const deadlines = { uploadIdleMs: 500, responseHeadersMs: 1_500, responseBodyMs: 300 };
    client = loopbackClient({ deadlines });
    const { result, timings } = await client.post(pushOf(receiver.url('/answer/slow/200'), streamedBody(40_000_000)));
    expect(result).toMatchObject({ kind: 'answered', httpStatus: 200 });
    expect(timings.totalMs).toBeGreaterThan(1_500);
  });

  it('the documentation has this table (WRITE_DOCS=1 writes it)', () => {
    const rows = earlyAnswerRows((name, status) => `${right.get(`${name} ${status}`) ?? 0} of ${RUNS}`);
    expect(documentSays('early-answers', rows)).toBe(true);
  });
});
