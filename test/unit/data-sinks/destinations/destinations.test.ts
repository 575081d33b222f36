import { describe, expect, it } from '@jest/globals';
import 'reflect-metadata';
import { DataSourceConfigBody } from '../../../../src/data-sinks/api/dto/data-source-config.body.js';
import { SecretBody } from '../../../../src/data-sinks/api/dto/data-source.body.js';
import type { Destination } from '../../../../src/data-sinks/destinations/destination.js';
import { Destinations } from '../../../../src/data-sinks/destinations/destinations.js';
import type { RuleViolation } from '../../../../src/data-sinks/domain/data-sink-rules.js';

const webhook = {
  type: 'HTTPS_WEBHOOK',
  configFields: DataSourceConfigBody,
  secretFields: SecretBody,
} as unknown as Destination;
const offered = new Destinations([webhook]);

function errors(check: () => unknown): readonly RuleViolation[] {
  try {
    check();
  } catch (error) {
    const { code, extras } = error as { code?: string; extras: { errors: readonly RuleViolation[] } };
    if (code === 'validation-failed') return extras.errors;
    throw error;
  }
  throw new Error('accepted');
}

const valid = {
  role: 'RESULTS_SINK',
  type: 'HTTPS_WEBHOOK',
  name: 'Internal BI ingest',
  config: { url: 'https://internal.acme.com/mapping-results', authScheme: 'HmacSha256' },
  secret: { value: 'correct horse battery staple' },
  format: 'JSON',
};
const withConfig = (config: object) => ({ ...valid, config: { ...valid.config, ...config } });

