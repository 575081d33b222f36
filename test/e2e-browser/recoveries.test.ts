import { describe, expect, it } from '@jest/globals';
import { inspect } from '../support/browser/gallery.js';
import { suiteConsole } from '../support/browser/suite-console.js';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint } from '../support/platform/receiver-process.js';
import { until } from '../support/platform/until.js';

const AT_MOST = 6;
const { platform, visitAs } = suiteConsole({
  recoverAtMost: AT_MOST,
  maxInFlightPerSink: 1,
  disableAfter: 1_000,
  pauseAfter: 1_000,
});

const FAIL = { kind: 'answer', status: 500 } as const;
const OK = { kind: 'answer' } as const;
/** Until the test has seen what is to be seen meanwhile. */
const HOLD = { kind: 'hold' } as const;

async function outage(
  failures: number,
  after: typeof OK | typeof HOLD,
): Promise<{ agent: Agent; sink: Sink; endpoint: Endpoint }> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
  const endpoint = await platform().receiver.endpoint([...Array.from({ length: failures }, () => FAIL), after]);
  const sink = await agent.sink(endpoint, { name: 'Internal BI ingest' });
  const jobs: string[] = [];
  for (let i = 0; i < failures; i++) jobs.push(await agent.finishJob());
  for (const job of jobs) await agent.customer.settled((await sink.deliveryOf(job)).id);
  return { agent, sink, endpoint };
}

describe('recovering what failed, by clicks', () => {
  it('counts first, shows how far it is, also after a reload, and says how it ended', async () => {
    const { agent, sink, endpoint } = await outage(5, HOLD);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/settings`);
    await visitor.button('Recover').click();
    await visitor.sees('5 deliveries failed in this time');
    expect(await inspect(visitor, 'recover')).toEqual([]);
    await visitor.button('Redeliver 5 deliveries').click();
    await visitor.heading('Recovery').waitFor();
    await visitor.page.getByRole('progressbar').waitFor();
    await visitor.page.reload();
    await visitor.page.getByRole('status').getByText('Running').waitFor();
    expect(await inspect(visitor, 'recovery')).toEqual([]);

    await visitor.button('Recover').click();
    await visitor.page.getByRole('dialog').getByText('A recovery is running').waitFor();
    await visitor.button('Show it').click();
    await endpoint.does([OK]);
    await endpoint.release();
    await visitor.page.getByRole('status').getByText('Done').waitFor();
    expect(await visitor.page.getByRole('progressbar').getAttribute('aria-valuetext')).toBe('5 of 5 have ended');
    expect(await sink.deliveries('?status=DELIVERED')).toHaveLength(5);
    expect(visitor.complaints).toEqual([]);
  });

  it('is cancelled once that was confirmed, and says what stays failed', async () => {
    const { agent, sink, endpoint } = await outage(AT_MOST, HOLD);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}`);
    await visitor.button('Recover').click();
    await visitor.button(/^Redeliver \d deliveries$/).click();
    await visitor.button('Cancel the recovery').click();
    const dialog = visitor.page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Let it go on' }).click();
    await dialog.waitFor({ state: 'detached' });
    await visitor.button('Cancel the recovery').click();
    expect(await inspect(visitor, 'recovery-cancel')).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel the recovery' }).click();
    await visitor.sees('Somebody cancelled it.');
    await endpoint.does([OK]);
    await endpoint.release();
    await visitor.sees(/finished/);
    expect(await sink.deliveries('?status=FAILED')).not.toHaveLength(0);
  });

  it('leads to a time that can be recovered when the one asked for is too far back, or holds too much', async () => {
    const { agent, sink } = await outage(AT_MOST + 2, OK);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}`);
    await visitor.button('Recover').click();
    await visitor.sees('Too many deliveries for one recovery');
    expect(await inspect(visitor, 'recover-too-large')).toEqual([]);
    expect(await visitor.button('Redeliver').isDisabled()).toBe(true);
    await visitor.button('Only what failed before that').click();
    await visitor.button(`Redeliver ${AT_MOST} deliveries`).waitFor();

    await visitor.field('Since').fill('2020-01-01T12:00');
    await visitor.sees('A recovery does not go back so far');
    await visitor.button('Begin as early as possible').click();
    await visitor.button(`Redeliver ${AT_MOST} deliveries`).waitFor();
  });

  it('says of times that cannot be what is wrong with them, and of a time without failures that there is nothing', async () => {
    const { agent, sink } = await outage(0, OK);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}`);
    await visitor.button('Recover').click();
    await visitor.sees('Nothing failed in this time');
    await visitor.field('Since').fill('2100-01-01T12:00');
    await visitor.sees('Must not be in the future.');
    expect(await visitor.axeFindings()).toEqual([]);
  });
});

describe('a data source that is not well', () => {
  it('says that its receiver is down, what that means, and that a test that passes ends it', async () => {
    const { agent, sink } = await outage(1, OK);
    const [failed] = await sink.deliveries();
    await platform().sql("UPDATE agent_data_source SET paused_until = now() + interval '4 minutes' WHERE id = $1", [
      sink.id,
    ]);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`agents/${agent.id}`);
    await visitor.sees('Paused: its receiver is down');
    await visitor.go(`deliveries/${failed?.id}`);
    await visitor.sees(/was down\. What was tried before is sent all the same/);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}`);
    await visitor.sees(/In 3 min \d+ s they go on/);
    expect(await inspect(visitor, 'paused')).toEqual([]);
    await visitor.link('Send a test').click();
    await visitor.button('Send a test').click();
    await visitor.sees('It works');
    await visitor.page.getByText('Paused: its receiver is down').first().waitFor({ state: 'detached' });
  });

  it('explains why a delivery cannot be redelivered while it is switched off or disabled', async () => {
    const { agent, sink } = await outage(1, OK);
    const [failed] = await sink.deliveries();
    expectStatus(await sink.api.patch(sink.path, { status: 'INACTIVE' }), 200);
    const visitor = await visitAs(agent.customer);
    await visitor.go(`deliveries/${failed?.id}`);
    await visitor.sees(/was paused by hand/);
    expect(await visitor.button('Redeliver').isDisabled()).toBe(true);
    await platform().sql(
      "UPDATE agent_data_source SET status = 'DISABLED', disabled_reason = 'REPEATED_5XX', disabled_at = now() WHERE id = $1",
      [sink.id],
    );
    await visitor.page.reload();
    await visitor.sees(/is disabled since its deliveries failed in a row/);
    await visitor.link('Send a test').click();
    await visitor.button('Send a test').click();
    await visitor.sees('It works');
    await until(async () => (await sink.api.get(sink.path)).body.status === 'ACTIVE', 'it is active again');
    await visitor.go(`deliveries/${failed?.id}`);
    await visitor.button('Redeliver').click();
    await visitor.page.locator('main > header').getByText('Delivered').waitFor();
  });
});
