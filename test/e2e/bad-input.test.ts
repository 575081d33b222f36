import { describe, expect, it } from '@jest/globals';
import type { Answer, Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, sinkBody } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

let shared: Promise<Agent> | null = null;

/** One agent for all: what is refused leaves nothing behind, and that is checked. */
function agentOfAll(): Promise<Agent> {
  return (shared ??= platform()
    .customer()
    .then((customer) => customer.agent()));
}

function expectProblem(answer: Answer, status: number, code: string): Body {
  const body = expectStatus(answer, status);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({
    ...{ type: `https://mapping.travel/errors/${code}`, status },
    ...{ title: expect.stringMatching(/./), detail: expect.stringMatching(/./) },
  });
  return body;
}

function pointersOf(body: Body): string[] {
  return body.errors.map(({ pointer, detail }: Body) => {
    expect(detail).toMatch(/./);
    return String(pointer);
  });
}

const URL = 'https://internal.acme.com/mapping-results';
const hmac = (config: Body): Body => ({ config: { url: URL, authScheme: 'HmacSha256', ...config } });
const header = (name: unknown, value: unknown): Body => hmac({ customHeaders: [{ name, value }] });

/** What to change in the body of the contract, and what the answer points at. */
const REFUSED: readonly (readonly [string, Body, readonly string[]])[] = [
  ['a role that we do not know', { role: 'ROWS_SOURCE' }, ['/role']],
  ['no role', { role: undefined }, ['/role']],
  ['a type that we do not know', { type: 'FTP' }, ['/type']],
  ['a format that we do not know', { format: 'XML' }, ['/format']],
  ['no format', { format: undefined }, ['/format']],
  ['a scheme that we do not know', hmac({ authScheme: 'Digest' }), ['/config/authScheme']],
  ['a scheme in the wrong case', hmac({ authScheme: 'hmacsha256' }), ['/config/authScheme']],
  ['a name that is a number', { name: 7 }, ['/name']],
  ['a blank name', { name: '  ' }, ['/name']],
  ['a name of 121 characters', { name: 'x'.repeat(121) }, ['/name']],
  ['a name with a NUL', { name: 'a\0b' }, ['/name']],
  ['a name with half a character', { name: 'a\ud800b' }, ['/name']],
  ['a name of null', { name: null }, ['/name']],
  ['no configuration', { config: undefined }, ['/config']],
  ['a configuration that is a list', { config: [] }, ['/config']],
  ['a configuration that is a text', { config: URL }, ['/config']],
  ['an unknown field', { colour: 'green' }, ['/colour']],
  ['an unknown field of the configuration', hmac({ retries: 3 }), ['/config/retries']],
  ['an unknown field of the secret', { secret: { value: 'x'.repeat(32), hint: 'x' } }, ['/secret/hint']],
  ['a field with a slash and a tilde', { 'a/b~c': 1 }, ['/a~1b~0c']],
  ['several at once', { role: 'x', name: '', ...hmac({ authScheme: 'x' }) }, ['/role', '/name', '/config/authScheme']],
  ['no url', hmac({ url: undefined }), ['/config/url']],
  ['a url of null', hmac({ url: null }), ['/config/url']],
  ['a url that is a list', hmac({ url: [URL] }), ['/config/url']],
  ['a url that is none', hmac({ url: 'internal.acme.com' }), ['/config/url']],
  ['plain http', hmac({ url: 'http://93.184.216.34/' }), ['/config/url']],
  ['ftp', hmac({ url: 'ftp://acme.com/' }), ['/config/url']],
  ['credentials in the url', hmac({ url: 'https://user:pass@acme.com/' }), ['/config/url']],
  ['a fragment in the url', hmac({ url: 'https://acme.com/#part' }), ['/config/url']],
  ['a private address', hmac({ url: 'https://10.1.2.3/' }), ['/config/url']],
  ['a private address in decimal', hmac({ url: 'https://167838211/' }), ['/config/url']],
  ['a private address of IPv6', hmac({ url: 'https://[fd00::1]/' }), ['/config/url']],
  ['a private address of IPv4 within IPv6', hmac({ url: 'https://[::ffff:10.1.2.3]/' }), ['/config/url']],
  ['the cloud’s metadata address', hmac({ url: 'https://169.254.169.254/' }), ['/config/url']],
  ['another port of a public address', hmac({ url: 'https://93.184.216.34:8443/' }), ['/config/url']],
  ['a url of over 2,048 characters', hmac({ url: `https://acme.com/${'x'.repeat(2048)}` }), ['/config/url']],
  ['an HMAC secret of 15 bytes', { secret: { value: 'x'.repeat(15) } }, ['/secret/value']],
  ['a secret that is a text', { secret: 'x'.repeat(32) }, ['/secret']],
  ['a secret that is a number', { secret: { value: 12345678901234567890 } }, ['/secret/value']],
  ['a secret without a value', { secret: {} }, ['/secret/value']],
  ['an empty secret', { secret: { value: '' } }, ['/secret/value']],
  ['a secret that ends with a NUL', { secret: { value: `${'x'.repeat(32)}\0` } }, ['/secret/value']],
  ['a secret of over 4,096 characters', { secret: { value: 'x'.repeat(4097) } }, ['/secret/value']],
  ['Bearer without a secret', { ...hmac({ authScheme: 'Bearer' }), secret: undefined }, ['/secret']],
  [
    'Bearer with a line break in it',
    { ...hmac({ authScheme: 'Bearer' }), secret: { value: 'a\r\nX-Evil: 1' } },
    ['/secret/value'],
  ],
  ['Basic without a secret', { ...hmac({ authScheme: 'Basic', username: 'u' }), secret: undefined }, ['/secret']],
  [
    'Basic without a user',
    { ...hmac({ authScheme: 'Basic' }), secret: { value: 'password-alone' } },
    ['/secret/value'],
  ],
  [
    'Basic with a colon in the user',
    { ...hmac({ authScheme: 'Basic', username: 'a:b' }), secret: { value: 'p' } },
    ['/config/username'],
  ],
  ['a user for HmacSha256', hmac({ username: 'mapping' }), ['/config/username']],
  [
    'a retryable status that is not one of the three',
    hmac({ retryableStatuses: [404] }),
    ['/config/retryableStatuses'],
  ],
  ['a retryable status twice', hmac({ retryableStatuses: [429, 429] }), ['/config/retryableStatuses']],
  ['retryable statuses that are no list', hmac({ retryableStatuses: 429 }), ['/config/retryableStatuses']],
  ['a compression that we do not know', hmac({ compression: 'br' }), ['/config/compression']],
  ['a field that rows do not have', hmac({ includeFields: ['partnerRowId', 'price'] }), ['/config/includeFields/1']],
  ['a field twice', hmac({ includeFields: ['matchMethod', 'matchMethod'] }), ['/config/includeFields']],
  ['no fields', hmac({ includeFields: [] }), ['/config/includeFields']],
  ['no pushes a second', hmac({ maxPushesPerSecond: 0 }), ['/config/maxPushesPerSecond']],
  ['too many pushes a second', hmac({ maxPushesPerSecond: 1_001 }), ['/config/maxPushesPerSecond']],
  ['a rate in words', hmac({ maxPushesPerSecond: 'ten' }), ['/config/maxPushesPerSecond']],
  ['no rows in a push', hmac({ maxRowsPerPush: 0 }), ['/config/maxRowsPerPush']],
  ['half a row in a push', hmac({ maxRowsPerPush: 0.5 }), ['/config/maxRowsPerPush']],
  ['too many rows in a push', hmac({ maxRowsPerPush: 1_000_001 }), ['/config/maxRowsPerPush']],
  ['a header with a line break', header('X-A', 'a\r\nb'), ['/config/customHeaders/0/value']],
  ['a header that is ours', header('X-MT-Signature', 'x'), ['/config/customHeaders/0/name']],
  ['a header that CGI and PHP read as ours', header('X_MT_Signature', 'x'), ['/config/customHeaders/0/name']],
  ['a header that CGI and PHP read as the length', header('Content_Length', '1'), ['/config/customHeaders/0/name']],
  ['a header that frames the message', header('Transfer-Encoding', 'chunked'), ['/config/customHeaders/0/name']],
  ['a header called __proto__', header('__proto__', 'x'), ['/config/customHeaders/0/name']],
  ['a header without a value', header('X-A', undefined), ['/config/customHeaders/0/value']],
  ['a header that is a list', hmac({ customHeaders: [[]] }), ['/config/customHeaders']],
  ['a header that is null', hmac({ customHeaders: [null] }), ['/config/customHeaders']],
  ['headers that are an object', hmac({ customHeaders: { 'X-A': 'b' } }), ['/config/customHeaders']],
  [
    'twenty-one headers',
    hmac({ customHeaders: Array.from({ length: 21 }, (_, i) => ({ name: `X-${i}`, value: '' })) }),
    ['/config/customHeaders'],
  ],
];