describe('the body that creates a data source', () => {
  it.each<[string, object]>([
    ['as the contract has it', valid],
    ['without a secret', { ...valid, secret: undefined }],
    [
      'with everything',
      withConfig({ username: 'u', customHeaders: [{ name: 'X-A', value: 'b' }], retryableStatuses: [408, 429] }),
    ],
    ['with a username of null', withConfig({ username: null })],
    ['in JSON lines', { ...valid, format: 'JSONL' }],
    [
      'with all that decides its bodies',
      { ...withConfig({ compression: 'gzip', includeFields: ['matchMethod'], maxRowsPerPush: 500 }), format: 'CSV' },
    ],
    ['with nulls for what takes them', withConfig({ includeFields: null, maxRowsPerPush: null })],
  ])('is accepted %s', (_what, body) => {
    expect(offered.newSink(body)).toMatchObject(JSON.parse(JSON.stringify(body)) as object);
  });

  it.each<[object, string, RegExp]>([
    [{ ...valid, role: 'SOURCE' }, '/role', /^must be one of RESULTS_SINK$/],
    [{ ...valid, type: 'S3' }, '/type', /^must be one of HTTPS_WEBHOOK$/],
    [{ ...valid, type: 7 }, '/type', /./],
    [{ ...valid, format: 'XML' }, '/format', /^must be one of JSON, JSONL, CSV, PARQUET$/],
    [{ ...valid, name: 7 }, '/name', /./],
    [{ ...valid, name: ' \t' }, '/name', /^must not be blank$/],
    [{ ...valid, name: 'x'.repeat(121) }, '/name', /120/],
    [{ ...valid, config: undefined }, '/config', /./],
    [{ ...valid, config: 'https://a.example' }, '/config', /./],
    [{ ...valid, config: [] }, '/config', /./],
    [{ ...valid, secret: 'text' }, '/secret', /./],
    [{ ...valid, secret: { value: '' } }, '/secret/value', /./],
    [{ ...valid, secret: { value: 7 } }, '/secret/value', /./],
    [{ ...valid, secret: { value: 'x'.repeat(4097) } }, '/secret/value', /4096/],
    [{ ...valid, secret: { valeu: 'x' } }, '/secret/valeu', /^is not a field of this request$/],
    [{ ...valid, colour: 'blue' }, '/colour', /^is not a field of this request$/],
    [{ ...valid, 'a/b~c': 1 }, '/a~1b~0c', /^is not a field of this request$/],
    [withConfig({ url: undefined }), '/config/url', /./],
    [withConfig({ url: 7 }), '/config/url', /./],
    [withConfig({ authScheme: 'None' }), '/config/authScheme', /^must be one of HmacSha256, Bearer, Basic$/],
    [withConfig({ username: 7 }), '/config/username', /./],
    [withConfig({ username: '' }), '/config/username', /./],
    [withConfig({ verifyTls: false }), '/config/verifyTls', /^is not a field of this request$/],
    [withConfig({ retryableStatuses: [404] }), '/config/retryableStatuses', /^must be one of 408, 425, 429$/],
    [withConfig({ retryableStatuses: [408, 408] }), '/config/retryableStatuses', /./],
    [withConfig({ retryableStatuses: 408 }), '/config/retryableStatuses', /./],
    [withConfig({ customHeaders: {} }), '/config/customHeaders', /./],
    [withConfig({ compression: 'br' }), '/config/compression', /^must be one of none, gzip$/],
    [withConfig({ compression: null }), '/config/compression', /./],
    [withConfig({ includeFields: 'matchMethod' }), '/config/includeFields', /./],
    [withConfig({ includeFields: [] }), '/config/includeFields', /./],
    [withConfig({ includeFields: [7] }), '/config/includeFields', /./],
    [withConfig({ includeFields: ['matchMethod', 'matchMethod'] }), '/config/includeFields', /./],
    [withConfig({ maxRowsPerPush: 0 }), '/config/maxRowsPerPush', /./],
    [withConfig({ maxRowsPerPush: 1.5 }), '/config/maxRowsPerPush', /./],
    [withConfig({ maxRowsPerPush: '500' }), '/config/maxRowsPerPush', /./],
    [withConfig({ maxRowsPerPush: 1_000_001 }), '/config/maxRowsPerPush', /1000000/],
    [withConfig({ customHeaders: [{ name: 'X-A', value: 7 }] }), '/config/customHeaders/0/value', /./],
    [
      withConfig({
        customHeaders: [
          { name: 'X-A', value: 'b' },
          { name: 7, value: 'b' },
        ],
      }),
      '/config/customHeaders/1/name',
      /./,
    ],
    [withConfig({ customHeaders: Array(21).fill({ name: 'X-A', value: 'b' }) }), '/config/customHeaders', /20/],
  ])('given as %j is refused at %s', (body, pointer, detail) => {
    const found = errors(() => offered.newSink(body));
    expect(found.map((violation) => violation.pointer)).toContain(pointer);
    expect(found.find((violation) => violation.pointer === pointer)?.detail).toMatch(detail);
  });

  it('reports all errors at once, with a sentence', () => {
    const wrong = { ...valid, role: 'X', name: '', config: { ...valid.config, authScheme: 'X' } };
    const found = errors(() => offered.newSink(wrong));
    expect(found.map(({ pointer }) => pointer)).toEqual(['/role', '/name', '/config/authScheme']);
    expect(() => offered.newSink(wrong)).toThrow('/role must be one of RESULTS_SINK and 2 more, see errors.');
  });

  it('is never quoted in error messages', () => {
    const secret = { value: 'x'.repeat(5_000), other: 's3cr3t' };
    expect(JSON.stringify(errors(() => offered.newSink({ ...valid, secret })))).not.toMatch(/s3cr3t|xxxx/);
  });
});

describe('a change of the configuration', () => {
  it('may name any field alone, and none that the type does not have', () => {
    expect(offered.configChange(webhook, { url: 'https://b.example' })).toEqual({ url: 'https://b.example' });
    expect(errors(() => offered.configChange(webhook, { host: 'b.example' }))).toEqual([
      { pointer: '/config/host', detail: 'is not a field of this request' },
    ]);
  });
});
