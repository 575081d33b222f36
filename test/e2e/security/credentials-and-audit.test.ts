import { describe, expect, it } from '@jest/globals';
import type { Body } from '../../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink } from '../../support/platform/customer.js';
import { suitePlatform } from '../../support/platform/suite-platform.js';

const platform = suitePlatform({ options: { allowedPorts: [443, 8443] } });

const SECRET = 'a-secret-that-stays-where-it-is';
const HOME = 'https://hooks.bücher.example.com/results';

interface Home {
  readonly url?: string;
  readonly authScheme?: string;
  readonly username?: string;
}

async function agentOfNewCustomer(): Promise<Agent> {
  return (await platform().customer()).agent({ retry_failed_push: 0 });
}

async function sinkAt({ url = HOME, authScheme = 'HmacSha256', username }: Home = {}): Promise<Sink> {
  const config = { url, authScheme, ...(username !== undefined && { username }) };
  const value = authScheme === 'Basic' && username === undefined ? `user:${SECRET}` : SECRET;
  return (await agentOfNewCustomer()).sink(url, { config, secret: { value } });
}

describe('a stored secret is bound to its host', () => {
  const IP_LITERAL = 'https://93.184.216.34/results';

  it.each<readonly [string, Home, Readonly<Record<string, unknown>>]>([
    ['another host', {}, { url: 'https://elsewhere.example.com/results' }],
    ['a subdomain', {}, { url: 'https://x.hooks.bücher.example.com/results' }],
    ['the parent domain', {}, { url: 'https://bücher.example.com/results' }],
    ['a host that begins alike', {}, { url: 'https://hooks.bücher.example.com.evil.org/results' }],
    ['a name that looks alike', {}, { url: 'https://hooks.bucher.example.com/results' }],
    ['a homograph (Cyrillic е)', {}, { url: 'https://hooks.bücher.еxample.com/results' }],
    ['another port', {}, { url: 'https://hooks.bücher.example.com:8443/results' }],
    ['the address in the place of the name', {}, { url: IP_LITERAL }],
    ['another address', { url: IP_LITERAL }, { url: 'https://93.184.216.35/results' }],
    ['plain http in an opened range', { url: 'https://127.0.0.1/results' }, { url: 'http://127.0.0.1/results' }],
    ['the scheme Bearer', {}, { authScheme: 'Bearer' }],
    ['the scheme Basic', {}, { authScheme: 'Basic', username: 'somebody' }],
    ['from Bearer to HMAC', { authScheme: 'Bearer' }, { authScheme: 'HmacSha256' }],
    ['another username', { authScheme: 'Basic', username: 'one' }, { username: 'two' }],
    ['a username where there was none', { authScheme: 'Basic' }, { username: 'two' }],
    ['no username where there was one', { authScheme: 'Basic', username: 'one' }, { username: null }],
    ['host and scheme at once', {}, { url: 'https://elsewhere.example.com/', authScheme: 'Bearer' }],
  ])('%s requires it again', async (_name, home, config) => {
    const sink = await sinkAt(home);
    const before = expectStatus(await sink.api.get(sink.path), 200);
    const refused = expectStatus(await sink.api.patch(sink.path, { config }), 422);
    expect(refused).toMatchObject({
      type: 'https://mapping.travel/errors/secret-required',
      errors: [{ pointer: '/secret', detail: 'is required for this change' }],
    });
    expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(before);
    const value = 'a-secret-of-the-new-place-long-enough';
    const basic =
      (config['authScheme'] ?? home.authScheme) === 'Basic' &&
      !(config['username'] ?? (home.username && config['username'] !== null));
    const secret = { value: basic ? `user:${value}` : value };
    expectStatus(await sink.api.patch(sink.path, { config, secret }), 200);
  });

  it.each<readonly [string, string, string]>([
    ['another path', HOME, 'https://hooks.bücher.example.com/elsewhere'],
    ['another query', HOME, 'https://hooks.bücher.example.com/results?v=2'],
    ['capitals', HOME, 'https://HOOKS.BÜCHER.Example.COM/results'],
    ['the name in Punycode', HOME, 'https://hooks.xn--bcher-kva.example.com/results'],
    ['decomposed letters', HOME, 'https://hooks.bu\u0308cher.example.com/results'],
    ['full-width letters', HOME, 'https://ｈｏｏｋｓ.bücher.example.com/results'],
    ['an ideographic full stop', HOME, 'https://hooks。bücher.example.com/results'],
    ['a percent-encoded letter', HOME, 'https://%68ooks.bücher.example.com/results'],
    ['a trailing dot', HOME, 'https://hooks.bücher.example.com./results'],
    ['the default port', HOME, 'https://hooks.bücher.example.com:443/results'],
    ['a scheme in capitals', HOME, 'HTTPS://hooks.bücher.example.com/results'],
    ['white space around it', HOME, '  https://hooks.bücher.example.com/results\n'],
    ['a soft hyphen', HOME, 'https://ho\u00adoks.bücher.example.com/results'],
    ['another spelling of an address', IP_LITERAL, 'https://0x5d.0xb8.0xd8.0x22/results'],
    ['an address as a number', IP_LITERAL, 'https://1572395042/results'],
    ['another spelling of an IPv6 address', 'https://[2606:4700:0:0::1111]/', 'https://[2606:4700::1111]/'],
  ])('%s does not: the host is the same', async (_name, from, to) => {
    const sink = await sinkAt({ url: from });
    const { secret, config } = expectStatus(await sink.api.get(sink.path), 200);
    const changed = expectStatus(await sink.api.patch(sink.path, { config: { url: to } }), 200);
    expect(changed.secret).toEqual(secret);
    expect(new URL(changed.config.url as string).origin).toBe(new URL(config.url as string).origin);
  });
});

