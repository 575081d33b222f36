import { expect, it } from '@jest/globals';
import { keyText } from '../../../../src/data-sinks/domain/key-text.js';

it.each([
  [
    ['ws_1', 'a/1', 1],
    ['ws_1/a', '1', 1],
  ],
  [
    ['ws', '1","x', 1],
    ['ws","1', 'x', 1],
  ],
  [
    ['ws', '1', 1],
    ['ws', 1, 1],
  ],
])('different keys, such as %j and %j, have different texts', (one, other) => {
  expect(keyText(...one)).not.toBe(keyText(...other));
});
