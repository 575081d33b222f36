import { gzip } from 'node:zlib';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDnsResolver } from '../../../src/data-sinks/egress/index.js';
import { type NameServer, startNameServer } from '../../support/egress/name-server.js';

describe('the DNS resolver', () => {
  let server: NameServer;

  beforeAll(async () => {
    server = await startNameServer({
      'dual.acme.org': ['93.184.216.34', '2606:4700:0:0:0:0:0:1', '93.184.216.35'],
      'v6.acme.org': ['2606:4700:0:0:0:0:0:1'],
      'empty.acme.org': [],
      'broken.acme.org': 2,
      'silent.acme.org': null,
      'half.acme.org': ['93.184.216.34', null],
      'other-half.acme.org': ['2606:4700:0:0:0:0:0:1', null],
    });
  });
  afterAll(() => server.stop());

  it('returns all addresses of both families, IPv4 first', async () => {
    const addresses = await createDnsResolver([server.address])('dual.acme.org');
    expect(addresses.map(({ address }) => address).sort()).toEqual(['2606:4700::1', '93.184.216.34', '93.184.216.35']);
    expect(addresses.map(({ family }) => family)).toEqual([4, 4, 6]);
  });

  it('needs only one family', async () => {
    expect(await createDnsResolver([server.address])('v6.acme.org')).toEqual([{ address: '2606:4700::1', family: 6 }]);
  });

  it.each([
    ['half.acme.org', '93.184.216.34'],
    ['other-half.acme.org', '2606:4700::1'],
  ])('%s, of which one kind is never answered, has the other kind soon', async (name, address) => {
    const askedAt = performance.now();
    expect(await createDnsResolver([server.address])(name)).toMatchObject([{ address }]);
    // Before the deadline of an attempt's look-up.
    expect(performance.now() - askedAt).toBeLessThan(4_000);
  });

  it.each([
    ['gone.acme.org', 'ENOTFOUND'],
    ['empty.acme.org', 'ENODATA'],
    ['broken.acme.org', 'ESERVFAIL'],
  ])('%s fails with %s', async (name, code) => {
    await expect(createDnsResolver([server.address])(name)).rejects.toMatchObject({ code });
  });

  it('twenty names with silent servers delay neither another name nor the thread pool', async () => {
    const resolve = createDnsResolver([server.address]);
    let answered = 0;
    const silent = Array.from({ length: 20 }, () => resolve('silent.acme.org').catch(() => (answered += 1)));
    const addresses = await resolve('v6.acme.org');
    await promisify(gzip)('some work for a thread');
    expect([addresses.length, answered]).toEqual([1, 0]);
    await Promise.all(silent);
  });
});
