import { expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { type SignatureForm, verifyPush } from '../../src/receiver/index.js';
import { LANGUAGES, verdictsOf } from '../support/languages/languages.js';
import { expectStatus, resultRows, sinkBody } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

const FORMS: readonly SignatureForm[] = ['standard-webhooks', 'x-mt'];
const SIGNATURE_HEADERS = ['X-MT-Signature', 'webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;

/** The raw body and headers of a push under a secret that the platform made. */
async function realPush() {
  const agent = await (await platform().customer()).agent();
  const endpoint = await platform().receiver.endpoint();
  const created = expectStatus(await agent.api.post(`${agent.path}/data-sources`, sinkBody(endpoint.url)), 201);
  const { value: secret } = created.secret as { value: string };
  await agent.finishJob(resultRows(100));
  const { body, headers } = await endpoint.first();
  return { rawBody: Buffer.from(body ?? ''), headers, secret };
}

it('the kit, standardwebhooks and the examples in other languages accept a real push, and refuse it if one byte differs', async () => {
  const { rawBody, headers, secret } = await realPush();
  const changed = Buffer.from(rawBody);
  changed[10] = (changed[10] ?? 0) ^ 1;
  const bodies = [rawBody, changed];
  const says = (verify: () => unknown): string => {
    try {
      verify();
      return 'valid';
    } catch {
      return 'invalid';
    }
  };

  const verdicts: Record<string, string[]> = {
    kit: FORMS.flatMap((form) =>
      bodies.map((body) => says(() => verifyPush({ rawBody: body, headers, secret, form }))),
    ),
    standardwebhooks: bodies.map((body) => says(() => new Webhook(secret).verify(body, { ...headers }))),
  };
  const now = Number(headers['webhook-timestamp']);
  const signed = Object.fromEntries(SIGNATURE_HEADERS.map((name) => [name, String(headers[name.toLowerCase()])]));
  const pushes = FORMS.flatMap((form) =>
    bodies.map((body) => ({
      ...{ form, now, toleranceSeconds: 300, secrets: [secret], headers: signed },
      bodyBase64: body.toString('base64'),
    })),
  );
  for (const language of LANGUAGES) verdicts[language] = verdictsOf(language, pushes);

  const bothForms = ['valid', 'invalid', 'valid', 'invalid'];
  expect(verdicts).toEqual({
    ...{ kit: bothForms, standardwebhooks: ['valid', 'invalid'] },
    ...Object.fromEntries(LANGUAGES.map((language) => [language, bothForms])),
  });
  if (process.env['CI'] !== undefined) expect(LANGUAGES).toEqual(expect.arrayContaining(['Python', 'Go']));
});