describe('a data source is refused', () => {
  it.each(REFUSED)('with %s', async (_name, change, pointers) => {
    const agent = await agentOfAll();
    const body = sinkBody(URL, { secret: { value: 'x'.repeat(32) }, ...change });
    const problem = expectProblem(await agent.api.post(`${agent.path}/data-sources`, body), 422, 'validation-failed');
    expect(pointersOf(problem).map((p) => (pointers.includes(p) ? p : p.replace(/\/0(\/.*)?$/, '')))).toEqual(pointers);
    expect(expectStatus(await agent.api.get(`${agent.path}/data-sources`), 200).items).toEqual([]);
  });
});

it('with the first violated rule of each field', async () => {
  const agent = await agentOfAll();
  const path = `${agent.path}/data-sources`;
  const said = async (body: Body): Promise<unknown> =>
    (expectStatus(await agent.api.post(path, sinkBody(URL, body)), 422).errors as Body[]).map(({ detail }) => detail);
  expect(await said({ name: 5 })).toEqual(['must be a string']);
  expect(await said({ secret: {} })).toEqual(['must be a string']);
  expect(await said(hmac({ maxRowsPerPush: '5' }))).toEqual(['must be an integer number']);
  expect(await said(hmac({ retryableStatuses: 408 }))).toEqual(['must be an array']);
});

