import { describe, expect, it } from '@jest/globals';

import { createNetworkPolicy } from '../../../../src/data-sinks/domain/network-policy.js';
import { systemResolver } from '../../../../src/data-sinks/egress/index.js';
import { requestHeaders, resolvePushOptions } from '../../../../src/data-sinks/egress/push-defaults.js';

const body = { bytes: 0, whole: new Uint8Array(), open: () => (async function* () {})() };

describe('the headers of a push', () => {
  it('put ours first, and custom headers cannot override them', () => {
    const headers = requestHeaders(
      {
        url: 'https://a.org/',
        headers: { Authorization: 'Bearer ours' },
        customHeaders: [
          { name: 'authorization', value: 'Bearer theirs' },
          { name: 'User-Agent', value: 'theirs' },
          { name: 'HOST', value: 'elsewhere' },
          { name: 'content-length', value: '7' },
          { name: 'X-Team', value: 'bi' },
        ],
        body,
      },
      'ours/1',
    );
    expect(headers).toEqual([
      ...['user-agent', 'ours/1', 'accept-encoding', 'identity'],
      ...['Authorization', 'Bearer ours', 'X-Team', 'bi'],
    ]);
  });
});

describe('the options of the client', () => {
  it('use the default for an undefined option', () => {
    const policy = createNetworkPolicy({ privateRanges: [] });
    const options = resolvePushOptions({ policy, userAgent: 'a/1', keepAliveMs: undefined, deadlines: { dnsMs: 1 } });
    expect(options).toMatchObject({
      keepAliveMs: 4_000,
      deadlines: { dnsMs: 1, connectMs: 10_000 },
      allowedPorts: [443],
    });
    expect(options.resolver).not.toBe(systemResolver);
  });

  it('use /etc/hosts if a private range is opened', () => {
    const policy = createNetworkPolicy({ privateRanges: ['127.0.0.0/8'] });
    expect(resolvePushOptions({ policy, userAgent: 'a/1' }).resolver).toBe(systemResolver);
  });
});
