import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_BODY_BYTES, readJsonBody } from '../../../../../src/data-sinks/api/http/json-body.js';
import { ProblemError } from '../../../../../src/data-sinks/domain/errors.js';

function read(body: string | readonly Uint8Array[], contentType?: string, maxBytes?: number): Promise<unknown> {
  const chunks = typeof body === 'string' ? [Buffer.from(body)] : body;
  const headers = contentType === undefined ? {} : { 'content-type': contentType };
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  return readJsonBody(Object.assign(stream(), { headers }), { maxBytes });
}

async function problem(reading: Promise<unknown>): Promise<ProblemError> {
  const error: unknown = await reading.catch((thrown: unknown) => thrown);
  if (error instanceof ProblemError) return error;
  throw new Error(`no problem, but ${String(error)}`);
}

describe('a body that is read as JSON', () => {
  it.each([
    ['application/json'],
    ['application/json; charset=utf-8'],
    ['Application/JSON'],
    ['application/merge-patch+json'],
    ['application/x-www-form-urlencoded'],
    ['application/x-www-form-urlencoded; charset=UTF-8'],
    ['text/plain'],
    [undefined],
  ])('is accepted as %j', async (contentType) => {
    expect(await read('{"name":"BI"}', contentType)).toEqual({ name: 'BI' });
  });

  it('may begin with white space, as in a shell here-document', async () => {
    expect(await read('\n  {"name":"BI"}\n', 'application/x-www-form-urlencoded')).toEqual({ name: 'BI' });
  });

  it('may be split in the middle of a character', async () => {
    const bytes = Buffer.from('{"name":"Zürich"}');
    expect(await read([bytes.subarray(0, 11), bytes.subarray(11)])).toEqual({ name: 'Zürich' });
  });

  it.each(['', '  \n'])('may be missing: %j', async (body) => {
    expect(await read(body, 'application/json')).toBeUndefined();
    expect(await read(body)).toBeUndefined();
  });

  it('treats __proto__ as an ordinary field', async () => {
    const value = (await read('{"__proto__":{"admin":true}}')) as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect('admin' in value).toBe(false);
  });
});

describe('a body that is not JSON', () => {
  it.each([
    ['role=RESULTS_SINK&type=HTTPS_WEBHOOK', 'application/x-www-form-urlencoded'],
    ['[1]', 'application/x-www-form-urlencoded'],
    ['{"name":"BI"}', 'text/html'],
    ['{"name":"BI"}', 'application/xml'],
    ['{"name":"BI"}', 'application/jsonp'],
    ['{"name":"BI"}', 'multipart/form-data; boundary=x'],
  ])('%j as %s is an unsupported media type', async (body, contentType) => {
    const { code, detail } = await problem(read(body, contentType));
    expect([code, detail]).toEqual([
      'unsupported-media-type',
      'Send a JSON object with "Content-Type: application/json".',
    ]);
  });

  it.each([
    ['{"name":', /breaks off before its end/],
    ['{"secret":{"value":"s3cr3t-of-the-customer"},}', /breaks off at position \d+/],
    ['{"secret": s3cr3t-of-the-customer}', /one of its characters does not belong where it is/],
    ["{'secret': 's3cr3t-of-the-customer'}", /breaks off at position \d+/],
    ['{"secret":"s3cr3t-of-the-customer', /breaks off/],
    ['{"secret":"s3cr3t\u0001-of-the-customer"}', /breaks off at position \d+/],
  ])('%j is malformed, and the message does not quote it', async (body, where) => {
    const { code, detail, message } = await problem(read(body));
    expect(code).toBe('malformed-json');
    expect(detail).toMatch(where);
    expect(message).not.toMatch(/s3cr3t|customer|secret"|name"/);
  });

  it('is never quoted in an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z]{8,20}$/), fc.integer({ min: 0, max: 3 }), async (secret, form) => {
        const bodies = [`{${secret}`, `{"a":${secret}}`, `{"a":"b" ${secret}`, `{"a":"${secret}`];
        const { message } = await problem(read(bodies[form] ?? ''));
        return !message.includes(secret);
      }),
    );
  });
});

describe('the limits on a body', () => {
  it('accept a body at the limit and refuse one byte more', async () => {
    const bodyOf = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    expect(await read(bodyOf(MAX_BODY_BYTES))).toHaveProperty('a');
    const { code, detail } = await problem(read(bodyOf(MAX_BODY_BYTES + 1)));
    expect([code, detail]).toEqual(['body-too-large', 'A body may have at most 65536 bytes.']);
  });

  it('count bytes over all chunks, and read the body to its end', async () => {
    let sent = 0;
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (; sent < 100; sent++) yield new Uint8Array(10);
    }
    const { code } = await problem(readJsonBody(Object.assign(stream(), { headers: {} }), { maxBytes: 50 }));
    expect([code, sent]).toEqual(['body-too-large', 100]);
  });

  it('refuse a body that does not end', async () => {
    async function* drips(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{');
      await new Promise(() => undefined);
    }
    const { code, detail } = await problem(readJsonBody(Object.assign(drips(), { headers: {} }), { deadlineMs: 20 }));
    expect([code, detail]).toEqual(['malformed-json', 'The body was not complete after 0.02 seconds.']);
  });

  it.each([
    ['objects', '{"a":', '1', '}'],
    ['lists', '[', '1', ']'],
  ])('refuse %s nested deeper than 32 levels', async (_what, open, middle, close) => {
    const nested = (depth: number) => `{"x":${open.repeat(depth - 1)}${middle}${close.repeat(depth - 1)}}`;
    expect(await read(nested(32))).toHaveProperty('x');
    const { code, detail } = await problem(read(nested(33)));
    expect([code, detail]).toEqual(['malformed-json', 'The body is nested deeper than 32 levels.']);
    expect((await problem(read(nested(5_000)))).code).toBe('malformed-json');
  });
});
