import { gzip } from 'node:zlib';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDnsResolver } from '../../../src/data-sinks/egress/index.js';
import { type NameServer, startNameServer } from '../../support/egress/name-server.js';

describe('asking the name servers', () => {
  let server: NameServer;

  beforeAll(async () => {
    server = await startNameServer({
      'dual.acme.org': ['93.184.216.34', '2606:4700:0:0:0:0:0:1', '93.184.216.35'],
      'v6.acme.org': ['2606:4700:0:0:0:0:0:1'],
      'empty.acme.org': [],
      'broken.acme.org': 2,
      'silent.acme.org': null,
    });
  });
  afterAll(() => server.stop());

  it('gives all addresses of both kinds, IPv4 first', async () => {
    const addresses = await createDnsResolver([server.address])('dual.acme.org');
    expect(addresses.map(({ address }) => address).sort()).toEqual(['2606:4700::1', '93.184.216.34', '93.184.216.35']);
    expect(addresses.map(({ family }) => family)).toEqual([4, 4, 6]);
  });

  it('one kind is enough', async () => {
    expect(await createDnsResolver([server.address])('v6.acme.org')).toEqual([{ address: '2606:4700::1', family: 6 }]);
  });

  it.each([
    ['gone.acme.org', 'ENOTFOUND'],
    ['empty.acme.org', 'ENODATA'],
    ['broken.acme.org', 'ESERVFAIL'],
  ])('%s fails with %s', async (name, code) => {
    await expect(createDnsResolver([server.address])(name)).rejects.toMatchObject({ code });
  });

  it('twenty names whose servers are silent hold up neither a good name nor the threads', async () => {
    const resolve = createDnsResolver([server.address]);
    let answered = 0;
    const silent = Array.from({ length: 20 }, () => resolve('silent.acme.org').catch(() => (answered += 1)));
    const addresses = await resolve('v6.acme.org');
    await promisify(gzip)('some work for a thread');
    expect([addresses.length, answered]).toEqual([1, 0]);
    await Promise.all(silent);
  });
});
