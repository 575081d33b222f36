import { describe, expect, it } from '@jest/globals';
import { parse } from 'node:querystring';
import 'reflect-metadata';
import {
  CreateDataSourceBody,
  PushBody,
  UpdateDataSourceBody,
} from '../../../../../src/data-sinks/api/dto/data-source.body.js';
import { DeliveriesQuery, ListQuery } from '../../../../../src/data-sinks/api/dto/list.query.js';
import { RequestValidationPipe } from '../../../../../src/data-sinks/api/http/request-validation.pipe.js';
import type { RuleViolation } from '../../../../../src/data-sinks/domain/data-sink-rules.js';

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

describe('the body that creates a data source', () => {
  it.each([undefined, null, 'text', 7, true, []])('that is %j is refused as a whole', async (body) => {
    expect(await errors(body, CreateDataSourceBody)).toEqual([{ pointer: '', detail: 'must be an object' }]);
  });
});

describe('other requests', () => {
  it('a change may name any field alone', async () => {
    for (const body of [{ name: 'New' }, { status: 'INACTIVE' }, { config: { url: 'https://b.example' } }, {}]) {
      expect(await transform(body, UpdateDataSourceBody)).toMatchObject(body);
    }
  });

  it.each([
    ['{"__proto__":{"name":"x"}}', '/__proto__'],
    ['{"name":"x","constructor":1}', '/constructor'],
    ['{"config":{"url":"https://b.example","__proto__":{"url":"x"}}}', '/config/__proto__'],
    ['{"config":{"customHeaders":[{"name":"X-A","toString":"1"}]}}', '/config/customHeaders/0/toString'],
  ])('a change of %s is refused at %s: nothing that was sent is dropped', async (body, pointer) => {
    expect(await errors(JSON.parse(body), UpdateDataSourceBody)).toEqual([
      { pointer, detail: 'is not a field of this request' },
    ]);
  });

  it.each<[object, string]>([
    [{ status: 'PAUSED' }, '/status'],
    [{ role: 'RESULTS_SINK' }, '/role'],
    [{ type: 'HTTPS_WEBHOOK' }, '/type'],
    [{ id: 'ads_1' }, '/id'],
    [{ config: {} }, '/config'],
  ])('a change of %j is refused at %s', async (body, pointer) => {
    expect((await errors(body, UpdateDataSourceBody)).map((found) => found.pointer)).toEqual([pointer]);
  });

  it.each([{}, { jobId: 7 }, { jobId: '' }, { jobId: 'x'.repeat(256) }])(
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
    [{ limit: '0x10' }, '?limit'],
    [{ limit: '1e2' }, '?limit'],
    [{ limit: ' 10' }, '?limit'],
    [{ limit: '+5' }, '?limit'],
    [{ limit: '007' }, '?limit'],
    [{ limit: ['5', '6'] }, '?limit'],
    [{ since: '2026-02-31T00:00:00Z' }, '?since'],
    [{ since: '1716640496' }, '?since'],
    [{ order: ['newest', 'newest'] }, '?order'],
    [parse('__proto__=1'), '?__proto__'],
    [{ constructor: '1' }, '?constructor'],
    [{ prototype: '1' }, '?prototype'],
    [{ hasOwnProperty: '1' }, '?hasOwnProperty'],
    [{ 'a/b~c': '1' }, '?a~1b~0c'],
    [{ cursor: 'x'.repeat(201) }, '?cursor'],
    [{ status: 'LOST' }, '?status'],
    [{ status: 'FAILED,LOST' }, '?status'],
    [{ since: 'yesterday' }, '?since'],
    [{ page: '2' }, '?page'],
  ])('a query of %j is refused at %s', async (query, pointer) => {
    expect((await errors(query, DeliveriesQuery, 'query')).map((found) => found.pointer)).toEqual([pointer]);
  });
});
