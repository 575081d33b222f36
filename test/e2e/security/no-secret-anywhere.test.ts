import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Body } from '../../support/platform/api-client.js';
import { resultRows, sinkBody } from '../../support/platform/customer.js';
import { Receiver, type ReceiverStep } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';
import { HostProcess } from './host-process.js';
import { formsOf, secretsIn } from './secret-marks.js';

const LIMIT_MS = 180_000;
jest.setTimeout(LIMIT_MS);

const SECRETS = new Map([
  ['HMAC', 'MaRkEd+hmac/secret=%of&32~bytes&more'],
  ['HMAC, replaced', 'MaRkEd+hmac/replaced=%secret&of~32b'],
  ['HMAC, rotated', 'MaRkEd+hmac/rotated=%secret&of~32by'],
  ['Bearer', 'MaRkEd+bearer/token=%0a&visible~ascii'],
  ['Bearer, replaced', 'MaRkEd+bearer/replaced=%0a&visible~x'],
  ['Bearer, rotated', 'MaRkEd+bearer/rotated=%0a&visible~xy'],
  ['Basic, password', 'MaRkEd+basic/password=%of&a~user'],
  ['Basic, user:password', 'MaRkEdUser:MaRkEd+pair/of=%user&password'],
  ['refused', 'MaRkEd+refused/secret=%in&wrong~places'],
]);
const secret = (name: string): string => SECRETS.get(name) ?? '';

interface Heard {
  readonly call: string;
  readonly status: number;
  readonly body: Body;
  /** Head and body. */
  readonly text: string;
}

let host: HostProcess;
let receiver: Receiver;
let token: string;
/** Of all tests. */
const tokens: string[] = [];
const heard: Heard[] = [];

async function call(method: string, path: string, body?: unknown, raw?: string): Promise<Heard> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${host.origin}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(sent !== undefined && { body: sent }),
  });
  const text = await response.text();
  const json = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
  const head = JSON.stringify([...response.headers]);
  const answer = {
    call: `${method} ${path}`,
    status: response.status,
    body: json ? (JSON.parse(text) as Body) : null,
    text: head + text,
  };
  heard.push(answer);
  return answer;
}

async function expecting(status: number, answer: Promise<Heard>): Promise<Body> {
  const { status: found, body, call: made, text } = await answer;
  if (found !== status) throw new Error(`${made}: expected ${status}, got ${found}: ${text}`);
  return body;
}

interface Made {
  readonly agent: string;
  readonly sink: string;
  readonly value: string;
}

async function activeAgent(): Promise<string> {
  const { id } = await expecting(201, call('POST', 'agents', { name: 'Marked' }));
  const rules = { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 1 } };
  await expecting(201, call('POST', `agents/${id}/rule-sets`, rules));
  await expecting(200, call('POST', `agents/${id}/activate`));
  return `agents/${id}`;
}

async function makeSink(url: string, authScheme: string, value?: string, username?: string): Promise<Made> {
  const agent = await activeAgent();
  const config = { url, authScheme, ...(username !== undefined && { username }) };
  const body = sinkBody(url, { config, ...(value !== undefined && { secret: { value } }) });
  const made = await expecting(201, call('POST', `${agent}/data-sources`, body));
  return { agent, sink: `${agent}/data-sources/${made.id as string}`, value: value ?? made.secret.value };
}

/** Finishes a job and waits for the end of its delivery, looking at everything that can be seen of it meanwhile. */
async function push({ agent, sink }: Made): Promise<Body> {
  const { jobId } = await expecting(201, call('POST', `${agent}/mapping-jobs`, { results: resultRows(3) }));
  const { items } = await expecting(200, call('GET', `${sink}/deliveries?jobId=${jobId as string}`));
  return settled(items[0].id as string);
}

async function settled(id: string): Promise<Body> {
  await until(
    async () => {
      // Due now, in the place of waiting for its time.
      const [, updated] = await host.database.query<[unknown, number]>(
        'UPDATE agent_data_source_delivery SET next_attempt_at = now() WHERE id = $1 AND next_attempt_at > now()',
        [id],
      );
      // As seen between two attempts.
      if (updated > 0) await expecting(200, call('GET', `deliveries/${id}`));
      const [row] = await host.database.query<{ settled: boolean }[]>(
        'SELECT settled_at IS NOT NULL AS settled FROM agent_data_source_delivery WHERE id = $1',
        [id],
      );
      return row?.settled;
    },
    `the delivery ${id} is settled`,
    30_000,
  );
  return expecting(200, call('GET', `deliveries/${id}`));
}

