import { expect, it } from '@jest/globals';
import { STORABLE_TEXT } from '../../../../src/data-sinks/domain/storable-text.js';

it.each([
  ['', true],
  ['two\nlines', true],
  ['hotel 🏨', true],
  ['a\0b', false],
  ['half \ud800', false],
  ['\udc00 half', false],
])('%j can be stored: %s', (text, expected) => {
  expect(STORABLE_TEXT.test(text)).toBe(expected);
});
