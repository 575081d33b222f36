import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { canonicalAddress, createNetworkPolicy } from '../../../../src/data-sinks/domain/network-policy.js';

const policy = createNetworkPolicy({ privateRanges: [] });
const kindOf = (address: string) => policy.judgeAddress(address).kind;

/** Written down again, apart from the code: egress.md, "Addresses". */
const REFUSED_IPV4 =
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32'.split(
    ' ',
  );
const REFUSED_IPV6 = '2001::/23 2001:db8::/32 2002::/16 3fff::/20'.split(' ');

describe('which addresses may be connected to', () => {
  it.each(REFUSED_IPV4)('refuses %s from end to end, and accepts both neighbours', (cidr) => {
    const [first, last] = boundsV4(cidr);
    fc.assert(
      fc.property(fc.integer({ min: first, max: last }), (bits) => {
        expect(kindOf(dotted(bits))).toBe('refused');
      }),
    );
    expect([kindOf(dotted(first)), kindOf(dotted(last))]).toEqual(['refused', 'refused']);
    for (const neighbour of [first - 1, last + 1]) {
      if (neighbour < 0 || neighbour > 0xffffffff || REFUSED_IPV4.some((other) => contains(other, neighbour))) continue;
      expect([dotted(neighbour), kindOf(dotted(neighbour))]).toEqual([dotted(neighbour), 'public']);
    }
  });

  it.each(REFUSED_IPV6)('refuses %s from end to end, and accepts the neighbours inside 2000::/3', (cidr) => {
    const [first, last] = boundsV6(cidr);
    fc.assert(
      fc.property(fc.bigInt({ min: first, max: last }), (bits) => {
        expect(kindOf(groups(bits))).toBe('refused');
      }),
    );
    expect([kindOf(groups(first)), kindOf(groups(last))]).toEqual(['refused', 'refused']);
    for (const neighbour of [first - 1n, last + 1n]) {
      expect([groups(neighbour), kindOf(groups(neighbour))]).toEqual([groups(neighbour), 'public']);
    }
  });

  it('no IPv6 address outside 2000::/3 is public, except those that embed a public IPv4 address', () => {
    const [first, last] = boundsV6('2000::/3');
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (bits) => {
        fc.pre(bits < first || bits > last);
        fc.pre(bits >> 32n !== 0xffffn && bits >> 32n !== 0x64ff9bn << 64n);
        expect(kindOf(groups(bits))).toBe('refused');
      }),
      { numRuns: 1000 },
    );
    expect([kindOf(groups(first - 1n)), kindOf(groups(last + 1n))]).toEqual(['refused', 'refused']);
    expect([kindOf(groups(first)), kindOf('3fff:ffff:ffff::1')]).toEqual(['public', 'public']);
  });

  it('every IPv4 verdict equals that of its v4-mapped and NAT64 forms', () => {
    const narrow = createNetworkPolicy({ privateRanges: ['127.0.0.0/8', '10.1.0.0/16'] });
    const anyIPv4 = fc.oneof(
      fc.nat(0xffffffff),
      ...REFUSED_IPV4.map((cidr) => fc.integer({ min: boundsV4(cidr)[0], max: boundsV4(cidr)[1] })),
    );
    fc.assert(
      fc.property(anyIPv4, (bits) => {
        const hex = `${(bits >>> 16).toString(16)}:${(bits & 0xffff).toString(16)}`;
        const forms = [`::ffff:${dotted(bits)}`, `::ffff:${hex}`, `64:ff9b::${dotted(bits)}`, `64:ff9b::${hex}`];
        for (const form of forms) {
          expect(policy.judgeAddress(form)).toEqual(policy.judgeAddress(dotted(bits)));
          expect(narrow.judgeAddress(form)).toEqual(narrow.judgeAddress(dotted(bits)));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('every 6to4, Teredo and v4-compatible address is refused, whatever it embeds', () => {
    const tail = fc.bigInt({ min: 0n, max: (1n << 112n) - 1n });
    fc.assert(
      fc.property(tail, fc.nat(0xffffffff), (bits, ipv4) => {
        expect(kindOf(groups((0x2002n << 112n) | bits))).toBe('refused');
        expect(kindOf(groups((0x20010000n << 96n) | (bits & ((1n << 96n) - 1n))))).toBe('refused');
        expect(kindOf(groups(BigInt(ipv4)))).toBe('refused');
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    'fe80::1%eth0',
    '2606:4700::1%1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.1',
    '2130706433',
    '8.8.8',
    '08.8.8.8',
    '',
    ' ',
    'localhost',
    '8.8.8.8 ',
    '[2606:4700::1]',
    '8.8.8.8/32',
  ])('anything that is not a plain address is refused: "%s"', (text) => {
    expect(policy.judgeAddress(text)).toEqual({ kind: 'refused', reason: 'not an IP address' });
    expect(canonicalAddress(text)).toBeNull();
  });

  it('the operator’s reason names the range', () => {
    expect(policy.judgeAddress('169.254.169.254')).toEqual({
      kind: 'refused',
      reason: '169.254.0.0/16: link-local, cloud metadata',
    });
  });

  it.each([
    ['2606:4700:0:0:0:0:0:1', '2606:4700::1'],
    ['2606:4700::0001', '2606:4700::1'],
    ['::ffff:8.8.8.8', '8.8.8.8'],
    ['::FFFF:808:808', '8.8.8.8'],
    ['8.8.8.8', '8.8.8.8'],
  ])('%s and %s are the same address', (one, other) => {
    expect(canonicalAddress(one)).toBe(canonicalAddress(other));
  });
});

describe('ranges that the operator opens', () => {
  it('are allowed, and no others', () => {
    const dev = createNetworkPolicy({ privateRanges: ['127.0.0.0/8', '::1/128', '192.168.4.0/24'] });
    expect(dev.opensAny).toBe(true);
    expect(dev.judgeAddress('127.0.0.1')).toEqual({ kind: 'opened', range: '127.0.0.0/8' });
    expect(dev.judgeAddress('::1')).toEqual({ kind: 'opened', range: '::1/128' });
    expect(dev.judgeAddress('::2').kind).toBe('refused');
    expect(dev.judgeAddress('192.168.5.1').kind).toBe('refused');
    expect(dev.judgeAddress('8.8.8.8').kind).toBe('public');
  });

  it.each([
    '127.0.0.1',
    '127.0.0.0/33',
    '127.1/8',
    'localhost/8',
    '',
    '/8',
    '::1/129',
    'fe80::1%eth0/64',
    '10.0.0.0/8 ',
    '10.0.0.0/-1',
  ])('stop the boot if malformed: "%s"', (cidr) => {
    expect(() => createNetworkPolicy({ privateRanges: [cidr] })).toThrow(/write it like 127\.0\.0\.0\/8/);
  });

  it.each([
    '0.0.0.0/0',
    '10.0.0.0/7',
    '8.8.8.0/24',
    '172.0.0.0/8',
    '::/0',
    '::/3',
    '2000::/3',
    '2001::/16',
    '::ffff:0:0/96',
    '64:ff9b::/96',
    '64:ff9b::/32',
  ])('stop the boot if they include public addresses: %s', (cidr) => {
    expect(() => createNetworkPolicy({ privateRanges: [cidr] })).toThrow(/reaches into public space/);
  });
});

function dotted(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

function boundsV4(cidr: string): [number, number] {
  const [base = '', length = ''] = cidr.split('/');
  const first = base.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return [first, first + 2 ** (32 - Number(length)) - 1];
}

function contains(cidr: string, bits: number): boolean {
  const [first, last] = boundsV4(cidr);
  return bits >= first && bits <= last;
}

/** Only for bases of the form `a:b::`. */
function boundsV6(cidr: string): [bigint, bigint] {
  const [base = '', length = ''] = cidr.split('/');
  const first = base
    .replace('::', '')
    .split(':')
    .reduce((sum, group, i) => sum | (BigInt(`0x${group || 0}`) << BigInt(112 - 16 * i)), 0n);
  return [first, first + (1n << BigInt(128 - Number(length))) - 1n];
}

function groups(bits: bigint): string {
  return Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':');
}
