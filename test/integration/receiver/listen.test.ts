import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parseListenOptions } from '../../../src/receiver/cli/listen-options.js';
import { PushListener } from '../../../src/receiver/cli/push-listener.js';
import type { SignedPush } from '../../unit/receiver/signed-push.js';
import { DELIVERY_ID, OTHER_SECRET, PAYLOAD, SECRET, signedPush } from '../../unit/receiver/signed-push.js';
import { signedBody } from '../../unit/receiver/pushed-body.js';
import type { CompiledKit } from '../../support/receiver/listen-process.js';
import { compileKit, ListenProcess } from '../../support/receiver/listen-process.js';

let kit: CompiledKit;
beforeAll(() => {
  kit = compileKit();
});
afterAll(() => kit.remove());

const running: ListenProcess[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.end();
});

async function start(...args: string[]): Promise<ListenProcess> {
  const listening = await ListenProcess.start(kit.command, args);
  running.push(listening);
  return listening;
}

const push = (payload: object = PAYLOAD, secret = SECRET): SignedPush =>
  signedPush(JSON.stringify(payload), secret, Math.floor(Date.now() / 1000));

async function post(url: string, { headers, body }: SignedPush): Promise<number> {
  const { 'Content-Length': _fetchSetsIt, ...others } = headers;
  const answer = await fetch(url, { method: 'POST', headers: others, body });
  await answer.arrayBuffer();
  return answer.status;
}