describe('a change of a data source is refused', () => {
  it.each([
    ['a url of null', { config: { url: null } }, ['/config/url']],
    ['a scheme of null', { config: { authScheme: null } }, ['/config/authScheme']],
    ['headers of null', { config: { customHeaders: null } }, ['/config/customHeaders']],
    ['retryable statuses of null', { config: { retryableStatuses: null } }, ['/config/retryableStatuses']],
    ['a compression of null', { config: { compression: null } }, ['/config/compression']],
    ['a field that rows do not have', { config: { includeFields: ['price'] } }, ['/config/includeFields/0']],
    ['an empty configuration', { config: {} }, ['/config']],
    ['a configuration of null', { config: null }, ['/config']],
    ['a name of null', { name: null }, ['/name']],
    ['a format of null', { format: null }, ['/format']],
    ['a status of null', { status: null }, ['/status']],
    ['a status that we do not know', { status: 'PAUSED' }, ['/status']],
    ['a secret of null', { secret: null }, ['/secret']],
    ['a short secret', { secret: { value: 'short' } }, ['/secret/value']],
    ['a secret with a NUL', { secret: { value: `${'x'.repeat(32)}\0` } }, ['/secret/value']],
    ['a role, which cannot change', { role: 'RESULTS_SINK' }, ['/role']],
    ['a private url', { config: { url: 'https://10.0.0.1/' }, secret: { value: 'x'.repeat(32) } }, ['/config/url']],
  ])('with %s', async (_name, patch, pointers) => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(URL);
    const before = expectStatus(await sink.api.get(sink.path), 200);
    const problem = expectProblem(await sink.api.patch(sink.path, patch), 422, 'validation-failed');
    expect(pointersOf(problem)).toEqual(pointers);
    expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(before);
  });
});

