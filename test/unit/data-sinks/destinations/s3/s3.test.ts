import { expect, it } from '@jest/globals';
import { s3 } from '../../../../../src/data-sinks/s3.js';

it.each([-1, 0.5, Number.NaN, 6 * 1024 ** 3])(
  's3() refuses a singlePutBytes of %p and says what it may be',
  (singlePutBytes) => {
    expect(() => s3({ singlePutBytes })).toThrow('singlePutBytes must be a whole number from 0 to 5368709120');
  },
);

it('s3() gives a class of its own each time, so that two modules in one process do not share it', () => {
  expect(s3()).not.toBe(s3());
  expect(s3().name).toBe('S3Destination');
});

it.each([
  'sts.example.com',
  'ftp://sts.example.com',
  'https://sts.example.com/path',
  'https://sts.example.com/?a=b',
  '',
])('s3() refuses the stsEndpointUrl %j and says what it must be', (stsEndpointUrl) => {
  expect(() => s3({ stsEndpointUrl })).toThrow('stsEndpointUrl must be a URL without a path');
});

it('s3() refuses an object of credentials in the place of their class', () => {
  expect(() => s3({ credentials: { accountId: '1' } as never })).toThrow('credentials must be an injectable class');
});
