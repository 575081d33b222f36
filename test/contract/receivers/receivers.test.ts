import { createHmac } from 'node:crypto';
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

  it.each(LANGUAGES)(
    '%s verifies nothing with a secret that is not set, for which anybody can sign',
    (language) => {
      const hmac = (text: string) => createHmac('sha256', '').update(text);
      const push = { now: 1_779_712_496, toleranceSeconds: 300, bodyBase64: Buffer.from('{}').toString('base64') };
      const signed = (id: string) => `v1,${hmac(`${id}.${push.now}.{}`).digest('base64')}`;
      const standard = { 'webhook-id': 'dlv_1', 'webhook-timestamp': String(push.now) };
      const forged = [
        { ...push, form: 'x-mt', secrets: [''], headers: { 'X-MT-Signature': `sha256=${hmac('{}').digest('hex')}` } },
        {
          ...push,
          form: 'standard-webhooks',
          secrets: [''],
          headers: { ...standard, 'webhook-signature': signed('dlv_1') },
        },
        {
          ...push,
          form: 'standard-webhooks',
          secrets: ['whsec_'],
          headers: { ...standard, 'webhook-signature': signed('dlv_1') },
        },
      ] as const;
      expect(verdictsOf(language, forged)).toEqual(['invalid', 'invalid', 'invalid']);
    },
    120_000,
  );
});
