import { describe, expect, it } from '@jest/globals';
import { takeScreenshots } from '../support/browser/gallery.js';
import { suiteConsole } from '../support/browser/suite-console.js';
import type { Agent } from '../support/platform/customer.js';

const { platform, visit, visitAs } = suiteConsole();

async function pushed(body: string, status: number): Promise<{ agent: Agent; deliveryId: string; sinkId: string }> {
  const customer = await platform().customer();
  const agent = await customer.agent();
  const sink = await agent.sink(await platform().receiver.endpoint([{ kind: 'answer', status, body }]));
  const { id } = await sink.settledPush();
  return { agent, deliveryId: id, sinkId: sink.id };
}

/** In the page: changes the address as soon as the first screen is there, which is before its frame is painted. */
const GO_ON_AT_THE_FIRST_SCREEN = `
new MutationObserver((_, observer) => {
  if (document.querySelector('h1')?.textContent !== 'Agents') return;
  observer.disconnect();
  location.hash = '#/no/such/screen';
}).observe(document.body, { childList: true, subtree: true });
`;

describe('what a visitor meets when something is not as it should be', () => {
  it('is a sentence at the field for a wrong token, and nothing is kept of it', async () => {
    const visitor = await visit();
    await visitor.button('Sign in').click();
    await visitor.sees('Enter a token.');
    await visitor.field('API token').fill('mt_wrong');
    await visitor.button('Sign in').click();
    await visitor.sees('This token is unknown or was revoked.');
    expect(await visitor.axeFindings()).toEqual([]);
    expect(await visitor.page.evaluate<number>('sessionStorage.length + localStorage.length')).toBe(0);
    expect(visitor.complaints).toEqual([]);
  });

  it('is the sign-in when a token is revoked in the middle, with the reason', async () => {
    const customer = await platform().customer();
    const token = await platform().token(customer.workspaceId);
    const visitor = await visit();
    await visitor.signIn(token);
    // A call still under way would be refused before the reload, and the reload forget the reason.
    await visitor.page.waitForLoadState('networkidle');
    await platform().revoke(token);
    await visitor.page.reload();
    await visitor.sees('The token is not valid any more.');
    expect(await visitor.page.evaluate<number>('sessionStorage.length')).toBe(0);
  });

  it('keeps a token for its tab alone, forgets it at sign-out, and never writes it into an address or a cookie', async () => {
    const customer = await platform().customer();
    const visitor = await visitAs(customer);
    await visitor.page.reload();
    await visitor.heading('Agents').waitFor();
    const context = visitor.page.context();
    const other = await context.newPage();
    await other.goto(visitor.url);
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await context.cookies()).toEqual([]);
    expect(await visitor.page.evaluate<number>('localStorage.length')).toBe(0);
    await visitor.button('Sign out').click();
    await visitor.heading('Sign in').waitFor();
    expect(await visitor.page.evaluate<string>('JSON.stringify(sessionStorage)')).not.toContain('mt_');
  });

  it('is an upgrade card after a downgrade to Basic, while everything that was configured can still be seen', async () => {
    const customer = await platform().customer();
    const agent = await customer.agent();
    const sink = await agent.sink(await platform().receiver.endpoint(), { name: 'Kept' });
    const visitor = await visitAs(customer);
    await platform().changePlan(customer.workspaceId, 'BASIC');

    await visitor.go(`agents/${agent.id}/add/https-webhook`);
    await visitor.field('Name').fill('One more');
    await visitor.field('Endpoint URL').fill('https://ingest.acme.com/results');
    await visitor.button('Save').click();
    await visitor.heading('This workspace’s plan does not include data sinks').waitFor();
    await visitor.sees('Your configuration is kept');
    expect(await visitor.field('Name').inputValue()).toBe('One more');
    await takeScreenshots(visitor, 'upgrade');
    expect(await visitor.axeFindings()).toEqual([]);

    await visitor.go(`agents/${agent.id}`);
    await visitor.link(/Kept/).first().waitFor();
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/test`);
    await visitor.button('Send a test').click();
    await visitor.heading('This workspace’s plan does not include data sinks').waitFor();
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/settings`);
    expect(await visitor.field('Name').inputValue()).toBe('Kept');

    await platform().changePlan(customer.workspaceId, 'PRO_MAX');
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/test`);
    await visitor.button('Send a test').click();
    await visitor.sees('It works');
  });

  it.each([
    ['a script', '<script>document.title = "owned"</script>'],
    ['an image with a handler', '<img src=x onerror="document.title = \'owned\'">'],
  ])('is text when a receiver answers with %s', async (_what, body) => {
    const { agent, deliveryId, sinkId } = await pushed(body, 400);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`deliveries/${deliveryId}`);
    await visitor.page.getByText('Answer and details').click();
    await visitor.sees(body);
    await visitor.go(`agents/${agent.id}/data-sources/${sinkId}/test`);
    await visitor.button('Send a test').click();
    await visitor.page.getByRole('region', { name: 'the body that came back' }).getByText(body).waitFor();
    expect(await visitor.page.title()).not.toContain('owned');
    expect(visitor.complaints).toEqual([]);
  });

  it('is a banner over what was known when the connection is lost, and it goes by itself', async () => {
    const { agent, sinkId, deliveryId } = await pushed('no', 400);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sinkId}`);
    await visitor.page.getByRole('table').getByText('Failed').waitFor();
    await visitor.page.context().setOffline(true);
    await visitor.sees('No connection to the platform.');
    await visitor.page.getByRole('table').getByText('Failed').waitFor();
    await takeScreenshots(visitor, 'offline');
    expect(await visitor.axeFindings()).toEqual([]);

    await visitor.button('Pause').click();
    await visitor.page.getByRole('alert').getByText('The platform does not answer').waitFor();
    await visitor.go(`deliveries/${deliveryId}`);
    await visitor.button('Try again').waitFor();

    await visitor.page.context().setOffline(false);
    await visitor.page.getByText('No connection to the platform.').waitFor({ state: 'detached' });
    await visitor.sees('Attempt 1');
  });

  it('is the screen it went to, however soon after the first one it went', async () => {
    const { workspaceId } = await platform().customer();
    const visitor = await visit();
    await visitor.page.evaluate(GO_ON_AT_THE_FIRST_SCREEN);
    await visitor.field('API token').fill(await platform().token(workspaceId));
    await visitor.button('Sign in').click();
    await visitor.heading('There is nothing here').waitFor();
  });

  it('is a plain sentence for an agent of somebody else', async () => {
    const stranger = await (await platform().customer()).draftAgent();
    const visitor = await visitAs(await platform().customer());
    await visitor.go(`agents/${stranger.id}`);
    await visitor.page
      .getByRole('alert')
      .first()
      .getByText(/no such agent/)
      .waitFor();
  });
});