describe('a body', () => {
  const send = async (body: string | Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer> => {
    const agent = await (await platform().customer()).agent();
    return agent.api.raw('POST', `${agent.path}/data-sources`, { body, headers });
  };
  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const valid = JSON.stringify(sinkBody(URL, { secret: { value: 'a+b&c=d%20e%2Bf "g" 32 bytes long' } }));

  it.each([
    ['is cut off', '{"role":', 400, 'malformed-json', JSON_TYPE],
    ['is no JSON', '{role: RESULTS_SINK}', 400, 'malformed-json', JSON_TYPE],
    ['is no JSON, as curl sends it', '{role', 400, 'malformed-json', FORM_TYPE],
    ['is not UTF-8', Buffer.from('{"name":"Zürich"}', 'latin1'), 400, 'malformed-json', JSON_TYPE],
    ['is a list', '[]', 422, 'validation-failed', JSON_TYPE],
    ['is a text', '"RESULTS_SINK"', 422, 'validation-failed', JSON_TYPE],
    ['is null', 'null', 422, 'validation-failed', JSON_TYPE],
    ['is empty', '', 422, 'validation-failed', JSON_TYPE],
    ['is a form', 'role=RESULTS_SINK&type=HTTPS_WEBHOOK', 415, 'unsupported-media-type', FORM_TYPE],
    ['is XML', '<sink/>', 415, 'unsupported-media-type', { 'Content-Type': 'application/xml' }],
    ['is larger than 64 KB', `{"name":"${'x'.repeat(70_000)}"}`, 413, 'body-too-large', JSON_TYPE],
    ['is nested without end', `{"config":${'['.repeat(1000)}${']'.repeat(1000)}}`, 400, 'malformed-json', JSON_TYPE],
  ])('that %s is refused', async (_name, body, status, code, headers) => {
    expectProblem(await send(body, headers), status, code);
  });

  it.each([
    ['that curl -d calls a form', FORM_TYPE],
    ['that nobody calls anything', {}],
    ['that is called plain text', { 'Content-Type': 'text/plain' }],
    ['with a charset', { 'Content-Type': 'application/json; charset=utf-8' }],
    ['of a JSON type of one’s own', { 'Content-Type': 'application/vnd.acme+json' }],
  ])('%s is read as JSON, with every character of its secret', async (_name, headers) => {
    const value = 'a+b&c=d%20e%2Bf "g" 32 bytes long';
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }], value);
    const agent = await (await platform().customer()).agent();
    // Bytes: fetch would call a text text/plain.
    const body = Buffer.from(`\n ${JSON.stringify(sinkBody(endpoint.url, { secret: { value } }))}`);
    expectStatus(await agent.api.raw('POST', `${agent.path}/data-sources`, { body, headers }), 201);
    await agent.finishJob();
    expect(await endpoint.first()).toMatchObject({ signatureIsValid: true });
  });

  it('without a content type is accepted by every endpoint of the contract’s story', async () => {
    const customer = await platform().customer();
    const curl = (path: string, body: unknown, method = 'POST'): Promise<Answer> =>
      customer.api.raw(method, path, { body: JSON.stringify(body), headers: FORM_TYPE });
    const endpoint = await platform().receiver.endpoint();
    const { id } = expectStatus(await curl('agents', { name: 'By curl' }), 201);
    const sink = expectStatus(await curl(`agents/${id}/data-sources`, sinkBody(endpoint.url)), 201);
    const path = `agents/${id}/data-sources/${sink.id}`;
    expectStatus(await curl(path, { name: 'Another' }, 'PATCH'), 200);
    expectStatus(await curl(`agents/${id}/rule-sets`, { data_sinks: { auto_push_on_job_complete: false } }), 201);
    expectStatus(await curl(`agents/${id}/activate`, {}), 200);
    const { jobId } = expectStatus(await curl(`agents/${id}/mapping-jobs`, { results: resultRows(1) }), 201);
    expectStatus(await curl(`${path}/test`, {}), 200);
    const delivery = expectStatus(await curl(`${path}/pushes`, { jobId }), 202);
    await customer.settled(delivery.id);
    expectStatus(await curl(`deliveries/${delivery.id}/redeliver`, {}), 202);
    await customer.settled(delivery.id);
  });

  it('that is cut off is not quoted in the response', async () => {
    const answer = await send(valid.slice(0, -3), JSON_TYPE);
    expectProblem(answer, 400, 'malformed-json');
    expect(answer.text).not.toContain('%20e');
  });
});

describe('rules are refused', () => {
  it.each([
    ['"2" retries', { retry_failed_push: '2' }, ['/data_sinks/retry_failed_push']],
    ['11 retries', { retry_failed_push: 11 }, ['/data_sinks/retry_failed_push']],
    ['-1 retries', { retry_failed_push: -1 }, ['/data_sinks/retry_failed_push']],
    ['2.5 retries', { retry_failed_push: 2.5 }, ['/data_sinks/retry_failed_push']],
    ['null retries', { retry_failed_push: null }, ['/data_sinks/retry_failed_push']],
    ['"true"', { auto_push_on_job_complete: 'true' }, ['/data_sinks/auto_push_on_job_complete']],
    ['1 for true', { auto_push_on_job_complete: 1 }, ['/data_sinks/auto_push_on_job_complete']],
    ['a misspelt key', { auto_push_on_job_completed: true }, ['/data_sinks/auto_push_on_job_completed']],
    ['a list', [], ['/data_sinks']],
    ['null', null, ['/data_sinks']],
  ])('with %s, and the previous rules stay in force', async (_name, rules, pointers) => {
    const agent = await (await platform().customer()).agent();
    const answer = await agent.api.post(`${agent.path}/rule-sets`, { data_sinks: rules });
    expect(pointersOf(expectProblem(answer, 422, 'validation-failed'))).toEqual(pointers);
    const sink = await agent.sink(await platform().receiver.endpoint());
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED', retriesAllowed: 2 });
  });
});

