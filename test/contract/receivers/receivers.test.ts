import { describe, expect, it } from '@jest/globals';
import { SIGNATURE_VECTORS } from '../signature-vectors.js';
import { ABSENT_LANGUAGES, LANGUAGES, verdictsOf } from '../../support/languages/languages.js';

if (ABSENT_LANGUAGES.length > 0)
  process.stdout.write(`not run, for want of their runtimes: ${ABSENT_LANGUAGES.join(', ')}\n`);

describe('the examples in other languages on the shared vectors', () => {
  it('has at least Python to run on in CI', () => {
    const needed = process.env['CI'] === undefined ? [] : ['Python'];
    expect(LANGUAGES).toEqual(expect.arrayContaining(needed));
  });

  it.each(LANGUAGES)(
    '%s agrees with every vector',
    (language) => {
      const verdicts = verdictsOf(language, SIGNATURE_VECTORS);
      expect(SIGNATURE_VECTORS.map(({ name }, i) => `${verdicts[i]}: ${name}`)).toEqual(
        SIGNATURE_VECTORS.map(({ name, valid }) => `${valid ? 'valid' : 'invalid'}: ${name}`),
      );
    },
    120_000,
  );
});
