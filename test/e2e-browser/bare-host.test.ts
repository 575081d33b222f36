import { describe, expect, it } from '@jest/globals';
import type { ConsolePage } from '../support/browser/console-page.js';
import { suiteConsole } from '../support/browser/suite-console.js';

const { platform, visit } = suiteConsole();

/** What a host of Nest answers where it has no endpoint. */
const NO_ENDPOINT = { status: 404, json: { message: 'Cannot GET', error: 'Not Found', statusCode: 404 } };
/** The same where the host lets the module's `ProblemFilter` answer for all of it. */
const FILTERED = {
  status: 404,
  contentType: 'application/problem+json',
  json: { type: 'https://mapping.travel/errors/not-found', title: 'Not found', status: 404, detail: 'Cannot GET' },
};
/** The list of agents, an agent, and its rules: the endpoints that are not the module's. */
const HOSTS_OWN = /\/api\/v1\/agents(\?|$|\/[^/]+$|\/[^/]+\/rule-sets)/;

async function visitBareHost(answer: typeof NO_ENDPOINT | typeof FILTERED): Promise<ConsolePage> {
  const visitor = await visit();
  await visitor.page.route(HOSTS_OWN, (route) => route.fulfill(answer));
  return visitor;
}

describe('a host without endpoints for agents and their rules', () => {
  it('does not let any token in', async () => {
    const visitor = await visitBareHost(NO_ENDPOINT);
    await visitor.field('API token').fill('mt_wrong');
    await visitor.button('Sign in').click();
    await visitor.sees('This token is unknown or was revoked.');
    expect(await visitor.page.evaluate<number>('sessionStorage.length')).toBe(0);
  });

  it.each([
    ['Nest', NO_ENDPOINT],
    ['our filter', FILTERED],
  ])('has all of a known agent’s data sources, and does not guess its rules (404 of %s)', async (_whose, answer) => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint(), { name: 'Internal BI' });
    const visitor = await visitBareHost(answer);
    await visitor.signIn(await platform().token(agent.customer.workspaceId));
    await visitor.sees('The platform does not list its agents here.');
    await visitor.field('Agent id').fill(agent.id);
    await visitor.button('Open').click();

    await visitor.heading(agent.id).waitFor();
    await visitor
      .link(/Internal BI/)
      .first()
      .waitFor();
    await visitor.sees('Not known here');
    expect(await visitor.page.getByRole('switch').count()).toBe(0);
    expect(await visitor.page.getByRole('alert').count()).toBe(0);
    expect(await visitor.button(/^(Activate|Pause) agent$/).count()).toBe(0);
    expect(await visitor.axeFindings()).toEqual([]);

    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/test`);
    await visitor.button('Send a test').click();
    await visitor.sees('It works');
  });

  it('says that there is no agent when the module knows none either', async () => {
    const visitor = await visitBareHost(NO_ENDPOINT);
    await visitor.signIn(await platform().token((await platform().customer()).workspaceId));
    await visitor.go('agents/agt_01ARZ3NDEKTSV4RRFFQ69G5FAV');
    await visitor.page
      .getByRole('alert')
      .getByText(/no such agent/)
      .waitFor();
    expect(await visitor.heading('Data sources').count()).toBe(0);
  });
});
