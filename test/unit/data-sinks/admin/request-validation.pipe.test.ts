import { describe, expect, it } from '@jest/globals';
import 'reflect-metadata';
import {
  CreateDataSourceBody,
  PushBody,
  UpdateDataSourceBody,
} from '../../../../src/data-sinks/admin/dto/data-source.body.js';
import { DeliveriesQuery, ListQuery } from '../../../../src/data-sinks/admin/dto/list.query.js';
import { RequestValidationPipe } from '../../../../src/data-sinks/admin/request-validation.pipe.js';
import type { RuleViolation } from '../../../../src/data-sinks/core/rules.js';

type Class = new () => object;

const transform = (value: unknown, metatype: Class, type: 'body' | 'query' = 'body') =>
  new RequestValidationPipe().transform(value, { type, metatype });

async function errors(
  value: unknown,
  metatype: Class,
  type: 'body' | 'query' = 'body',
): Promise<readonly RuleViolation[]> {
  const error: unknown = await transform(value, metatype, type).catch((thrown: unknown) => thrown);
  const { code, extras } = error as { code?: string; extras: { errors: readonly RuleViolation[] } };
  if (code !== 'validation-failed') throw new Error(`accepted: ${JSON.stringify(error)}`);
  return extras.errors;
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
  ])('is accepted %s', async (_what, body) => {
    expect(await transform(body, CreateDataSourceBody)).toMatchObject(JSON.parse(JSON.stringify(body)) as object);
  });

  it.each<[unknown, string, RegExp]>([
    [{ ...valid, role: 'SOURCE' }, '/role', /^must be one of RESULTS_SINK$/],
    [{ ...valid, type: 'S3' }, '/type', /^must be one of HTTPS_WEBHOOK$/],
    [{ ...valid, format: 'XML' }, '/format', /^must be one of JSON, JSONL, CSV$/],
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
  ])('given as %j is refused at %s', async (body, pointer, detail) => {
    const found = await errors(body, CreateDataSourceBody);
    expect(found.map((violation) => violation.pointer)).toContain(pointer);
    expect(found.find((violation) => violation.pointer === pointer)?.detail).toMatch(detail);
  });

  it.each([undefined, null, 'text', 7, true, []])('that is %j is refused as a whole', async (body) => {
    expect(await errors(body, CreateDataSourceBody)).toEqual([{ pointer: '', detail: 'must be an object' }]);
  });

  it('names everything that is wrong at once, and says so in a sentence', async () => {
    const wrong = { ...valid, role: 'X', name: '', config: { ...valid.config, authScheme: 'X' } };
    const found = await errors(wrong, CreateDataSourceBody);
    expect(found.map(({ pointer }) => pointer)).toEqual(['/role', '/name', '/config/authScheme']);
    await expect(transform(wrong, CreateDataSourceBody)).rejects.toMatchObject({
      detail: '/role must be one of RESULTS_SINK and 2 more, see errors.',
    });
  });

  it('is never quoted in what is said about it', async () => {
    const found = await errors(
      { ...valid, secret: { value: 'x'.repeat(5_000), other: 's3cr3t' } },
      CreateDataSourceBody,
    );
    expect(JSON.stringify(found)).not.toMatch(/s3cr3t|xxxx/);
  });
});

describe('other requests', () => {
  it('a change may name any field alone', async () => {
    for (const body of [{ name: 'New' }, { status: 'INACTIVE' }, { config: { url: 'https://b.example' } }, {}]) {
      expect(await transform(body, UpdateDataSourceBody)).toMatchObject(body);
    }
  });

  it.each<[object, string]>([
    [{ status: 'PAUSED' }, '/status'],
    [{ role: 'RESULTS_SINK' }, '/role'],
    [{ type: 'HTTPS_WEBHOOK' }, '/type'],
    [{ id: 'ads_1' }, '/id'],
    [{ config: {} }, '/config'],
    [{ config: { host: 'b.example' } }, '/config/host'],
  ])('a change of %j is refused at %s', async (body, pointer) => {
    expect((await errors(body, UpdateDataSourceBody)).map((found) => found.pointer)).toEqual([pointer]);
  });

  it.each([{}, { jobId: 7 }, { jobId: '' }, { jobId: 'x'.repeat(65) }])(
    'a push of %j is refused at /jobId',
    async (body) => {
      expect((await errors(body, PushBody)).map(({ pointer }) => pointer)).toEqual(['/jobId']);
    },
  );

  it('a list takes 20 items by default and up to 100', async () => {
    expect(await transform({}, ListQuery, 'query')).toEqual({ limit: 20 });
    expect(await transform({ limit: '100', cursor: 'abc' }, ListQuery, 'query')).toEqual({ limit: 100, cursor: 'abc' });
  });

  it('deliveries are filtered by status, repeated or with commas, by job and by time', async () => {
    const expected = { status: ['FAILED', 'CANCELLED'], jobId: 'job_1', since: new Date('2026-05-25T12:34:56Z') };
    for (const status of ['FAILED,CANCELLED', ['FAILED', 'CANCELLED']]) {
      const query = { status, jobId: 'job_1', since: '2026-05-25T12:34:56Z' };
      expect(await transform(query, DeliveriesQuery, 'query')).toEqual({ ...expected, limit: 20, order: 'newest' });
    }
  });

  it.each<[object, string]>([
    [{ limit: '0' }, '?limit'],
    [{ limit: '101' }, '?limit'],
    [{ limit: 'many' }, '?limit'],
    [{ limit: '1.5' }, '?limit'],
    [{ cursor: 'x'.repeat(201) }, '?cursor'],
    [{ status: 'LOST' }, '?status'],
    [{ status: 'FAILED,LOST' }, '?status'],
    [{ since: 'yesterday' }, '?since'],
    [{ page: '2' }, '?page'],
  ])('a query of %j is refused at %s', async (query, pointer) => {
    expect((await errors(query, DeliveriesQuery, 'query')).map((found) => found.pointer)).toEqual([pointer]);
  });
});