/** What a receiver under development answers: the request's credential, in all the forms in which it has it. */
function echo(name: string): ReceiverStep {
  if (name === 'HMAC') return { kind: 'answer', status: 400, body: 'there is no credential in the request' };
  const value = secret(name);
  const authorization = name === 'Bearer' ? `Bearer ${value}` : `Basic ${Buffer.from(value).toString('base64')}`;
  const seen = { authorization, value, password: value.split(':').at(-1), query: encodeURIComponent(value) };
  const body = JSON.stringify(seen) + JSON.stringify(seen).replaceAll('/', '\\/');
  return { kind: 'answer', status: 400, body, headers: { 'X-Echo': authorization } };
}

/** All that may be found nowhere. */
function allMarks(): Map<string, string> {
  const vaultKey = host.services.vaultKeys.split(':')[1] ?? '';
  return new Map([...SECRETS, ['vault key', vaultKey], ...tokens.map((each, i) => [`token ${i}`, each] as const)]);
}

const endpoint = async (...steps: readonly ReceiverStep[]): Promise<string> =>
  (await receiver.endpoint(steps.length > 0 ? steps : [{ kind: 'answer' }])).url;

beforeAll(async () => {
  [host, receiver] = [await HostProcess.start(), await Receiver.start()];
}, LIMIT_MS);
// A workspace has so many Tests a minute.
beforeEach(async () => {
  token = await host.token();
  tokens.push(token);
});

afterAll(async () => {
  await receiver?.stop();
  await host?.remove();
}, LIMIT_MS);

