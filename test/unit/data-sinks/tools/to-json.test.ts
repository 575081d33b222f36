import { afterEach, expect, it } from '@jest/globals';
import { toJson } from '../../../../src/data-sinks/tools/to-json.js';

const ours = Object.getOwnPropertyDescriptor(Date.prototype, 'toJSON') as PropertyDescriptor;
afterEach(() => {
  Object.defineProperty(Date.prototype, 'toJSON', ours);
});

it('times are in ISO 8601 at every depth, also where a host has changed how dates are written', () => {
  Date.prototype.toJSON = () => 'yesterday';
  const at = new Date('2026-05-25T12:34:56.789Z');
  expect(toJson({ at, items: [{ at }, at], none: null, left: undefined, text: 'at' })).toBe(
    '{"at":"2026-05-25T12:34:56.789Z","items":[{"at":"2026-05-25T12:34:56.789Z"},"2026-05-25T12:34:56.789Z"],"none":null,"text":"at"}',
  );
});
