import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  MAX_PREFIX_BYTES,
  objectKey,
  prefixProblem,
} from '../../../../../src/data-sinks/destinations/s3/object-key.js';
import { encoded, objectUrl } from '../../../../../src/data-sinks/destinations/s3/s3-address.js';
import { parseRecipe } from '../../../../../src/data-sinks/domain/body/payload-recipe.js';

const body = (jobId: string, recipe = 'JSONL', run = 1) => ({ jobId, run, recipe: parseRecipe(recipe) });

describe('the key of an object', () => {
  it.each([
    ['incoming/', body('job_1'), 'incoming/job-job_1.jsonl'],
    ['incoming', body('job_1', 'JSON'), 'incoming/job-job_1.json'],
    ['', body('job_1', 'CSV;gzip'), 'job-job_1.csv.gz'],
    ['lake', body('job_1', 'PARQUET;codec=gzip;rows=9;part=3/12'), 'lake/job-job_1.part-00003-of-00012.parquet'],
    ['a/b/', body('job_1', 'CSV', 3), 'a/b/job-job_1.run-3.csv'],
    ['date=2026/', body('j', 'JSONL;gzip;rows=9;part=3/12'), 'date=2026/job-j.part-00003-of-00012.jsonl.gz'],
  ])('below %j of %j is %s', (prefix, of, key) => {
    expect(objectKey(prefix, of)).toBe(key);
  });

  it.each(['../other', 'a/b', '/root', '.', '..', 'a\\b', '%2e%2e', 'a\u202Eb', 'ü', 'a b', 'a?b#c', '\u0001'])(
    'of a job called %j stays below the prefix, as one name',
    (jobId) => {
      const key = objectKey('in/', body(jobId));
      expect(key).toMatch(/^in\/job-[A-Za-z0-9_%-]+\.jsonl$/);
    },
  );

  it('is below its prefix, at most 1,024 bytes long, and another one for another job, whatever ids a host has', () => {
    const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 255 }).filter((it) => !/\p{Cs}/u.test(it));
    fc.assert(
      fc.property(id, id, (one, other) => {
        const prefix = `${'p'.repeat(MAX_PREFIX_BYTES - 1)}/`;
        const key = objectKey(prefix, body(one, 'JSONL;gzip;rows=9;part=3/12', 999_999));
        expect(key.slice(prefix.length)).not.toContain('/');
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1_024);
        expect(objectKey('', body(one)) === objectKey('', body(other))).toBe(one === other);
      }),
    );
  });

  it('is in a URL as a signature wants it, and a parser of URLs leaves it so', () => {
    const place = { endpointUrl: null, region: 'eu-west-1', bucket: 'acme' };
    const url = objectUrl(place, objectKey("a b/c+d/é(1)!*'/", body('../x')));
    expect(url).toBe(
      'https://acme.s3.eu-west-1.amazonaws.com/a%20b/c%2Bd/%C3%A9%281%29%21%2A%27/job-%252E%252E%252Fx.jsonl',
    );
    expect(new URL(url).href).toBe(url);
    expect(encoded('~-._')).toBe('~-._');
  });
});

describe('a prefix', () => {
  it.each([
    ...[
      '/a',
      'a//b',
      '//',
      'a/../b',
      '..',
      './a',
      'a/.',
      'a\\b',
      'a\u0000b',
      'a\nb',
      'a\u202Eb',
      'a\u200Bb',
      'a\u2028b',
    ],
    ...['a%2e%2e/b', 'a%2Fb', '\ud800', 'x'.repeat(MAX_PREFIX_BYTES + 1), 'é'.repeat(MAX_PREFIX_BYTES / 2 + 1)],
  ])('like %j is refused', (prefix) => {
    expect(prefixProblem(prefix)).toMatch(/^must /);
  });

  it.each([
    ...[
      '',
      'a',
      'a/',
      'a/b/c',
      'date=2026-05-25/',
      'Größe/',
      '数据/',
      'a b/',
      'a+b@c,d;e/',
      '...',
      '.hidden/',
      'a..b/',
    ],
    ...['100%/', '50% off/', 'x'.repeat(MAX_PREFIX_BYTES)],
  ])('like %j is fine', (prefix) => {
    expect(prefixProblem(prefix)).toBeNull();
  });
});
