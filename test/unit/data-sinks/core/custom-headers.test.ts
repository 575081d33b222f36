import { validateHeaderName, validateHeaderValue } from 'node:http';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { validateCustomHeaders } from '../../../../src/data-sinks/core/custom-headers.js';

const of = (name: string, value = 'x') => validateCustomHeaders([{ name, value }]);

describe('custom headers', () => {
  it.each([
    'X-Team',
    'x-api-key',
    'Accept',
    'Accept-Language',
    'X-Tenant_Id',
    'traceparent',
    'Ocp-Apim-Subscription-Key',
    'webhooks',
    'x-mtx',
    'datetime',
  ])('accepts %s', (name) => {
    expect(of(name)).toEqual([]);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Proxy-Authorization',
    'Proxy-Connection',
    'Content-Length',
    'Content-Type',
    'Content-Encoding',
    'Content-Digest',
    'Host',
    'Authorization',
    'Cookie',
    'Expect',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'User-Agent',
    'Date',
    'X-MT-Signature',
    'x-mt-anything',
    'webhook-id',
    'Webhook-Signature',
    'Accept-Encoding',
    '__proto__',
  ])('reserves %s', (name) => {
    expect(of(name)).toEqual([{ pointer: '/0/name', detail: `${name.toLowerCase()} is reserved` }]);
  });

  it.each(['', 'X Team', 'X-Team:', 'X\r\nHost', 'Ünï', 'X-\u0000', '(x)', 'a'.repeat(129)])(
    'refuses the name "%s"',
    (name) => {
      expect(of(name)).toHaveLength(1);
    },
  );

  it.each(['a\r\nX-Injected: 1', 'a\nb', 'a\u0000b', 'grün', 'a\tb', ' a', 'a ', '\u007f', 'a'.repeat(4097)])(
    'refuses the value %j',
    (value) => {
      expect(of('X-Team', value)).toMatchObject([{ pointer: '/0/value' }]);
    },
  );

  it.each(['', 'a', 'a b', '!~', 'a'.repeat(4096)])('accepts the value "%s"', (value) => {
    expect(of('X-Team', value)).toEqual([]);
  });

  it('refuses a name that is given twice, whatever its case, and points at the second', () => {
    const twice = [
      { name: 'X-Team', value: 'a' },
      { name: 'x-team', value: 'b' },
    ];
    expect(validateCustomHeaders(twice)).toEqual([{ pointer: '/1/name', detail: 'x-team is given twice' }]);
  });

  it('takes 20 and refuses 21', () => {
    const list = Array.from({ length: 21 }, (_, i) => ({ name: `X-${i}`, value: '' }));
    expect(validateCustomHeaders(list.slice(1))).toEqual([]);
    expect(validateCustomHeaders(list)).toEqual([{ pointer: '', detail: 'must have at most 20 headers' }]);
  });

  it('whatever passes, Node will send', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.string({ unit: 'binary', maxLength: 12 }),
        (name, value) => {
          if (validateCustomHeaders([{ name, value }]).length > 0) return;
          expect(() => {
            validateHeaderName(name);
            validateHeaderValue(name, value);
          }).not.toThrow();
        },
      ),
      { numRuns: 2000 },
    );
  });
});
