import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ListenProcess } from '../support/receiver/listen-process.js';
import type { ConsolePage } from '../support/browser/console-page.js';
import { ROOT, suiteConsole } from '../support/browser/suite-console.js';

const SECRET = 'a secret of the customer, 32 bytes';
const KIT = join(ROOT, 'dist/src/receiver/cli/data-sinks.js');

// Long enough for the countdown to be seen.
const { platform, visit } = suiteConsole({ retryWaitsMs: [3_000] });
let receiver: ListenProcess | null = null;

afterEach(async () => {
  await receiver?.end();
  receiver = null;
});

/** The published receiver, as a process of its own. */
async function listen(...args: string[]): Promise<ListenProcess> {
  receiver = await ListenProcess.start(KIT, ['--json', ...args]);
  return receiver;
}

async function newVisitor(): Promise<ConsolePage> {
  const { workspaceId } = await platform().customer();
  const visitor = await visit();
  await visitor.signIn(await platform().token(workspaceId));
  return visitor;
}

async function makeAgent(visitor: ConsolePage): Promise<void> {
  await visitor.button('New agent').click();
  await visitor.field('Name').fill('Hotel matcher');
  await visitor.button('Make the agent').click();
  await visitor.heading('Hotel matcher').waitFor();
}

/** Data sources → Add → HTTPS webhook (outbound), up to the form. */
async function openForm(visitor: ConsolePage, name: string, url: string): Promise<void> {
  await visitor.link('Add').click();
  await visitor.link(/HTTPS webhook \(outbound\)/).click();
  await visitor.field('Name').fill(name);
  await visitor.field('Endpoint URL').fill(url);
}

