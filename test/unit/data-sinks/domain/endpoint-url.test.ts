import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { parseEndpointUrl } from '../../../../src/data-sinks/domain/endpoint-url.js';
import { createNetworkPolicy } from '../../../../src/data-sinks/domain/network-policy.js';
import { endpointUrls, reportTried } from '../../../support/egress/endpoint-urls.js';

const closed = createNetworkPolicy({ privateRanges: [] });
const opened = createNetworkPolicy({ privateRanges: ['127.0.0.0/8', '::1/128'] });

describe('the URL of an endpoint, before its name is resolved', () => {
  const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
  afterAll(() => reportTried('saving (parse)', counts));

  const hostile = endpointUrls.hostile.filter(({ resolvesTo }) => !resolvesTo);

  it.each(hostile)('refuses $url as $refusedAs: $because', ({ url, refusedAs }) => {
    const result = parseEndpointUrl(url, closed);
    counts.hostile += 1;
    if (result.ok) counts.accepted += 1;
    expect(result).toMatchObject({ ok: false, code: refusedAs });
  });

  it.each(endpointUrls.acceptable)('accepts $url', ({ url }) => {
    const result = parseEndpointUrl(url, closed);
    counts.acceptable += 1;
    if (!result.ok) counts.overBlocked += 1;
    expect(result).toMatchObject({ ok: true, url: { scheme: 'https', port: 443, onlyOpenedRanges: false } });
  });

  it('is tested with at least 100 hostile and 30 acceptable URLs', () => {
    expect(hostile.length).toBeGreaterThanOrEqual(100);
    expect(endpointUrls.acceptable.length).toBeGreaterThanOrEqual(30);
  });

  it('every refused address has the same message for the customer', () => {
    const details = hostile
      .filter(({ refusedAs }) => refusedAs === 'address_refused')
      .map(({ url }) => parseEndpointUrl(url, closed))
      .map((result) => (result.ok ? null : result.detail));
    expect(new Set(details).size).toBe(1);
  });

  it('is stored only in its normalised form, without the trailing dot', () => {
    expect(parseEndpointUrl(' HTTPS://API.Acme.org.:443/a/../b?c=d e ', closed)).toEqual({
      ok: true,
      url: {
        href: 'https://api.acme.org/b?c=d%20e',
        origin: 'https://api.acme.org',
        scheme: 'https',
        host: 'api.acme.org',
        hostname: 'api.acme.org',
        port: 443,
        target: '/b?c=d%20e',
        isIpLiteral: false,
        onlyOpenedRanges: false,
      },
    });
  });

  it('may use another port that the operator allows', () => {
    expect(parseEndpointUrl('https://api.acme.org:8443/', closed, { allowedPorts: [443, 8443] })).toMatchObject({
      ok: true,
      url: { port: 8443, onlyOpenedRanges: false },
    });
  });

  it.each([
    ['http://127.0.0.1:8080/x', true],
    ['https://127.0.0.1/x', false],
    ['http://[::1]:3000/x', true],
    ['http://localhost:3000/x', true],
    ['https://localhost/x', true],
    ['http://api.acme.org/x', true],
    ['https://api.acme.org:9000/x', true],
    ['https://api.acme.org/x', false],
  ])('with loopback opened, %s passes; only for opened addresses: %s', (url, onlyOpenedRanges) => {
    expect(parseEndpointUrl(url, opened)).toMatchObject({ ok: true, url: { onlyOpenedRanges } });
  });

  it.each(['http://10.0.0.1/', 'http://8.8.8.8/', 'https://8.8.8.8:8080/', 'https://192.168.0.1/', 'ftp://127.0.0.1/'])(
    'with loopback opened, %s is still refused',
    (url) => {
      expect(parseEndpointUrl(url, opened).ok).toBe(false);
    },
  );

  it('every spelling of an IPv4 address has the same verdict', () => {
    const spelling = fc.tuple(
      fc.nat(0xffffffff),
      fc.integer({ min: 0, max: 5 }),
      fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
    );
    fc.assert(
      fc.property(spelling, ([bits, form, bases]) => {
        const plain = parseEndpointUrl(`https://${dotted(bits)}/`, closed);
        expect(parseEndpointUrl(`https://${spell(bits, form, bases)}/`, closed)).toEqual(plain);
      }),
      { numRuns: 2000 },
    );
  });

  it('every spelling of a name has the same verdict and the same stored form', () => {
    const name = fc.constantFrom(
      'api.acme.org',
      'metadata.google.internal',
      'localhost',
      'foo.svc.cluster.local',
      'xn--bcher-kva.de',
    );
    fc.assert(
      fc.property(name, fc.array(fc.nat(3), { minLength: 25, maxLength: 25 }), fc.boolean(), (host, ways, dot) => {
        const spelled = [...host].map((letter, i) => respell(letter, ways[i] ?? 0)).join('');
        expect(parseEndpointUrl(`https://${spelled}${dot ? '.' : ''}/x`, closed)).toEqual(
          parseEndpointUrl(`https://${host}/x`, closed),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws, and accepts its own normalised form', () => {
    const text = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.string({ unit: 'binary' }).map((s) => `https://${s}`),
    );
    fc.assert(
      fc.property(text, (input) => {
        const result = parseEndpointUrl(input, closed);
        if (result.ok) expect(parseEndpointUrl(result.url.href, closed)).toEqual(result);
      }),
      { numRuns: 2000 },
    );
  });
});

function dotted(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

function spell(bits: number, form: number, bases: readonly number[]): string {
  const part = (value: number, i: number) =>
    [String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`][bases[i] ?? 0] ?? '';
  const octets = [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255);
  const [a = 0, b = 0] = octets;
  switch (form) {
    case 0:
      return octets.map(part).join('.');
    case 1:
      return part(bits >>> 0, 0);
    case 2:
      return `${part(a, 0)}.${part(bits & 0xffffff, 1)}`;
    case 3:
      return `${part(a, 0)}.${part(b, 1)}.${part(bits & 0xffff, 2)}`;
    case 4:
      return [...dotted(bits)].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
    default:
      return [...dotted(bits)].map((c) => (c === '.' ? '。' : String.fromCharCode(c.charCodeAt(0) + 0xfee0))).join('');
  }
}

/** Lower case, upper case, percent-encoded, full-width. */
function respell(letter: string, way: number): string {
  if (way === 1) return letter.toUpperCase();
  if (way === 2) return `%${letter.charCodeAt(0).toString(16)}`;
  if (way === 3 && /[a-z]/.test(letter)) return String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
  return letter;
}
