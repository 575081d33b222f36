import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseRecipe } from '../../../../src/data-sinks/domain/body/payload-recipe.js';
import { type DescribedPush, pushHeaders } from '../../../../src/data-sinks/domain/push-headers.js';

// The body and the digest that RFC 9530 gives as an example.
const sha256 = createHash('sha256').update('{"hello": "world"}\n').digest('hex');
const DIGEST = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:';

const headers = (recipe: string, given: Partial<DescribedPush> = {}, jobId = 'job_1') =>
  pushHeaders({
    ...{ deliveryId: 'dlv_1', attemptNumber: 3, sha256, test: false, recipe: parseRecipe(recipe), traceparent: null },
    facts: {
      ...{ jobId, agentId: 'agt_1', workspaceId: 'ws_1', completedAt: new Date('2026-05-25T12:34:56Z') },
      stats: { total: 12_000, matched: 11_540, unmatched: 460 },
    },
    ...given,
  });

const GENERAL = { 'X-MT-Delivery-Id': 'dlv_1', 'X-MT-Attempt': '3', 'Content-Digest': DIGEST };
const FACTS = {
  'X-MT-Job-Id': 'job_1',
  'X-MT-Agent-Id': 'agt_1',
  'X-MT-Workspace-Id': 'ws_1',
  'X-MT-Completed-At': '2026-05-25T12:34:56Z',
  'X-MT-Stats': 'total=12000, matched=11540, unmatched=460',
};

describe('the headers of a push', () => {
  it('name the content, the delivery, the attempt and the hash of the body', () => {
    expect(headers('JSON')).toEqual({ 'Content-Type': 'application/json', ...GENERAL });
  });

  it.each([
    ['JSONL', 'application/x-ndjson'],
    ['CSV', 'text/csv; charset=utf-8; header=present'],
    ['PARQUET;codec=gzip', 'application/vnd.apache.parquet'],
  ])('of %s carry the facts that the body cannot', (recipe, contentType) => {
    expect(headers(recipe)).toEqual({ 'Content-Type': contentType, ...FACTS, ...GENERAL });
    expect(headers(recipe, { test: true })).toEqual({
      'Content-Type': contentType,
      ...FACTS,
      ...{ 'X-MT-Test': 'true' },
      ...GENERAL,
    });
  });

  it('of JSON do not mark a test, because the body does', () => {
    expect(headers('JSON', { test: true })).toEqual(headers('JSON'));
  });

  it('name the compression and the part', () => {
    expect(headers('JSON;gzip;rows=500;part=3/12')).toEqual({
      'Content-Type': 'application/json',
      'Content-Encoding': 'gzip',
      'X-MT-Part': '3/12',
      ...GENERAL,
    });
  });

  it.each([
    ['job_01J5Z0000000000000000000AB', 'job_01J5Z0000000000000000000AB'],
    ['50% off', '50%25%20off'],
    ['東京', '%E6%9D%B1%E4%BA%AC'],
    ['a\r\nX-Admin: yes', 'a%0D%0AX-Admin:%20yes'],
    ['\ud83c', '%EF%BF%BD'],
    ['"quoted", listed', '"quoted",%20listed'],
  ])('encode the id %j as %s', (jobId, written) => {
    const value = headers('CSV', {}, jobId)['X-MT-Job-Id'];
    expect(value).toBe(written);
    expect(value).toMatch(/^[\x21-\x7e]+$/);
  });

  it('continue the trace for sinks that request it', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(headers('JSON', { traceparent })).toEqual({ ...headers('JSON'), traceparent });
  });
});
