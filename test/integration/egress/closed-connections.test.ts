import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { PushClient, PushClientOptions, PushExchange } from '../../../src/data-sinks/egress/index.js';
import { createAuthority } from '../../support/egress/certificates.js';
import { ClosingReceiver } from '../../support/egress/closing-receiver-process.js';
import { loopbackClient, pushOf, streamedBody, wholeBody } from '../../support/egress/push-client-fixture.js';

const ours = createAuthority('Authority of these tests');

/** No idle connection grows too old between two posts, however busy the machine is. */
const KEPT = { keepAliveMs: 600_000 };

const codeOf = ({ result }: PushExchange) => (result.kind === 'failed' ? result.errorCode : result.httpStatus);

describe.each([
  ['plain', null],
  ['TLS', ours.issue({ name: '127.0.0.1', hosts: ['127.0.0.1'] })],
])('a receiver that closes its connections, over %s', (_name, certificate) => {
  let receiver: ClosingReceiver;
  beforeAll(async () => {
    receiver = await ClosingReceiver.start(certificate);
  });
  afterAll(() => receiver.stop());

  /** A client that knows nothing of the receiver yet. */
  async function withClient(work: (client: PushClient) => Promise<void>, options: Partial<PushClientOptions> = KEPT) {
    const client = loopbackClient({ ...(certificate && { ca: [ours.cert] }), ...options });
    try {
      await work(client);
    } finally {
      await client.close();
    }
  }

  const bodies = [
    ['small', wholeBody('{"hello":"world"}')],
    ['large', streamedBody(300_000)],
  ] as const;

  describe.each(bodies)('with a %s body', (size, body) => {
    const url = (habit: string): string => receiver.url(`${habit}?${size}`);

    it.each(['announces-and-closes', 'announces-and-leaves-it-to-us', 'speaks-http-1.0', 'announces-one-second'])(
      'one that %s gets a fresh connection each time',
      async (habit) => {
        await withClient(async (client) => {
          for (let i = 0; i < 5; i++) expect(codeOf(await client.post(pushOf(url(habit), body)))).toBe(200);
        });
        const seen = await receiver.seenAt(`${habit}?${size}`);
        expect(seen.map(({ onConnection }) => onConnection)).toEqual([1, 1, 1, 1, 1]);
      },
    );

    it('a receiver that keeps its connection gets every request on it', async () => {
      await withClient(async (client) => {
        for (let i = 0; i < 5; i++) expect(codeOf(await client.post(pushOf(url('keeps'), body)))).toBe(200);
      });
      const seen = await receiver.seenAt(`keeps?${size}`);
      expect(seen.map(({ onConnection }) => onConnection)).toEqual([1, 2, 3, 4, 5]);
    });

    it.each([
      'closes-unannounced',
      'closes-after-25-ms-idle',
      'ends-while-idle',
      'resets-while-idle',
      'half-closes',
      'cuts-the-next',
    ])('a receiver that %s never fails a request that is repeated on a new connection', async (habit) => {
      await withClient(async (client) => {
        for (let i = 0; i < 10; i++) {
          const first = codeOf(await client.post(pushOf(url(habit), body)));
          if (first === 200) continue;
          expect(first).toBe('stale_connection');
          expect(codeOf(await client.post(pushOf(url(habit), body, { freshConnection: true })))).toBe(200);
        }
      });
      const answered = (await receiver.seenAt(`${habit}?${size}`)).filter((one) => one.answered);
      expect(answered).toHaveLength(10);
    });

    it('a reused connection that is closed is stale, and no other is reused for now', async () => {
      const habit = `cuts-the-next?${size}&once`;
      await withClient(async (client) => {
        const outcomes: unknown[] = [];
        for (let i = 0; i < 6; i++) outcomes.push(codeOf(await client.post(pushOf(receiver.url(habit), body))));
        expect(outcomes).toEqual([200, 'stale_connection', 200, 200, 200, 200]);
      });
      const seen = await receiver.seenAt(habit);
      expect(seen.map(({ onConnection }) => onConnection)).toEqual([1, 2, 1, 1, 1, 1]);
    });

    it.each([
      ['cut when it is fresh', 'cuts-all-but-the-first', true],
      ['cut within the head of an answer', 'begins-the-next-answer-and-cuts', false],
      ['cut after an interim answer', 'says-continue-and-cuts-the-next', false],
    ])('a connection that is %s counts as the receiver’s failure', async (_what, habit, freshConnection) => {
      await withClient(async (client) => {
        expect(codeOf(await client.post(pushOf(url(habit), body)))).toBe(200);
        const code = codeOf(await client.post(pushOf(url(habit), body, { freshConnection })));
        expect(['connection_reset', 'upload_aborted_by_peer']).toContain(code);
      });
    });

    it('silence on a reused connection is a timeout', async () => {
      const habit = 'is-silent-from-the-next-on';
      await withClient(
        async (client) => {
          expect(codeOf(await client.post(pushOf(url(habit), body)))).toBe(200);
          expect(codeOf(await client.post(pushOf(url(habit), body)))).toBe('response_timeout');
        },
        { ...KEPT, deadlines: { responseHeadersMs: 300 } },
      );
    });
  });

  it('a stale attempt tells the operator how long its connection was idle', async () => {
    await withClient(async (client) => {
      const url = receiver.url('cuts-the-next?detail');
      await client.post(pushOf(url));
      const { operatorDetail, answer, remoteAddress, timings } = await client.post(pushOf(url));
      expect(operatorDetail).toMatch(/^idle for \d+ ms before: /);
      expect({ answer, remoteAddress, connectMs: timings.connectMs }).toEqual({
        ...{ answer: null, remoteAddress: '127.0.0.1', connectMs: null },
      });
    });
  });
});
