import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { EARLY_ANSWERS, EARLY_BODY_BYTES, EARLY_RUNS } from '../../support/egress/attack-matrix.js';
import { loopbackClient, pushOf, streamedBody } from '../../support/egress/push-client-fixture.js';
import { ReceiverProcess } from '../../support/egress/receiver-process.js';
import { documentSays, earlyAnswerRows } from '../../support/egress/security-document.js';

const MATRIX = Object.entries(EARLY_ANSWERS).flatMap(([name, does]) =>
  [401, 413].map((status) => ({ name, does, status })),
);

describe('large bodies', () => {
  let receiver: ReceiverProcess;
  let client: PushClient;
  const right = new Map<string, number>();

  beforeAll(async () => {
    receiver = await ReceiverProcess.start();
  });
  afterAll(async () => {
    const seen = [...right.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(`early answers: right status seen in ${seen} of ${MATRIX.length * EARLY_RUNS} runs\n`);
    await receiver.stop();
  });
  beforeEach(() => {
    client = loopbackClient();
  });
  afterEach(() => client.close());

  it.each(MATRIX)('a receiver that $does: its $status is seen in every run', async ({ name, status }) => {
    const statuses: unknown[] = [];
    for (let run = 0; run < EARLY_RUNS; run++) {
      const { result, answer } = await client.post(
        pushOf(receiver.url(`/early/${name}/${status}`), streamedBody(EARLY_BODY_BYTES)),
      );
      statuses.push(result.kind === 'answered' ? `${result.httpStatus} ${answer?.excerpt}` : result.errorCode);
    }
    right.set(`${name} ${status}`, statuses.filter((seen) => seen === `${status} refuse`).length);
    expect(statuses).toEqual(Array.from({ length: EARLY_RUNS }, () => `${status} refuse`));
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

  it('an early refusal stops the upload: hardly anything of 31 MB is sent', async () => {
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
  ])('a receiver that says 200, does not read on and %s has said 200', async (name, ending) => {
    client = loopbackClient({ deadlines: { uploadIdleMs: 300 } });
    const { result, answer } = await client.post(
      pushOf(receiver.url(`/early/${name}/200`), streamedBody(EARLY_BODY_BYTES)),
    );
    expect([result.kind, answer?.httpStatus, answer?.ending]).toEqual(['answered', 200, ending]);
  });

  it('a slow but healthy upload may take longer than any one deadline', async () => {
    const deadlines = { uploadIdleMs: 500, responseHeadersMs: 1_500, responseBodyMs: 300 };
    client = loopbackClient({ deadlines });
    const { result, timings } = await client.post(pushOf(receiver.url('/answer/slow/200'), streamedBody(40_000_000)));
    expect(result).toMatchObject({ kind: 'answered', httpStatus: 200 });
    expect(timings.totalMs).toBeGreaterThan(1_500);
  });

  it('the documentation has this table (WRITE_DOCS=1 writes it)', () => {
    const rows = earlyAnswerRows((name, status) => `${right.get(`${name} ${status}`) ?? 0} of ${EARLY_RUNS}`);
    expect(documentSays('early-answers', rows)).toBe(true);
  });
});
