import { expect, it } from '@jest/globals';
import { isRefusedData } from '../../../../src/data-sinks/database/refused-data.js';

it.each([
  ['22021', true],
  ['23502', true],
  ['23514', true],
  ['54000', true],
  // Another row is in the way, or is missing: that may change.
  ['23505', false],
  ['23503', false],
  ['40001', false],
  ['ECONNRESET', false],
  [undefined, false],
])('an error with code %s counts as refused data: %s', (code, expected) => {
  expect(isRefusedData(Object.assign(new Error('failed'), { code }))).toBe(expected);
});