describe('the audit trail', () => {
  const entries = (sink: Sink): Promise<Body[]> =>
    platform().sql<Body>(
      `SELECT action, actor_type, actor_id, ip, agent_id, workspace_id, delivery_id, details
         FROM agent_data_source_audit WHERE data_source_id = $1 ORDER BY seq`,
      [sink.id],
    );

  it('records every change, Test, push, redelivery and deletion: the caller, its origin, and the old values', async () => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status: 400 }, { kind: 'answer' }]);
    const agent = await agentOfNewCustomer();
    const { workspaceId } = agent.customer;
    const sink = await agent.sink(endpoint.url, { secret: { value: SECRET } });
    const { id: deliveryId, jobId } = await sink.settledPush();
    expectStatus(await sink.api.post(`deliveries/${deliveryId}/redeliver`), 202);
    await agent.customer.settled(deliveryId);
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    expectStatus(await sink.api.patch(sink.path, { name: 'New name', status: 'INACTIVE' }), 200);
    const replaced = { config: { authScheme: 'Bearer' }, secret: { value: 'another-secret-of-some-length' } };
    expectStatus(await sink.api.patch(sink.path, { status: 'ACTIVE', ...replaced }), 200);
    await agent.setRules({ auto_push_on_job_complete: false });
    const byHand = await agent.finishJob();
    const pushed = expectStatus(await sink.api.post(`${sink.path}/pushes`, { jobId: byHand }), 202);
    await agent.customer.settled(pushed.id as string);
    expectStatus(await sink.api.delete(sink.path), 204);

    await platform().audited();
    const found = await entries(sink);
    const by = (action: string): Body[] => found.filter((entry) => entry.action === action);
    expect(by('DATA_SINK_CREATED')).toMatchObject([
      { delivery_id: null, details: { name: 'Internal BI ingest', format: 'JSON', config: { url: endpoint.url } } },
    ]);
    expect(by('DATA_SINK_TESTED')).toMatchObject([{ details: { passed: true, status: 'SUCCEEDED', httpStatus: 200 } }]);
    expect(by('DATA_SINK_CHANGED')).toMatchObject([
      {
        details: {
          name: { from: 'Internal BI ingest', to: 'New name' },
          status: { from: 'ACTIVE', to: 'INACTIVE' },
        },
      },
      {
        details: {
          status: { from: 'INACTIVE', to: 'ACTIVE' },
          config: { from: { authScheme: 'HmacSha256' }, to: { authScheme: 'Bearer' } },
          secret: 'replaced',
        },
      },
    ]);
    expect(by('REDELIVERY_REQUESTED')).toMatchObject([
      { delivery_id: deliveryId, details: { jobId, previousStatus: 'FAILED' } },
    ]);
    expect(by('PUSH_REQUESTED')).toMatchObject([{ delivery_id: pushed.id, details: { jobId: byHand } }]);
    expect(by('DATA_SINK_DELETED')).toHaveLength(1);
    expect(by('AGENT_RESULTS_PUSHED').map(({ delivery_id }) => delivery_id)).toEqual([deliveryId, pushed.id]);
    expect(by('AGENT_RESULTS_PUSH_FAILED').map(({ delivery_id }) => delivery_id)).toEqual([deliveryId]);

    for (const { action, actor_type, actor_id, ip, agent_id, workspace_id } of found) {
      expect([agent_id, workspace_id]).toEqual([agent.id, workspaceId]);
      if ((action as string).startsWith('AGENT_'))
        expect([actor_type, actor_id, ip]).toEqual(['agent', agent.id, null]);
      else
        expect([actor_type, actor_id, ip]).toEqual([
          'token',
          expect.stringMatching(/^tok_/),
          expect.stringMatching(/127\.0\.0\.1$/),
        ]);
    }
    const text = JSON.stringify(found);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('another-secret');
  });

  it('records nothing about refused requests', async () => {
    const sink = await sinkAt();
    await sink.api.patch(sink.path, { config: { url: 'https://elsewhere.example.com/' } });
    await sink.api.patch(sink.path, { name: '' });
    await sink.api.post(`${sink.path}/pushes`, { jobId: 'job_none' });
    expect((await entries(sink)).map(({ action }) => action as string)).toEqual(['DATA_SINK_CREATED']);
  });
});