describe('data-sinks listen', () => {
  it('verifies a push, counts its rows and writes one line about it', async () => {
    const listening = await start('--json', '--secret', SECRET);
    const sent = push({ ...PAYLOAD, test: true });
    expect(await post(listening.url, sent)).toBe(200);
    const { results, ...facts } = PAYLOAD;
    expect(await listening.record()).toMatchObject({
      request: 1,
      method: 'POST',
      path: '/results',
      deliveryId: DELIVERY_ID,
      attempt: 2,
      status: 200,
      bytes: sent.body.length,
      sha256: createHash('sha256').update(sent.body).digest('hex'),
      signatureValid: true,
      problems: [],
      contentDigestValid: true,
      rows: 2,
      firstRow: results[0],
      facts: { ...facts, test: true },
      payloadError: null,
      test: true,
      repeated: false,
      headers: expect.objectContaining({ 'x-mt-signature': sent.headers['X-MT-Signature'] }),
    });
  });

  it.each<[string, string, { number: number; of: number } | null]>([
    ['JSON', 'JSON;gzip', null],
    ['JSONL', 'JSONL', null],
    ['JSONL', 'JSONL;gzip;rows=2;part=3/12', { number: 3, of: 12 }],
    ['CSV', 'CSV;rows=2;part=1/1', { number: 1, of: 1 }],
    ['CSV', 'CSV;gzip', null],
  ])('verifies and counts %s, as %s', async (format, recipe, part) => {
    const listening = await start('--json', '--secret', SECRET);
    const sent = signedBody(recipe, PAYLOAD.results, Math.floor(Date.now() / 1000));
    expect(await post(listening.url, sent)).toBe(200);
    const { results, ...facts } = PAYLOAD;
    expect(await listening.record()).toMatchObject({
      ...{ format, gzip: recipe.includes('gzip'), part, bytes: sent.body.length },
      ...{ signatureValid: true, contentDigestValid: true, rows: 2, payloadError: null },
      ...{ firstRow: results[0], facts: { ...facts, ...(part && { part }) } },
    });
  });

  it('answers 400 to a verified body with invalid content after decompression, and continues', async () => {
    const listening = await start('--json', '--secret', SECRET);
    const { headers } = signedBody('CSV;gzip', [], Math.floor(Date.now() / 1000));
    const plain = signedPush('partnerRowId\r\n', SECRET, Math.floor(Date.now() / 1000));
    expect(
      await post(listening.url, {
        body: plain.body,
        headers: { ...headers, ...plain.headers, 'Content-Type': 'text/csv' },
      }),
    ).toBe(400);
    expect(await listening.record()).toMatchObject({
      signatureValid: true,
      payloadError: 'payload_malformed',
      rows: null,
    });
    expect(await post(listening.url, push())).toBe(200);
  });

  it.each([2, 20_000, 300_000])(
    'answers %d bytes that say they are compressed and are not',
    async (length) => {
      const listening = await start('--json');
      const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
      expect(await post(listening.url, { headers, body: Buffer.alloc(length, 'x') })).toBe(400);
      expect(await listening.record()).toMatchObject({ bytes: length, payloadError: 'payload_malformed', rows: null });
      expect(await post(listening.url, push())).toBe(200);
    },
    10_000,
  );

  it.each(['--json', '--slow=0'])(
    'goes on after a row that is nested without end (%s)',
    async (form) => {
      const listening = await start(form);
      const nested = '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000);
      const text = JSON.stringify(PAYLOAD).replace('"row_1"', `"row_1","later":${nested}`);
      expect(await post(listening.url, signedPush(text))).toBe(200);
      expect(await post(listening.url, push())).toBe(200);
      if (form !== '--json') return;
      expect(await listening.record()).toMatchObject({ rows: 2, firstRow: null, payloadError: null });
      expect(await listening.record()).toMatchObject({ rows: 2, firstRow: PAYLOAD.results[0] });
    },
    10_000,
  );

  it('survives a malformed request', async () => {
    const told = jest.fn<(error: unknown) => void>();
    const report = jest.fn(() => {
      throw new RangeError('too deep');
    });
    const listener = new PushListener(parseListenOptions(['--port', '0'], {}), report, told);
    const url = `http://127.0.0.1:${await listener.start()}/`;
    try {
      expect([await post(url, push()), await post(url, push())]).toEqual([200, 200]);
    } finally {
      await listener.stop();
    }
    expect(told.mock.calls).toEqual([[expect.any(RangeError)], [expect.any(RangeError)]]);
  });

  it('fails according to its plan, and stays with the last status', async () => {
    const listening = await start('--json', '--secret', SECRET, '--fail', '503,500,202');
    const answers: number[] = [];
    for (let i = 0; i < 4; i++) answers.push(await post(listening.url, push()));
    expect(answers).toEqual([503, 500, 202, 202]);
    const records = [];
    for (let i = 0; i < 4; i++) records.push(await listening.record());
    expect(records.map(({ status, repeated }) => [status, repeated])).toEqual([
      [503, false],
      [500, false],
      [202, false],
      [202, true],
    ]);
    expect(records.every(({ signatureValid }) => signatureValid)).toBe(true);
  });

  it('answers 401 if verification fails, with the reason', async () => {
    const listening = await start('--json', '--secret', SECRET);
    expect(await post(listening.url, push(PAYLOAD, OTHER_SECRET))).toBe(401);
    const record = await listening.record();
    expect(record.signatureValid).toBe(false);
    expect(record.problems.map(({ check, code }) => [check, code])).toEqual([
      ['webhook-signature', 'wrong_secret'],
      ['X-MT-Signature', 'wrong_secret'],
    ]);
    expect(JSON.stringify(record)).not.toContain(SECRET);
  });

  it('answers 400 to a verified body that is not a push', async () => {
    const listening = await start('--json', '--secret', SECRET);
    expect(await post(listening.url, push({ hello: 'world' }))).toBe(400);
    expect(await listening.record()).toMatchObject({ payloadError: 'payload_incomplete', rows: null, facts: null });
  });

  it.each([
    [['--bearer', 'token-of-the-sink'], 'Bearer token-of-the-sink', 200],
    [['--bearer', 'token-of-the-sink'], 'Bearer token-of-another', 401],
    [['--basic', 'user:pass'], `Basic ${Buffer.from('user:pass').toString('base64')}`, 200],
    [['--basic', 'user:pass'], 'Basic AAAA', 401],
  ])('checks %j against "%s"', async (args, authorization, status) => {
    const listening = await start('--json', ...args);
    const { body } = push();
    const headers = { Authorization: authorization, 'Content-Type': 'application/json' };
    expect(await post(listening.url, { body, headers })).toBe(status);
    const record = await listening.record();
    expect(record.signatureValid).toBe(status === 200);
    expect(record.headers['authorization']).toBe(`${authorization.split(' ')[0]} ****`);
  });

  it('checks nothing without a secret or credential', async () => {
    const listening = await start('--json');
    expect(await post(listening.url, push())).toBe(200);
    expect((await listening.record()).signatureValid).toBeNull();
  });

  it('answers 405 to anything but POST', async () => {
    const listening = await start('--json');
    expect((await fetch(listening.url)).status).toBe(405);
    expect(await listening.record()).toMatchObject({ method: 'GET', status: 405, rows: null });
  });

  it('reports an aborted upload', async () => {
    const listening = await start('--json', '--secret', SECRET);
    const { headers, body } = push();
    const upload = request(listening.url, { method: 'POST', headers });
    upload.on('error', () => undefined);
    upload.write(body.subarray(0, 100), () => upload.destroy());
    expect(await listening.record()).toMatchObject({ status: null, bytes: 100, signatureValid: false });
  });

  it('waits before it answers, and still stops at once', async () => {
    const listening = await start('--json', '--secret', SECRET, '--slow', '3600000');
    const answer = post(listening.url, push()).catch(() => 'cut');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await listening.end('SIGINT')).toBe(0);
    expect(await answer).toBe('cut');
  });

  it('reads a million rows in constant memory', async () => {
    const listening = await start('--json', '--secret', SECRET);
    const rows = 1_000_000;
    const row = (i: number) => ({ ...PAYLOAD.results[0], partnerRowId: `row_${String(i).padStart(26, '0')}` });
    const { results: _none, ...facts } = PAYLOAD;
    async function* chunks() {
      yield Buffer.from(`${JSON.stringify(facts).slice(0, -1)},"results":[${JSON.stringify(row(0))}`);
      for (let i = 1; i < rows; i += 999) {
        const part = Array.from({ length: Math.min(999, rows - i) }, (_, j) => `,${JSON.stringify(row(i + j))}`);
        yield Buffer.from(part.join(''));
      }
      yield Buffer.from(']}');
    }
    // The form of a sink whose signature is not right, so that no second pass over 110 MB is needed here.
    const headers = { ...push().headers };
    delete headers['Content-Length'];
    const body = { method: 'POST', headers, body: chunks(), duplex: 'half' } as unknown as RequestInit;
    expect((await fetch(listening.url, body)).status).toBe(401);
    const record = await listening.record();
    expect(record).toMatchObject({
      rows,
      payloadError: null,
      problems: [{ code: 'body_altered' }, { code: 'body_altered' }],
    });
    expect(record.bytes).toBeGreaterThan(100_000_000);
    const peakKib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${listening.child.pid}/status`, 'utf8'))?.[1]);
    process.stdout.write(
      `a million rows (${record.bytes} bytes) read in ${record.durationMs} ms, peak ${Math.round(peakKib / 1024)} MiB\n`,
    );
    expect(peakKib).toBeLessThan(128 * 1024);
  });

  it('shows a push to people', async () => {
    const listening = await start('--secret', SECRET);
    await post(listening.url, push());
    const shown: string[] = [];
    while (!shown.at(-1)?.includes('answered')) shown.push(await listening.line());
    const text = shown.join('\n');
    expect(text).toContain('Checking signatures with 1 secret.');
    expect(text).toContain(`POST /  ${DELIVERY_ID}, attempt 2`);
    expect(text).toMatch(/proof +valid/);
    expect(text).toContain('2 (stats: 2 total, 1 matched, 1 unmatched)');
    expect(text).not.toContain(SECRET);
  });

  it('shows the format, the compression and the part to people', async () => {
    const listening = await start('--secret', SECRET);
    await post(listening.url, signedBody('CSV;gzip;rows=2;part=3/12', PAYLOAD.results, Math.floor(Date.now() / 1000)));
    const shown: string[] = [];
    while (!shown.at(-1)?.includes('answered')) shown.push(await listening.line());
    expect(shown.join('\n')).toMatch(/body +\d+ bytes, CSV, gzip, part 3 of 12, sha256/);
  });

  it('escapes control sequences for the terminal', async () => {
    const listening = await start();
    await post(listening.url, push({ ...PAYLOAD, jobId: 'job_\u009b2J' }));
    const shown: string[] = [];
    while (!shown.at(-1)?.includes('answered')) shown.push(await listening.line());
    expect(shown.join('\n')).toContain('job_\ufffd2J');
  });
});

describe('the command data-sinks', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [kit.command, ...args], { encoding: 'utf8' });

  it('prints its usage', () => {
    expect(run('listen', '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--fail LIST') });
    expect(run()).toMatchObject({ status: 2, stdout: expect.stringContaining('Usage') });
  });

  it('refuses unknown arguments with exit code 2', () => {
    expect(run('serve')).toMatchObject({ status: 2, stderr: expect.stringContaining('no command "serve"') });
    expect(run('listen', '--fail', '99')).toMatchObject({ status: 2, stderr: expect.stringContaining('--fail') });
  });

  it('reports that its port is in use', async () => {
    const listening = await start('--json');
    const second = run('listen', '--port', new URL(listening.url).port);
    expect(second).toMatchObject({ status: 1, stderr: expect.stringContaining('EADDRINUSE') });
  });
});