describe('a completed job is refused, and nothing of it is pushed', () => {
  it.each([
    ['without results', {}, ['/results']],
    ['with results of null', { results: null }, ['/results']],
    ['with results that are an object', { results: {} }, ['/results']],
    ['with an unknown field', { results: [], stats: {} }, ['/stats']],
    ['with an id that is too long', { results: [], jobId: 'j'.repeat(256) }, ['/jobId']],
    ['with a number for an id', { results: [...resultRows(1), { partnerRowId: 7 }] }, ['/results/1/partnerRowId']],
    ['with a row without an id', { results: [{ referenceHotelId: null }] }, ['/results/0/partnerRowId']],
    ['with an empty id', { results: [{ partnerRowId: '' }] }, ['/results/0/partnerRowId']],
    ['with a row that is a text', { results: ['row_1'] }, ['/results/0']],
    [
      'with a confidence of 2',
      { results: [{ partnerRowId: 'row_1', matchConfidence: 2 }] },
      ['/results/0/matchConfidence'],
    ],
    [
      'with a confidence that is a text',
      { results: [{ partnerRowId: 'row_1', matchConfidence: '1' }] },
      ['/results/0/matchConfidence'],
    ],
    ['with an unknown field of a row', { results: [{ partnerRowId: 'row_1', hotel: 1 }] }, ['/results/0/hotel']],
  ])('%s', async (_name, body, pointers) => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(URL);
    const problem = expectProblem(await agent.api.post(`${agent.path}/mapping-jobs`, body), 422, 'validation-failed');
    expect(pointersOf(problem)).toEqual(pointers);
    expect(await sink.deliveries()).toEqual([]);
  });
});

describe('a list is refused', () => {
  it.each([
    ['limit=0', 422, 'validation-failed', ['?limit']],
    ['limit=101', 422, 'validation-failed', ['?limit']],
    ['limit=ten', 422, 'validation-failed', ['?limit']],
    ['limit=', 422, 'validation-failed', ['?limit']],
    ['limit=0x10', 422, 'validation-failed', ['?limit']],
    ['limit=1e2', 422, 'validation-failed', ['?limit']],
    ['__proto__=1', 422, 'validation-failed', ['?__proto__']],
    ['constructor=1&limit=5', 422, 'validation-failed', ['?constructor']],
    ['since=2026-02-31T00:00:00Z', 422, 'validation-failed', ['?since']],
    ['page=2', 422, 'validation-failed', ['?page']],
    ['status=SENT', 422, 'validation-failed', ['?status']],
    ['since=yesterday', 422, 'validation-failed', ['?since']],
    ['cursor=nonsense', 400, 'invalid-cursor', null],
    ['cursor=YWRzXzAw', 400, 'invalid-cursor', null],
    ['cursor=a&cursor=b', 422, 'validation-failed', ['?cursor']],
    ['jobId=%00', 422, 'validation-failed', ['?jobId']],
  ])('with ?%s', async (query, status, code, pointers) => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(URL);
    for (const list of ['deliveries', `${sink.path}/deliveries`]) {
      const problem = expectProblem(await agent.api.get(`${list}?${query}`), status, code);
      if (pointers) expect(pointersOf(problem)).toEqual(pointers);
    }
  });
});

describe('invalid ids', () => {
  it.each([
    ['NUL', '%00'],
    ['a way up', '..%2f..'],
    ['a prefix alone', 'agt_'],
    ['a statement', encodeURIComponent("'; DROP TABLE agent_data_source; --")],
    ['5,000 letters', 'x'.repeat(5000)],
  ])('such as %s are not found', async (_name, part) => {
    const agent = await agentOfAll();
    for (const path of [`agents/${part}/data-sources`, `${agent.path}/data-sources/${part}`, `deliveries/${part}`]) {
      expectProblem(await agent.api.get(path), 404, 'not-found');
    }
  });

  it('of a job are refused with an error for the field', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(URL);
    for (const jobId of [undefined, null, 7, '', '\0', 'x'.repeat(65)]) {
      const answer = await sink.api.post(`${sink.path}/pushes`, { jobId });
      expect(pointersOf(expectProblem(answer, 422, 'validation-failed'))).toEqual(['/jobId']);
    }
  });
});
