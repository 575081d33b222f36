import net from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { parseEndpointUrl } from '../../../src/data-sinks/domain/endpoint-url.js';
import { createNetworkPolicy } from '../../../src/data-sinks/domain/network-policy.js';
import { AddressGuard } from '../../../src/data-sinks/egress/address-guard.js';
import { PushClient, type PushExchange } from '../../../src/data-sinks/egress/index.js';
import { addressesOf, endpointUrls, reportTried } from '../../support/egress/endpoint-urls.js';
import { fakeResolver } from '../../support/egress/fake-resolver.js';
import { loopbackClient, pushOf } from '../../support/egress/push-client-fixture.js';
import { ReceiverProcess } from '../../support/egress/receiver-process.js';

const closed = createNetworkPolicy({ privateRanges: [] });

function codeOf({ result }: PushExchange): string {
  return result.kind === 'failed' ? result.errorCode : String(result.httpStatus);
}

describe('the table of URLs at the connector', () => {
  const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
  afterAll(() => reportTried('every attempt (connection)', counts));
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('no hostile URL leads to a connection attempt', async () => {
    const connect = jest.spyOn(net, 'connect').mockImplementation(() => {
      throw new Error('connected');
    });
    for (const entry of endpointUrls.hostile) {
      const client = new PushClient({
        policy: closed,
        userAgent: 'test',
        resolver: () => Promise.resolve(addressesOf(entry)),
      });
      const exchange = await client.post(pushOf(entry.url));
      counts.hostile += 1;
      const expected = entry.refusedAs === 'address_refused' ? 'address_refused' : 'url_refused';
      if (codeOf(exchange) !== expected) counts.accepted += 1;
      expect([entry.url, codeOf(exchange), exchange.remoteAddress]).toEqual([entry.url, expected, null]);
      expect(exchange.operatorDetail).toBeTruthy();
    }
    expect(connect).not.toHaveBeenCalled();
  });

  it('every acceptable URL passes', async () => {
    for (const entry of endpointUrls.acceptable) {
      const parsed = parseEndpointUrl(entry.url, closed);
      const addresses = addressesOf(entry);
      const guard = new AddressGuard(
        closed,
        () => Promise.resolve(addresses),
        1000,
        () => 0,
      );
      counts.acceptable += 1;
      const vetted = parsed.ok ? await guard.vet(parsed.url).catch(() => []) : [];
      if (vetted.length === 0) counts.overBlocked += 1;
      expect([entry.url, vetted.length > 0]).toEqual([entry.url, true]);
    }
  });
});