describe('the story of the contract, by clicks', () => {
  it('leads from an empty workspace to a push that failed, was tried again, was delivered, and was redelivered', async () => {
    const { url, ...process } = await listenTo('200,503,200');
    const visitor = await newVisitor();
    await visitor.heading('No agents yet').waitFor();
    await makeAgent(visitor);

    await openForm(visitor, 'Internal BI ingest', url);
    await visitor.page.getByRole('radio', { name: /Use mine/ }).check();
    await visitor.field('Secret').fill(SECRET);
    await visitor.button('Save').click();
    await visitor.heading('Internal BI ingest is saved').waitFor();

    await visitor.link('Go on to the test').click();
    await visitor.button('Send a test').click();
    await visitor.sees('It works');
    expect(await process.next()).toMatchObject({ signatureValid: true, status: 200 });

    await visitor.link('Hotel matcher').click();
    await visitor.page.getByRole('switch', { checked: false }).click();
    await visitor.page.getByRole('dialog').getByText('Test passed').waitFor();
    await visitor.button('Switch on').click();
    await visitor.page.getByRole('switch', { checked: true }).waitFor();
    expect(await visitor.page.getByRole('switch').evaluate((element) => element.matches(':focus'))).toBe(true);
    await visitor.button('Activate agent').click();
    await visitor.button('Finish a sample job').click();
    await visitor.sees(/of three rows has finished/);

    await visitor
      .link(/Internal BI ingest/)
      .first()
      .click();
    await visitor.sees('Retrying');
    await visitor.page.getByRole('table').getByRole('link').click();
    await visitor.sees(/next attempt in \d s/);
    await visitor.page.locator('main > header').getByText('Delivered').waitFor();
    await visitor.sees('Attempt 2');

    await visitor.button('Redeliver').click();
    await visitor.sees('Attempt 3');
    await visitor.page.locator('main > header').getByText('Delivered').waitFor();

    const pushes = [await process.next(), await process.next(), await process.next()];
    expect(pushes).toMatchObject([
      { status: 503, signatureValid: true },
      { status: 200, signatureValid: true },
      { status: 200, signatureValid: true },
    ]);
    expect(new Set(pushes.map(({ deliveryId }) => deliveryId)).size).toBe(1);
    expect(new Set(pushes.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(visitor.complaints).toEqual([]);
  });

  async function listenTo(statuses: string) {
    const listening = await listen('--secret', SECRET, '--fail', statuses);
    return { url: listening.url, next: () => listening.record() };
  }

  it('asks again before an untested data source is pushed to', async () => {
    const endpoint = await platform().receiver.endpoint();
    const visitor = await newVisitor();
    await makeAgent(visitor);
    await openForm(visitor, 'Untested', endpoint.url);
    await visitor.button('Save').click();
    await visitor.link('Later').click();

    await visitor.page.getByRole('switch').click();
    const dialog = visitor.page.getByRole('dialog');
    await dialog.getByText('Never tested').waitFor();
    expect(await visitor.button('Switch on').isDisabled()).toBe(true);
    await visitor.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await visitor.page.getByRole('switch').evaluate((element) => element.matches(':focus'))).toBe(true);

    await visitor.page.getByRole('switch').click();
    await dialog.getByRole('checkbox').check();
    await visitor.button('Switch on').click();
    await visitor.page.getByRole('switch', { checked: true }).waitFor();
  });

  it('shows a generated secret once, and the check that it offers takes this very test', async () => {
    const endpoint = await platform().receiver.endpoint();
    const visitor = await newVisitor();
    await makeAgent(visitor);
    await openForm(visitor, 'Generated', endpoint.url);
    await visitor.button('Save').click();
    await visitor.button(/^Copy/).click();
    const secret = await visitor.page.evaluate<string>('navigator.clipboard.readText()');
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);

    await visitor.link('Go on to the test').click();
    await visitor.button('Send a test').click();
    await visitor.button('Shell').click();
    const check = await visitor.page.getByRole('region', { name: 'the check for Shell' }).innerText();
    const run = (key: string) =>
      spawnSync('sh', ['-c', check.replace('put your secret here', key)], { encoding: 'utf8' });
    expect(run(secret).stdout).toBe('same\n');
    expect(run('another secret').stdout).toBe('different\n');

    await visitor.page.goBack();
    await visitor.page.reload();
    expect(await visitor.page.content()).not.toContain(secret);
  });

  it('is told by the keyboard alone, from the sign-in to a new agent', async () => {
    const { workspaceId } = await platform().customer();
    const visitor = await visit();
    const { keyboard } = visitor.page;
    await visitor.heading('Sign in').waitFor();
    await keyboard.type(await platform().token(workspaceId));
    await keyboard.press('Enter');
    await visitor.heading('No agents yet').waitFor();
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await visitor.page.getByRole('dialog').waitFor();
    await keyboard.type('By keyboard');
    await keyboard.press('Enter');
    await visitor.heading('By keyboard').waitFor();
    expect(await visitor.heading('By keyboard').evaluate((element) => element.matches(':focus'))).toBe(true);
  });

  it('deletes a data source once its name was typed, and pauses and resumes one', async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    const sink = await agent.sink(await platform().receiver.endpoint(), { name: 'To be deleted' });
    const visitor = await visit();
    await visitor.signIn(await platform().token(customer.workspaceId));
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/settings`);

    await visitor.button('Pause').click();
    await visitor.button('Resume').click();
    await visitor.button('Pause').waitFor();

    await visitor.button('Delete this data source').click();
    const remove = visitor.page.getByRole('dialog').getByRole('button', { name: 'Delete' });
    await visitor.field('Type the name of the data source').fill('To be');
    expect(await remove.isDisabled()).toBe(true);
    await visitor.field('Type the name of the data source').fill('To be deleted');
    await remove.click();
    await visitor.heading('Nothing is sent anywhere yet').waitFor();
  });

  it('pushes a job by hand, and leads to the delivery when it was pushed before', async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    await agent.activate();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const jobId = await agent.finishJob();
    const visitor = await visit();
    await visitor.signIn(await platform().token(customer.workspaceId));
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}`);

    await visitor.button('Push a job').click();
    await visitor.field('Job id').fill('job_that_is_not');
    await visitor.button('Push').click();
    await visitor.sees('Is not a finished job of this agent.');
    await visitor.field('Job id').fill(jobId);
    await visitor.button('Push').click();
    await visitor.heading('Delivery').waitFor();
    await visitor.sees('Attempt 1');

    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}`);
    await visitor.button('Push a job').click();
    await visitor.field('Job id').fill(jobId);
    await visitor.button('Push').click();
    await visitor.link('Open the delivery of this job').click();
    await visitor.heading('Delivery').waitFor();
  });
});
