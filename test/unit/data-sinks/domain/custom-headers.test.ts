import { validateHeaderName, validateHeaderValue } from 'node:http';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { headersToSend, validateCustomHeaders } from '../../../../src/data-sinks/domain/custom-headers.js';

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
  ])('reserves %s', (name) => {
    expect(of(name)).toEqual([{ pointer: '/0/name', detail: `${name.toLowerCase()} is reserved` }]);
  });

  it.each([
    ['X_MT_Signature', 'x-mt-signature'],
    ['x_mt-Signature', 'x-mt-signature'],
    ['X-MT_Delivery_Id', 'x-mt-delivery-id'],
    ['Webhook_Id', 'webhook-id'],
    ['webhook_signature', 'webhook-signature'],
    ['Content_Length', 'content-length'],
    ['CONTENT_TYPE', 'content-type'],
    ['Transfer_Encoding', 'transfer-encoding'],
    ['X_Forwarded_For', 'x-forwarded-for'],
    ['X-Forwarded_Proto', 'x-forwarded-proto'],
    ['User_Agent', 'user-agent'],
    ['Accept_Encoding', 'accept-encoding'],
    ['Keep_Alive', 'keep-alive'],
    ['Proxy_Authorization', 'proxy-authorization'],
    ['HTTP2_Settings', 'http2-settings'],
    // lighttpd, and Apache before 2.4, make `_` of every character that is no letter or digit.
    ['X.MT.Signature', 'x-mt-signature'],
    ['content~length', 'content-length'],
    ['__proto__', '--proto--'],
  ])('reserves %s, which CGI, WSGI and PHP receivers cannot distinguish from %s', (name, read) => {
    expect(of(name)).toEqual([
      { pointer: '/0/name', detail: `${name.toLowerCase()} is reserved: many servers treat it as ${read}` },
    ]);
  });

  it.each([
    'X_Tenant',
    'x_mtx',
    'webhooks_id',
    'My_Content_Length',
    'X_Content_Type',
    'Date_Time',
    'X_Host',
    'Api.Version',
    '_',
    'Contents_Length',
  ])('accepts %s, which is not reserved in any reading', (name) => {
    expect(of(name)).toEqual([]);
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

  it('refuses a duplicate name in any case, and points at the second', () => {
    const twice = [
      { name: 'X-Team', value: 'a' },
      { name: 'x-team', value: 'b' },
    ];
    expect(validateCustomHeaders(twice)).toEqual([{ pointer: '/1/name', detail: 'x-team is given twice' }]);
  });

  it('refuses two names that some receivers cannot distinguish', () => {
    const twice = [
      { name: 'X-Team', value: 'a' },
      { name: 'X_Team', value: 'b' },
    ];
    expect(validateCustomHeaders(twice)).toEqual([
      { pointer: '/1/name', detail: 'x_team is given twice: many servers treat it as x-team' },
    ]);
  });

  it('accepts 20 and refuses 21', () => {
    const list = Array.from({ length: 21 }, (_, i) => ({ name: `X-${i}`, value: '' }));
    expect(validateCustomHeaders(list.slice(1))).toEqual([]);
    expect(validateCustomHeaders(list)).toEqual([{ pointer: '', detail: 'must have at most 20 headers' }]);
  });

  it('accepts only what Node can send', () => {
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

describe('custom headers of a sink saved under older rules', () => {
  const named = (...names: string[]) => names.map((name) => ({ name, value: 'theirs' }));
  const sent = (names: string[], ours: string[] = []) => headersToSend(named(...names), ours).map(({ name }) => name);

  it.each([
    'X_MT_Signature',
    'x-mt_attempt',
    'Content_Length',
    'Webhook_Timestamp',
    'X.MT.Part',
    'User_Agent',
    'Transfer_Encoding',
    '__proto__',
    'Host',
  ])('%s is no longer sent', (name) => {
    expect(sent(['X-Team', name, 'X_Tenant'])).toEqual(['X-Team', 'X_Tenant']);
  });

  it('duplicates of other headers are not sent', () => {
    expect(sent(['Traceparent', 'X-Team', 'X_Team', 'x-team', 'Trace_State'], ['traceparent'])).toEqual([
      'X-Team',
      'Trace_State',
    ]);
  });
});