describe('the guarded connection', () => {
  let receiver: ReceiverProcess;
  let client: PushClient | undefined;

  beforeAll(async () => {
    receiver = await ReceiverProcess.start();
  });
  afterAll(() => receiver.stop());
  afterEach(() => client?.close());

  const url = (host: string) => receiver.url('/answer/status/200', host);

  it('connects to the checked address and sends the customer’s host name', async () => {
    const dns = fakeResolver(['127.0.0.1']);
    client = loopbackClient({ resolver: dns.resolve });
    const exchange = await client.post(pushOf(url('hooks.acme.org')));
    expect(exchange).toMatchObject({ result: { httpStatus: 200 }, remoteAddress: '127.0.0.1' });
    expect(exchange.timings.dnsMs).not.toBeNull();
    const { seen } = await receiver.state();
    expect(seen.at(-1)?.head).toMatch(new RegExp(`^host: hooks\\.acme\\.org:${receiver.port}$`, 'm'));
  });

  it('resolves once per attempt: a second DNS answer is not used', async () => {
    const dns = fakeResolver(['127.0.0.1'], ['169.254.169.254']);
    client = loopbackClient({ resolver: dns.resolve });
    expect(codeOf(await client.post(pushOf(url('rebind.acme.org'))))).toBe('200');
    expect(dns.asked).toEqual(['rebind.acme.org']);
  });

  it('checks again at the next attempt, and does not reuse a connection to an address that the name no longer has', async () => {
    const dns = fakeResolver(['127.0.0.1'], ['169.254.169.254'], ['127.0.0.2']);
    client = loopbackClient({ resolver: dns.resolve });
    const before = (await receiver.state()).connections;
    expect(codeOf(await client.post(pushOf(url('rebind.acme.org'))))).toBe('200');
    const second = await client.post(pushOf(url('rebind.acme.org')));
    expect([codeOf(second), second.remoteAddress]).toEqual(['address_refused', null]);
    expect(second.operatorDetail).toContain('169.254.169.254');
    const third = await client.post(pushOf(url('rebind.acme.org')));
    expect(third.remoteAddress === '127.0.0.2' || codeOf(third) === 'connection_refused').toBe(true);
    expect((await receiver.state()).connections).toBeLessThanOrEqual(before + 2);
  });

  it.each([
    ['one of two addresses is private', ['127.0.0.1', '10.0.0.1']],
    ['the IPv6 one of a dual stack is private', ['127.0.0.1', 'fd00::1']],
    ['a CNAME led to a private name', ['192.168.7.7']],
  ])('refuses when %s', async (_name, addresses) => {
    const before = (await receiver.state()).connections;
    client = loopbackClient({ resolver: fakeResolver(addresses).resolve });
    expect(codeOf(await client.post(pushOf(url('mixed.acme.org'))))).toBe('address_refused');
    expect((await receiver.state()).connections).toBe(before);
  });

  it('uses the address family that responds', async () => {
    client = loopbackClient({ resolver: fakeResolver(['::1', '127.0.0.1']).resolve });
    const exchange = await client.post(pushOf(url('dual.acme.org')));
    expect([codeOf(exchange), exchange.remoteAddress]).toEqual(['200', '127.0.0.1']);
  });

  it('plain http to a name outside the opened ranges is refused after resolving it', async () => {
    client = loopbackClient({ resolver: fakeResolver(['93.184.216.34']).resolve });
    expect(codeOf(await client.post(pushOf('http://api.acme.org/')))).toBe('url_refused');
    expect(codeOf(await client.post(pushOf('https://localhost/')))).toBe('url_refused');
  });

  it('a socket connected to an unchecked address is refused before a byte is sent', async () => {
    const elsewhere = net.connect(receiver.port, '127.0.0.1');
    const connect = jest.spyOn(net, 'connect').mockReturnValueOnce(elsewhere);
    client = loopbackClient({ resolver: fakeResolver(['127.0.0.9']).resolve });
    const exchange = await client.post(pushOf(receiver.url('/answer/status/200?elsewhere', 'hooks.acme.org')));
    connect.mockRestore();
    expect(codeOf(exchange)).toBe('address_refused');
    expect((await receiver.state()).seen.some(({ path }) => path.endsWith('?elsewhere'))).toBe(false);
  });

  it.each([
    ['ENOTFOUND', 'dns_not_found'],
    ['ENODATA', 'dns_not_found'],
    ['EAI_AGAIN', 'resolver_unavailable'],
    ['ESERVFAIL', 'resolver_unavailable'],
    ['ECONNREFUSED', 'resolver_unavailable'],
    ['ETIMEOUT', 'resolver_unavailable'],
  ])('a look-up that fails with %s is %s', async (failure, code) => {
    client = loopbackClient({ resolver: fakeResolver(failure).resolve });
    expect(codeOf(await client.post(pushOf(url('gone.acme.org'))))).toBe(code);
  });

  it('a name that fails while others resolve is dns_not_found: its own servers are at fault', async () => {
    client = loopbackClient({
      resolver: (name) =>
        name === 'broken.acme.org'
          ? fakeResolver('ESERVFAIL').resolve(name)
          : fakeResolver(['127.0.0.1']).resolve(name),
    });
    const codes: string[] = [];
    for (const host of ['hooks.acme.org', 'broken.acme.org', 'hooks.acme.org', 'broken.acme.org']) {
      codes.push(codeOf(await client.post(pushOf(url(host)))));
    }
    expect(codes).toEqual(['200', 'resolver_unavailable', '200', 'dns_not_found']);
  });

  it('a name without addresses is dns_not_found, a resolver that hangs is dns_timeout', async () => {
    client = loopbackClient({ resolver: fakeResolver([]).resolve });
    expect(codeOf(await client.post(pushOf(url('empty.acme.org'))))).toBe('dns_not_found');
    await client.close();
    client = loopbackClient({ resolver: () => new Promise(() => undefined), deadlines: { dnsMs: 50 } });
    expect(codeOf(await client.post(pushOf(url('hangs.acme.org'))))).toBe('dns_timeout');
  });

  it('a closed port is connection_refused', async () => {
    client = loopbackClient();
    const free = await ReceiverProcess.start();
    await free.stop();
    const exchange = await client.post(pushOf(free.url('/')));
    expect([codeOf(exchange), exchange.timings.uploadMs]).toEqual(['connection_refused', null]);
  });

  it('an unresponsive address is connect_timeout', async () => {
    const connect = jest.spyOn(net, 'connect').mockReturnValueOnce(new net.Socket());
    client = loopbackClient({ deadlines: { connectMs: 50 } });
    const exchange = await client.post(pushOf(url('127.0.0.1')));
    connect.mockRestore();
    expect([codeOf(exchange), exchange.remoteAddress]).toEqual(['connect_timeout', null]);
  });

  it('proxy variables have no effect', async () => {
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const saved = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) process.env[name] = 'http://127.0.0.1:1';
    try {
      client = loopbackClient();
      expect(codeOf(await client.post(pushOf(url('127.0.0.1'))))).toBe('200');
    } finally {
      for (const [name, value] of saved) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});