describe('a marked secret', () => {
  it.each([
    ['HMAC', 'HmacSha256', undefined, 'HMAC, replaced', 'HMAC, rotated'],
    ['Bearer', 'Bearer', undefined, 'Bearer, replaced', 'Bearer, rotated'],
    ['Basic, password', 'Basic', 'a-user', undefined, undefined],
    ['Basic, user:password', 'Basic', undefined, undefined, undefined],
    ['generated', 'HmacSha256', undefined, undefined, 'generated by a rotation'],
  ])(
    '(%s) is used in every step of the contract’s story',
    async (name, authScheme, username, replacement, rotation) => {
      const target = await receiver.endpoint([{ kind: 'answer', status: 500, body: 'no' }, { kind: 'answer' }]);
      const made = await makeSink(target.url, authScheme, SECRETS.get(name), username);
      SECRETS.set(name, made.value);
      expect((await push(made)).status).toBe('DELIVERED');
      await expecting(200, call('POST', `${made.sink}/test`));
      await expecting(200, call('GET', made.sink));
      await expecting(200, call('GET', `${made.agent}/data-sources`));
      await expecting(200, call('GET', `${made.sink}/syncs`));
      if (replacement !== undefined) {
        await expecting(200, call('PATCH', made.sink, { name: 'Renamed', secret: { value: secret(replacement) } }));
        expect((await push(made)).status).toBe('DELIVERED');
      }
      if (rotation !== undefined) {
        const given = SECRETS.get(rotation);
        const rotated = await expecting(
          200,
          call('POST', `${made.sink}/secret`, given === undefined ? {} : { value: given }),
        );
        SECRETS.set(rotation, given ?? (rotated.secret.value as string));
        expect((await push(made)).status).toBe('DELIVERED');
        await expecting(200, call('GET', made.sink));
      }
      // It was used: the search below is not for something that was never there.
      const [first] = target.requests;
      const sent = {
        Bearer: `Bearer ${made.value}`,
        Basic: `Basic ${Buffer.from(username ? `${username}:${made.value}` : made.value).toString('base64')}`,
      };
      if (authScheme in sent) expect(first?.headers['authorization']).toBe(sent[authScheme as keyof typeof sent]);
      else expect(first?.headers['x-mt-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
    },
  );

  it.each<readonly [string, (name: string) => Promise<string>]>([
    ['shows what it was sent', (name) => endpoint(echo(name))],
    ['answers 401', () => endpoint({ kind: 'answer', status: 401, body: 'who are you?' })],
    [
      'redirects',
      () => endpoint({ kind: 'answer', status: 302, headers: { Location: 'https://elsewhere.example.com/' } }),
    ],
    ['resets', () => endpoint({ kind: 'reset' })],
    ['speaks no HTTP', () => endpoint({ kind: 'garbage' })],
    ['does not listen', async () => 'http://127.0.0.1:1/'],
    ['speaks no TLS', async () => `https://127.0.0.1:${receiver.port}/`],
  ])('is sent to a receiver that %s', async (_how, url) => {
    for (const [name, scheme] of [
      ['Bearer', 'Bearer'],
      ['Basic, user:password', 'Basic'],
      ['HMAC', 'HmacSha256'],
    ] as const) {
      const made = await makeSink(await url(name), scheme, secret(name));
      expect((await push(made)).status).toBe('FAILED');
      await expecting(200, call('POST', `${made.sink}/test`));
      await expecting(204, call('DELETE', made.sink));
    }
  });

  it('is sent in wrong places of requests that are refused', async () => {
    const value = secret('refused');
    const made = await makeSink(await endpoint(), 'HmacSha256', secret('HMAC'));
    const good = sinkBody('https://127.0.0.1/');
    const config = { url: 'https://127.0.0.1/', authScheme: 'HmacSha256' };
    const bad: unknown[] = [
      ...['role', 'type', 'format', 'secret', 'config'].map((field) => ({ ...good, [field]: value })),
      ...['authScheme', 'username', 'customHeaders', 'retryableStatuses', 'url'].map((field) => ({
        ...good,
        config: { ...config, [field]: value },
      })),
      { ...good, config: { ...config, url: `https://user:${encodeURIComponent(value)}@acme.com/` } },
      { ...good, config: { ...config, url: `https://acme.com/#${value}` } },
      { ...good, config: { ...config, customHeaders: [{ name: 'Authorization', value }] } },
      { ...good, config: { ...config, customHeaders: [{ name: 'X-Key', value: `${value}\r\n` }] } },
      {
        ...good,
        config: {
          ...config,
          customHeaders: [
            { name: value, value: 'x' },
            { name: value, value: 'x' },
          ],
        },
      },
      { ...good, secret: { value: { value } } },
      { ...good, secret: { value, hint: value } },
      { ...good, secret: [value] },
      { ...good, password: value, unknown: { value } },
      { ...good, config: { ...config, authScheme: 'Bearer' }, secret: { value: `${value} with spaces` } },
      { ...good, config: { ...config, authScheme: 'Basic' }, secret: { value } },
      [value],
      value,
    ];
    for (const body of bad)
      expect((await call('POST', `${made.agent}/data-sources`, body)).status).toBeGreaterThanOrEqual(400);
    for (const raw of [
      `{"secret":{"value":"${value}"`,
      `{"secret":${value}}`,
      `${value}`,
      `{"a":"${value}\u0001"}`,
      `{"x":1}${value}`,
    ]) {
      expect((await call('POST', `${made.sink}/secret`, undefined, raw)).status).toBe(400);
      expect((await call('POST', `${made.agent}/data-sources`, undefined, raw)).status).toBe(400);
      expect((await call('PATCH', made.sink, undefined, raw)).status).toBe(400);
    }
    expect((await call('POST', `${made.sink}/pushes`, { jobId: value })).status).toBe(422);
    for (const body of [{ value: [value] }, { value: `whsec_${value}` }, { overlapSeconds: value }, { [value]: 1 }])
      expect((await call('POST', `${made.sink}/secret`, body)).status).toBe(422);
    const query = encodeURIComponent(value);
    for (const path of [
      `${made.sink}/deliveries?limit=${query}`,
      `${made.sink}/deliveries?status=${query}`,
      `${made.sink}/syncs?cursor=${query}`,
    ]) {
      expect((await call('GET', path)).status).toBeGreaterThanOrEqual(400);
    }
  });

  it('is in a vault that was tampered with', async () => {
    const made = await makeSink(await endpoint(), 'Bearer', secret('Bearer'));
    const id = made.sink.split('/').at(-1);
    await host.database.query(
      `UPDATE agent_data_source_secret SET ciphertext = set_byte(ciphertext, 14, get_byte(ciphertext, 14) # 1)
        WHERE id = (SELECT secret_id FROM agent_data_source WHERE id = $1)`,
      [id],
    );
    const { jobId } = await expecting(201, call('POST', `${made.agent}/mapping-jobs`, { results: resultRows(3) }));
    const { items } = await expecting(200, call('GET', `${made.sink}/deliveries?jobId=${jobId as string}`));
    await until(() => host.output.includes(`${items[0].id as string}`), 'the host logs the failure');
    expect((await call('POST', `${made.sink}/test`)).status).toBeGreaterThanOrEqual(500);
    await expecting(204, call('DELETE', made.sink));
  });

  it.each(['agent_data_source_audit', 'agent_data_source_secret', 'agent_data_source'])(
    'meets a database that fails at %s',
    async (table) => {
      const made = await makeSink(await endpoint(), 'HmacSha256', secret('HMAC'));
      const hidden = `${table}_hidden`;
      await host.database.query(`ALTER TABLE ${table} RENAME TO ${hidden}`);
      try {
        const config = { url: 'http://127.0.0.1:1/', authScheme: 'Bearer' };
        const body = sinkBody(config.url, { config, secret: { value: secret('Bearer') } });
        expect((await call('POST', `${made.agent}/data-sources`, body)).status).toBe(500);
        expect((await call('PATCH', made.sink, { secret: { value: secret('HMAC, replaced') } })).status).toBe(500);
        expect((await call('POST', `${made.sink}/secret`, { value: secret('HMAC, rotated') })).status).toBe(500);
        expect((await call('POST', `${made.sink}/test`)).status).toBe(500);
      } finally {
        await host.database.query(`ALTER TABLE ${hidden} RENAME TO ${table}`);
      }
      expect((await push(made)).status).toBe('DELIVERED');
    },
  );
});

describe('afterwards, a marked secret', () => {
  it('is found by the search in every encoding where it was planted', () => {
    const value = secret('Bearer');
    const places = [
      value,
      Buffer.from(value).toString('hex').toUpperCase(),
      encodeURIComponent(value),
      ...['', 'a', 'ab', 'abc'].flatMap((before) => [
        Buffer.from(`${before}${value}:after`).toString('base64'),
        Buffer.from(`${before}${value}`).toString('base64url'),
      ]),
    ];
    for (const place of places) expect(secretsIn(`x${place}y`, SECRETS)).toContain('Bearer');
    expect(formsOf(secret('generated')).length).toBeGreaterThan(8);
  });

  it('is in no API response except the one that created it', async () => {
    const showing = heard.filter(({ text }) => secretsIn(text, SECRETS).length > 0);
    expect(showing.map(({ call: made, status, text }) => [made, status, secretsIn(text, SECRETS)])).toEqual([
      [expect.stringMatching(/^POST agents\/\w+\/data-sources$/), 201, ['generated']],
      [expect.stringMatching(/^POST agents\/\w+\/data-sources\/\w+\/secret$/), 200, ['generated by a rotation']],
    ]);
    expect(heard.length).toBeGreaterThan(200);
    const document = await (await fetch(`${host.origin}/api/openapi.json`)).text();
    expect(secretsIn(document, SECRETS)).toEqual([]);
  });

  it('is in no table', async () => {
    const marks = allMarks();
    const tables = await host.tables();
    for (const [table, text] of tables) expect([table, secretsIn(text, marks)]).toEqual([table, []]);
    expect(tables.get('agent_data_source')).toContain('127.0.0.1');
    expect(tables.get('agent_data_source_secret')).not.toBe('');
  });

  it('is not in Redis', async () => {
    const redis = new Redis(host.services.redisUrl ?? '');
    try {
      const keys = await redis.keys('*');
      for (const key of keys) expect([key, secretsIn(key + (await contents(redis, key)), SECRETS)]).toEqual([key, []]);
      expect(keys.length).toBeGreaterThan(0);
    } finally {
      redis.disconnect();
    }
  });

  it('is in no log line', async () => {
    await host.stop();
    const marks = allMarks();
    expect(host.output.split('\n').filter((line) => secretsIn(line, marks).length > 0)).toEqual([]);
    // It did log the failures, at its most talkative.
    for (const said of ['request.failed', 'delivery.attempted', 'relation']) expect(host.output).toContain(said);
  });
});

async function contents(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'string') return (await redis.get(key)) ?? '';
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1));
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'set') return JSON.stringify(await redis.smembers(key));
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, 0, -1));
  if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'));
  throw new Error(`${key} is a ${type}, which this test does not know`);
}
