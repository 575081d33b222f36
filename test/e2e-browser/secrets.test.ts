import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ConsolePage } from '../support/browser/console-page.js';
import { inspect } from '../support/browser/gallery.js';
import { suiteConsole } from '../support/browser/suite-console.js';
import type { Sink } from '../support/platform/customer.js';
import type { Endpoint } from '../support/platform/receiver-process.js';

const { platform, visitAs } = suiteConsole();

const OWN = 'the next secret of the customer, by hand';

async function settingsOf(config: object = {}): Promise<{ sink: Sink; endpoint: Endpoint; visitor: ConsolePage }> {
  const agent = await (await platform().customer()).agent();
  const endpoint = await platform().receiver.endpoint();
  const sink = await agent.sink(endpoint, { config: { url: endpoint.url, authScheme: 'HmacSha256', ...config } });
  const visitor = await visitAs(agent.customer);
  await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/settings`);
  await visitor.button('Rotate the secret').click();
  return { sink, endpoint, visitor };
}

function signature(secret: string, body: Buffer | string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

describe('rotating a secret, by clicks', () => {
  it('shows a generated one once, signs with both meanwhile, and counts down to the end of the old one', async () => {
    const { sink, endpoint, visitor } = await settingsOf();
    expect(await inspect(visitor, 'rotate')).toEqual([]);
    await visitor.button('Rotate').click();
    await visitor.heading('The secret is rotated').waitFor();
    await visitor.button('Copy the signing secret').click();
    const made = await visitor.page.evaluate<string>('navigator.clipboard.readText()');
    expect(made).toMatch(/^whsec_/);
    expect(await inspect(visitor, 'rotated')).toEqual([]);
    await visitor.button('I have stored it').click();
    await visitor.sees(/signs too for another 2[34] h \d+ min/);
    expect(await inspect(visitor, 'secret-overlap')).toEqual([]);
    expect(await visitor.button('Rotate the secret').evaluate((element) => element.matches(':focus'))).toBe(true);

    await sink.settledPush();
    const [push] = endpoint.requests;
    expect(push?.headers).toMatchObject({
      'x-mt-signature': signature(made, push?.body ?? ''),
      'x-mt-signature-previous': signature(sink.secret, push?.body ?? ''),
    });
    await visitor.page.reload();
    await visitor.sees(/signs too for another/);
    expect(await visitor.page.content()).not.toContain(made);
    expect(visitor.complaints).toEqual([]);
  });

  it('takes one of the customer’s own, and ends the old one at once after a leak', async () => {
    const { sink, endpoint, visitor } = await settingsOf();
    await visitor.page.getByRole('radio', { name: /Use mine/ }).check();
    await visitor.page.getByRole('radio', { name: /has leaked/ }).check();
    const field = visitor.page.getByRole('dialog').getByLabel('Secret', { exact: true });
    await field.fill('short');
    await visitor.button('Rotate').click();
    await visitor.page.getByRole('dialog').getByRole('alert').first().waitFor();
    await field.fill(OWN);
    await visitor.button('Rotate').click();
    await visitor.sees('The old secret has ended.');
    await visitor.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    expect(await visitor.page.getByText('signs too').count()).toBe(0);

    await sink.settledPush();
    const [push] = endpoint.requests;
    expect(push?.headers).toMatchObject({ 'x-mt-signature': signature(OWN, push?.body ?? '') });
    expect(push?.headers).not.toHaveProperty('x-mt-signature-previous');
  });

  it('takes an overlap in hours, and refuses what is none at its field', async () => {
    const { visitor } = await settingsOf();
    await visitor.page.getByRole('radio', { name: /longer or shorter/ }).check();
    await visitor.field('Hours').fill('soon');
    await visitor.button('Rotate').click();
    await visitor.page.locator('[role=dialog] [aria-invalid="true"], dialog [aria-invalid="true"]').waitFor();
    await visitor.field('Hours').fill('1.5');
    await visitor.button('Rotate').click();
    await visitor.button('I have stored it').click();
    await visitor.sees(/signs too for another 1 h \d+ min/);
    await visitor.button('Rotate the secret').click();
    await visitor.sees(/Rotating again ends the older one/);
  });

  it('says of a bearer token that the old one ends at once', async () => {
    const { endpoint, sink, visitor } = await settingsOf({ authScheme: 'Bearer' });
    await visitor.sees('The old one ends at once');
    await visitor.page.getByRole('dialog').getByLabel('Token', { exact: true }).fill(OWN.replaceAll(' ', '-'));
    await visitor.button('Rotate').click();
    await visitor.heading('The secret is rotated').waitFor();
    await sink.settledPush();
    expect(endpoint.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${OWN.replaceAll(' ', '-')}` });
  });
});
