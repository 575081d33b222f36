import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { MAX_LINE_BYTES } from '../../../src/reference-host/jobs/ndjson-lines.js';
import type { StartedHost } from '../../../src/reference-host/start-host.js';
import { newTenant, problem, send, startTestHost, type Tenant } from './host-fixture.js';

let host: StartedHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await newTenant(host);
}, 300_000);
afterAll(() => host.app.close());

const jobs = (): string => `/api/v1/agents/${tenant.agentId}/mapping-jobs`;

/** The bytes as they are, which `fetch` does not leave them. */
async function sendBytes(path: string, type: string, bytes: Buffer, token = tenant.token): Promise<[number, string]> {
  const answer = await fetch(`${host.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    body: new Uint8Array(bytes),
  });
  return [answer.status, await answer.text()];
}

describe('the reference host', () => {
  it.each([
    ['a finished job', () => jobs(), 'application/json', '{"results":[{"partnerRowId":"row_\xff"}]}'],
    ['finished rows', () => jobs(), 'application/x-ndjson', '{"partnerRowId":"row_\xff"}\n'],
    ['a rule set', () => `/api/v1/agents/${tenant.agentId}/rule-sets`, 'application/json', '{"mine":"\xff"}'],
  ])('refuses %s that is not UTF-8', async (_what, path, type, text) => {
    const [status, body] = await sendBytes(path(), type, Buffer.from(text, 'latin1'));
    expect([status, body]).toEqual([400, expect.stringContaining('not UTF-8')]);
  });

  it('refuses rules that are nested 20,000 deep, and says how deep they may be', async () => {
    const deep = `{"mine":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const [status, body] = await sendBytes(
      `/api/v1/agents/${tenant.agentId}/rule-sets`,
      'application/json',
      Buffer.from(deep),
    );
    expect([status, body]).toEqual([422, expect.stringContaining('64 levels')]);
  });

  it('refuses more than 8 MB of JSON, and names the form for more rows', async () => {
    const [status, body] = await sendBytes(jobs(), 'application/json', Buffer.alloc(8 * 1024 * 1024 + 1, ' '));
    expect([status, body]).toEqual([413, expect.stringContaining('application/x-ndjson')]);
  });

  it('refuses a text that begins with U+FEFF, which the embedded database would drop', async () => {
    const rows = [{ partnerRowId: '\uFEFFrow_1' }];
    expect(await send(host, tenant.token, 'POST', jobs(), { results: rows })).toMatchObject(
      problem(422, 'validation-failed', ['/results/0/partnerRowId']),
    );
  });

  it('answers a caller without a token before it has read the body', async () => {
    const asked = request(`${host.url}/api/v1/agents/${tenant.agentId}/rule-sets`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '1000000', authorization: 'Bearer mt_nobody' },
    });
    // The rest of the body never comes.
    asked.write('{');
    const status = await new Promise((resolve, reject) => {
      asked.once('response', ({ statusCode }) => resolve(statusCode)).once('error', reject);
    });
    asked.destroy();
    expect(status).toBe(401);
  });

  it('does not let another page frame its API’s documentation', async () => {
    for (const path of ['/api/docs', '/api/docs/']) {
      const answer = await fetch(`${host.url}${path}`);
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      expect(answer.headers.get('content-security-policy')).toBe("frame-ancestors 'none'");
    }
  });

  it('removes the rows of a refused upload in time that grows with their number', async () => {
    const upload = async (rows: number): Promise<number> => {
      const lines = Array.from({ length: rows }, (_, i) => `{"partnerRowId":"row_${i}"}\n`);
      const bytes = Buffer.from(`${lines.join('')}${'x'.repeat(MAX_LINE_BYTES + 1)}`);
      const startedAt = performance.now();
      const [status] = await sendBytes(jobs(), 'application/x-ndjson', bytes);
      expect(status).toBe(400);
      return performance.now() - startedAt;
    };
    await upload(1_000);
    const [few, many] = [await upload(20_000), await upload(80_000)];
    // Four times as many; a machine that is busy may take twice as long for one of them.
    expect(many / few).toBeLessThan(12);
  });
});
