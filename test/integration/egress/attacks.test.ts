import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { classify } from '../../../src/data-sinks/domain/attempt-outcome.js';
import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { ATTACK_DEADLINES, ATTACKS } from '../../support/egress/attack-matrix.js';
import { loopbackClient, pushOf, streamedBody } from '../../support/egress/push-client-fixture.js';
import { ReceiverProcess } from '../../support/egress/receiver-process.js';
import { attackRows, documentSays } from '../../support/egress/security-document.js';

/** The machine may be busy; a deadline that does not work would be late by much more. */
const LATE_MS = 60_000;

describe('the exchange under attack', () => {
  let receiver: ReceiverProcess;
  let client: PushClient;
  const ended = new Set<string>();

  beforeAll(async () => {
    receiver = await ReceiverProcess.start();
  });
  afterAll(async () => {
    process.stdout.write(`attacks on the exchange: ${ATTACKS.length} tried, ${ended.size} ended as documented\n`);
    await receiver.stop();
  });
  beforeEach(() => {
    client = loopbackClient({ deadlines: ATTACK_DEADLINES });
  });
  afterEach(() => client.close());

  it.each(ATTACKS)('a receiver that $does ends with $ends: $by', async (attack) => {
    const startedAt = performance.now();
    const body = attack.uploadBytes ? streamedBody(attack.uploadBytes) : undefined;
    const exchange = await client.post(pushOf(receiver.url(attack.path), body));
    const tookMs = performance.now() - startedAt;

    const { result, answer } = exchange;
    const outcome = classify(result);
    expect({
      ends: result.kind === 'failed' ? result.errorCode : result.httpStatus,
      status: outcome.status,
      ending: answer?.ending,
    }).toEqual({ ends: attack.ends, status: attack.status, ending: attack.ending });
    expect(tookMs).toBeGreaterThanOrEqual((attack.afterMs ?? 0) - 5);
    expect(tookMs).toBeLessThan((attack.afterMs ?? 0) + LATE_MS);
    expect(answer?.excerpt.length ?? 0).toBeLessThanOrEqual(16_384);
    expect(answer?.excerpt ?? '').not.toContain('\u0000');
    ended.add(attack.path);

    // The connection is gone, or is only waiting for the next push.
    await client.close();
    await receiver.until(({ open }) => open === 0);
  });

  it('a connection on which the receiver sent more than announced is not reused', async () => {
    const before = (await receiver.state()).connections;
    await client.post(pushOf(receiver.url('/attack/content-length-too-short')));
    const next = await client.post(pushOf(receiver.url('/answer/status/200')));
    expect(next.answer).toMatchObject({ httpStatus: 200, excerpt: 'received 17' });
    expect((await receiver.state()).connections).toBe(before + 2);
  });

  it('a status outside 100-599 is not a success', async () => {
    const exchange = await client.post(pushOf(receiver.url('/attack/status-999')));
    expect(classify(exchange.result)).toMatchObject({ status: 'NETWORK_ERROR', errorCode: 'invalid_http_response' });
  });

  it('the documentation has this table (WRITE_DOCS=1 writes it)', () => {
    expect(ended.size).toBe(ATTACKS.length);
    expect(documentSays('attacks', attackRows(ATTACKS))).toBe(true);
  });
});

describe('one endpoint does not block another', () => {
  it('while 40 posts hang at one origin, 200 posts to another go through', async () => {
    const [dead, healthy] = [await ReceiverProcess.start(), await ReceiverProcess.start()];
    const client = loopbackClient();
    const controller = new AbortController();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    try {
      let settled = 0;
      const hanging = Array.from({ length: 40 }, () =>
        client
          .post(pushOf(dead.url('/attack/never-answers'), undefined, { signal: controller.signal }))
          .catch((error: unknown) => error)
          .finally(() => (settled += 1)),
      );
      await dead.until(({ seen }) => seen.length === 40);
      const posts = Array.from({ length: 200 }, () => client.post(pushOf(healthy.url('/answer/status/200'))));
      for (const { answer } of await Promise.all(posts)) expect(answer?.httpStatus).toBe(200);
      expect(settled).toBe(0);
      // Idle connections are kept up to the limit, the rest are closed.
      await healthy.until(({ open }) => open === 16);

      const reason = new Error('shutdown');
      controller.abort(reason);
      expect(await Promise.all(hanging)).toEqual(Array.from({ length: 40 }, () => reason));
      await dead.until(({ open }) => open === 0);
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', onWarning);
      await client.close();
      await Promise.all([dead.stop(), healthy.stop()]);
    }
  });
});
