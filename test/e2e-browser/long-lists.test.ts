import { describe, expect, it } from '@jest/globals';
import { writeHistory } from '../support/browser/history.js';
import { suiteConsole } from '../support/browser/suite-console.js';

const { platform, visit } = suiteConsole();
const MINUTE_MS = 60_000;

describe('a delivery of a thousand attempts', () => {
  it('shows the newest hundred at once, and the whole record page by page', async () => {
    const customer = await platform().customer();
    const agent = await customer.agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const { id } = await sink.settledPush();
    const startMs = Date.now() - 1_001 * MINUTE_MS;
    const past = Array.from({ length: 999 }, (_, index) => ({
      startedAtMs: startMs + index * MINUTE_MS,
      succeeded: index % 5 !== 0,
      totalMs: 60 + (index % 90),
    }));
    await writeHistory(platform(), id, past);
    const visitor = await visit();
    await visitor.signIn(await platform().token(customer.workspaceId));

    await visitor.go(`deliveries/${id}`);
    await visitor.sees('the last 100 of 1,000');
    expect(
      await visitor.page
        .getByRole('list', { name: /Attempts/ })
        .getByRole('listitem')
        .count(),
    ).toBeGreaterThanOrEqual(100);

    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/attempts`);
    for (let shown = 100; shown < 1_000; shown += 100) {
      await visitor.sees(`The newest ${shown} attempts`);
      await visitor.button('Show older').click();
    }
    await visitor.sees('All 1,000 attempts');
    expect(await visitor.page.locator('li.attempt').count()).toBe(1_000);
    const late = visitor.page.locator('li.attempt').nth(900);
    await late.locator('summary').first().click();
    await late.locator('details[open]').first().waitFor();

    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}`);
    await visitor.page
      .getByRole('img', { name: /800 attempts succeeded and 200 failed in the last 24 hours/ })
      .waitFor();
    expect(visitor.complaints).toEqual([]);
  });
});
