import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/platform/api-client.js';
import { expectStatus, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();

const made = async (): Promise<Sink> =>
  (await (await platform().customer()).agent()).sink(await platform().receiver.endpoint());

const tagOf = (answer: Answer): string => answer.headers.get('etag') ?? '';

const read = async (sink: Sink): Promise<Answer> => sink.api.get(sink.path);

type Change = 'change' | 'rotate' | 'delete';

function ask(sink: Sink, change: Change, ifMatch: string | null, body: unknown = undefined): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json', ...(ifMatch !== null && { 'If-Match': ifMatch }) };
  if (change === 'delete') return sink.api.raw('DELETE', sink.path, { headers });
  if (change === 'rotate') {
    return sink.api.raw('POST', `${sink.path}/secret`, { headers, body: JSON.stringify(body ?? {}) });
  }
  return sink.api.raw('PATCH', sink.path, { headers, body: JSON.stringify(body ?? { name: 'Another name' }) });
}

const expectRefusal = (answer: Answer): void =>
  expect(expectStatus(answer, 412)).toMatchObject({
    type: 'https://mapping.travel/errors/precondition-failed',
    detail: expect.stringContaining('ETag'),
  });

describe('the ETag of a data source', () => {
  it('is not made a weak one by gateways that compress: its answer says so, and so does the refusal of a weak tag', async () => {
    const sink = await made();
    const answer = await read(sink);
    expect(answer.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(expectStatus(await ask(sink, 'change', `W/${tagOf(answer)}`), 412)).toMatchObject({
      detail: expect.stringContaining('W/ never matches'),
    });
  });

  it('is in every answer with one, and changes with its settings, its secret and its status', async () => {
    const sink = await made();
    const seen = [tagOf(await read(sink))];
    const changes: (() => Promise<Answer>)[] = [
      () => ask(sink, 'change', null),
      () => ask(sink, 'rotate', null),
      () => ask(sink, 'change', null, { status: 'INACTIVE' }),
    ];
    for (const change of changes) {
      const answer = await change();
      expectStatus(answer, 200);
      expect(tagOf(answer)).toBe(tagOf(await read(sink)));
      seen.push(tagOf(answer));
    }
    expect(seen.every((tag) => /^"[^"]+"$/.test(tag))).toBe(true);
    expect(new Set(seen).size).toBe(4);
    const again = await sink.agent.sink(await platform().receiver.endpoint());
    expect(tagOf(await read(again))).toBe(seen[0]);
  });

  it('changes when the module disables the data source', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint([{ kind: 'answer', status: 410 }]));
    const before = tagOf(await read(sink));
    await sink.settledPush();
    await until(async () => (await read(sink)).body.status === 'DISABLED', 'it is disabled');
    expectRefusal(await ask(sink, 'change', before));
  });

  it('stays as it is while nothing changes, by a Test and a push too', async () => {
    const sink = await made();
    const before = tagOf(await read(sink));
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    await sink.settledPush();
    expect(tagOf(await read(sink))).toBe(before);
  });
});

describe('If-Match', () => {
  it.each<Change>(['change', 'rotate', 'delete'])('with the ETag that it has: %s is done', async (change) => {
    const sink = await made();
    const answer = await ask(sink, change, tagOf(await read(sink)));
    expectStatus(answer, change === 'delete' ? 204 : 200);
  });

  it.each<Change>(['change', 'rotate', 'delete'])('with an ETag that it had: %s is refused', async (change) => {
    const sink = await made();
    const stale = tagOf(await read(sink));
    expectStatus(await ask(sink, 'change', null, { name: 'By somebody else' }), 200);
    const before = await read(sink);
    for (const ifMatch of [
      stale,
      `"1", ${stale}`,
      `W/${tagOf(before)}`,
      tagOf(before).replaceAll('"', ''),
      'nonsense',
      '',
    ]) {
      expectRefusal(await ask(sink, change, ifMatch));
    }
    const after = await read(sink);
    expect([after.body, tagOf(after)]).toEqual([before.body, tagOf(before)]);
  });

  it.each(['*', 'one of several'])('with %s that it has, it is done', async (which) => {
    const sink = await made();
    const tag = tagOf(await read(sink));
    expectStatus(await ask(sink, 'change', which === '*' ? '*' : `"0-ACTIVE",${tag}`), 200);
  });

  it('of several with the same ETag at the same moment, one is done and the others are refused', async () => {
    const sink = await made();
    const tag = tagOf(await read(sink));
    const names = Array.from({ length: 6 }, (_, i) => `name ${i}`);
    const answers = await Promise.all(names.map((name) => ask(sink, 'change', tag, { name })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
    const won = names[answers.findIndex(({ status }) => status === 200)];
    expect((await read(sink)).body).toMatchObject({ name: won, configVersion: 2 });
  });

  it('left out, changes at the same moment are all made, one after the other, or refused after three tries', async () => {
    const sink = await made();
    const answers = await Promise.all(['a', 'b', 'c'].map((name) => ask(sink, 'change', null, { name })));
    const done = answers.filter(({ status }) => status === 200).length;
    expect(answers.every(({ status }) => [200, 409].includes(status))).toBe(true);
    expect((await read(sink)).body.configVersion).toBe(1 + done);
  });

  it('of a data source that does not exist is 404', async () => {
    const sink = await made();
    const tag = tagOf(await read(sink));
    expectStatus(await ask(sink, 'delete', tag), 204);
    for (const change of ['change', 'rotate', 'delete'] as const) expectStatus(await ask(sink, change, tag), 404);
  });
});
