import { expect, it } from '@jest/globals';
import type { AuthScheme } from '../../../../src/data-sinks/domain/data-sink.js';
import { overlapOfRotation } from '../../../../src/data-sinks/domain/rotation-overlap.js';

it.each<[AuthScheme, number | undefined, number | null]>([
  ['HmacSha256', undefined, 86_400],
  ['HmacSha256', 0, 0],
  ['HmacSha256', 60, 60],
  ['Bearer', undefined, 0],
  ['Bearer', 0, 0],
  ['Bearer', 1, null],
  ['Basic', undefined, 0],
  ['Basic', 86_400, null],
])('a rotation with %s that asks for an overlap of %p has one of %p', (scheme, asked, overlap) => {
  expect(overlapOfRotation(scheme, asked)).toBe(overlap);
});
