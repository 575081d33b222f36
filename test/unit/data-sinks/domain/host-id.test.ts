import { describe, expect, it } from '@jest/globals';
import { invalidHostId, MAX_HOST_ID_LENGTH } from '../../../../src/data-sinks/domain/host-id.js';

describe('an id that the host makes', () => {
  it.each([
    'job_01J5Z0000000000000000000AB',
    '7',
    '2026/05/25:eu-west-1:run#1?a=b&c=%20',
    ' spaces within and around ',
    'línea_東京_😀',
    'line\nbreak',
    'x'.repeat(MAX_HOST_ID_LENGTH),
    '😀'.repeat(MAX_HOST_ID_LENGTH),
  ])('may be %j', (id) => {
    expect(invalidHostId(id)).toBeNull();
  });

  it.each([undefined, null, 7, {}, '', 'x'.repeat(MAX_HOST_ID_LENGTH + 1), '😀'.repeat(MAX_HOST_ID_LENGTH + 1)])(
    'may not be %j',
    (id) => {
      expect(invalidHostId(id)).toBe('must be a string of 1 to 255 characters');
    },
  );

  it.each(['job_\0', 'job_\ud800', '\udc00'])('may not be %j, which PostgreSQL cannot store', (id) => {
    expect(invalidHostId(id)).toBe('must not contain NUL or an unpaired surrogate');
  });
});
