import { describe, expect, it } from '@jest/globals';
import type { ConsolePage } from '../support/browser/console-page.js';
import { inspect } from '../support/browser/gallery.js';
import { suiteConsole } from '../support/browser/suite-console.js';
import { expectStatus } from '../support/platform/customer.js';
import { until } from '../support/platform/until.js';

const { platform, visitAs } = suiteConsole();
const ADVANCED = 'Advanced: format, size and pace';

/** What the page sends when something is done that changes a data source. */
async function sentBy(visitor: ConsolePage, act: () => Promise<void>): Promise<unknown> {
  const sending = visitor.page.waitForRequest((request) => ['PATCH', 'POST'].includes(request.method()));
  await act();
  return (await sending).postDataJSON();
}

describe('the advanced settings of a data source', () => {
  it('are set when it is added', async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    const { url } = await platform().receiver.endpoint();
    const visitor = await visitAs(customer);
    await visitor.go(`agents/${agent.id}/add/https-webhook`);
    await visitor.field('Name').fill('Warehouse');
    await visitor.field('Endpoint URL').fill(url);
    await visitor.page.getByText(ADVANCED).click();
    await visitor.field('Format').selectOption('CSV');
    await visitor.page.getByRole('checkbox', { name: /gzip/ }).check();
    await visitor.page.getByRole('checkbox', { name: /matchConfidence/ }).uncheck();
    await visitor.field(/^Rows in one push/).fill('many');
    await visitor.button('Save').click();
    await visitor.sees('Must be a number, or empty.');
    await visitor.field(/^Rows in one push/).fill('500');
    await visitor.field(/^Pushes per second/).fill('0.5');
    await visitor.page.getByRole('checkbox', { name: /trace/ }).check();
    await visitor.button('Save').click();
    await visitor.heading('Warehouse is saved').waitFor();
    const [saved] = expectStatus(await customer.api.get(`${agent.path}/data-sources`), 200).items;
    expect(saved).toMatchObject({
      format: 'CSV',
      config: {
        compression: 'gzip',
        includeFields: ['partnerRowId', 'referenceHotelId', 'matchMethod'],
        maxRowsPerPush: 500,
        maxPushesPerSecond: 0.5,
        sendTraceparent: true,
      },
    });
  });

  it('are edited one by one: only what was changed is sent', async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    const endpoint = await platform().receiver.endpoint();
    const config = { url: endpoint.url, authScheme: 'HmacSha256', maxRowsPerPush: 500, maxPushesPerSecond: 2 };
    const sink = await agent.sink(endpoint, { config });
    const visitor = await visitAs(customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/settings`);
    await visitor.button('Save').click();
    await visitor.sees('Nothing was changed, so nothing was saved.');

    await visitor.field(/^Rows in one push/).fill('');
    await visitor.field('Format').selectOption('JSONL');
    // Meanwhile somebody else changes another setting: theirs stays.
    expectStatus(await sink.api.patch(sink.path, { config: { maxPushesPerSecond: 7 } }), 200);
    const sent = await sentBy(visitor, () => visitor.button('Save').click());
    expect(sent).toEqual({ format: 'JSONL', config: { maxRowsPerPush: null } });
    await visitor.sees('Saved. The next attempts use it.');
    const { body } = await sink.api.get(sink.path);
    expect(body).toMatchObject({ format: 'JSONL', config: { maxRowsPerPush: null, maxPushesPerSecond: 7 } });

    await visitor.field(/^Rows in one push/).fill('0');
    await visitor.button('Save').click();
    await visitor.page.locator('[aria-invalid="true"]').waitFor();
    expect(await inspect(visitor, 'advanced', visitor.button('Save'))).toEqual([]);
  });
});

describe('the settings of a format', () => {
  it('are shown for the format that has them, and sent with it', async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    const endpoint = await platform().receiver.endpoint();
    const config = { url: endpoint.url, authScheme: 'HmacSha256', compression: 'gzip' };
    const sink = await agent.sink(endpoint, { format: 'CSV', config });
    const visitor = await visitAs(customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/settings`);
    await visitor.page.getByRole('checkbox', { name: 'Write text as it is' }).check();
    await visitor.page.getByRole('checkbox', { name: /^jobId/ }).check();
    expect(await sentBy(visitor, () => visitor.button('Save').click())).toEqual({
      config: {
        csvFormulas: 'raw',
        includeFields: ['partnerRowId', 'referenceHotelId', 'matchMethod', 'matchConfidence', 'jobId'],
      },
    });
    await visitor.sees('Saved. The next attempts use it.');

    await visitor.field('Format').selectOption('PARQUET');
    expect(await visitor.page.getByRole('checkbox', { name: /compressed/ }).count()).toBe(0);
    await visitor.field('Codec').selectOption('gzip');
    expect(await sentBy(visitor, () => visitor.button('Save').click())).toEqual({
      format: 'PARQUET',
      config: { compression: 'none', parquetCodec: 'gzip' },
    });
    await visitor.sees('Saved. The next attempts use it.');
    const { body } = await sink.api.get(sink.path);
    expect(body).toMatchObject({ format: 'PARQUET', config: { compression: 'none', parquetCodec: 'gzip' } });
    expect(await inspect(visitor, 'parquet', visitor.button('Save'))).toEqual([]);
  });
});

describe('settings that somebody else changes while they are on the screen', () => {
  const RATE = /^Pushes per second/;
  const settings = async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    const endpoint = await platform().receiver.endpoint();
    const config = { url: endpoint.url, authScheme: 'HmacSha256', maxPushesPerSecond: 2 };
    const sink = await agent.sink(endpoint, { config, name: 'Warehouse' });
    const visitor = await visitAs(customer);
    await visitor.go(`agents/${agent.id}/data-sources/${sink.id}/settings`);
    const changeElsewhere = async (change: object) => {
      expectStatus(await sink.api.patch(sink.path, change), 200);
      // Back on line, the page looks at once, and not when the next look is due.
      await visitor.page.context().setOffline(true);
      await visitor.page.context().setOffline(false);
    };
    return { sink, visitor, changeElsewhere };
  };

  it('are shown where nothing was typed', async () => {
    const { visitor, changeElsewhere } = await settings();
    await visitor.field(RATE).waitFor();
    await changeElsewhere({ config: { maxPushesPerSecond: 7 } });
    await until(async () => (await visitor.field(RATE).inputValue()) === '7', 'the new rate is shown');
  });

  it('do not take away what was typed, and are kept when it is saved', async () => {
    const { sink, visitor, changeElsewhere } = await settings();
    await visitor.field('Name').fill('Internal BI');
    await changeElsewhere({ config: { maxPushesPerSecond: 7 } });
    await visitor.sees('Somebody else has changed these settings meanwhile. Saving changes only what you changed.');
    expect(await visitor.field('Name').inputValue()).toBe('Internal BI');
    expect(await inspect(visitor, 'changed-elsewhere', visitor.button('Show theirs'))).toEqual([]);
    await visitor.button('Save').click();
    await visitor.sees('Saved. The next attempts use it.');
    await visitor.button('Show theirs').waitFor({ state: 'detached' });
    expect(await visitor.field(RATE).inputValue()).toBe('7');
    const { body } = await sink.api.get(sink.path);
    expect(body).toMatchObject({ name: 'Internal BI', config: { maxPushesPerSecond: 7 } });
  });

  it('are shown when they are asked for', async () => {
    const { visitor, changeElsewhere } = await settings();
    await visitor.field('Name').fill('Internal BI');
    await changeElsewhere({ name: 'Theirs' });
    await visitor.button('Show theirs').click();
    await visitor.button('Show theirs').waitFor({ state: 'detached' });
    expect(await visitor.field('Name').inputValue()).toBe('Theirs');
  });
});

describe('the last test of a data source', () => {
  it('is known in every tab, and asks again once the settings were changed', async () => {
    const customer = await platform().customer();
    const agent = await customer.draftAgent();
    const sink = await agent.sink(await platform().receiver.endpoint(), { name: 'Internal BI ingest' });
    const visitor = await visitAs(customer);
    await visitor.go(`agents/${agent.id}`);
    await visitor.sees('Never tested');
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    await visitor.page.reload();
    await visitor.sees('Test passed');
    expectStatus(await sink.api.patch(sink.path, { name: 'Renamed' }), 200);
    await visitor.page.reload();
    await visitor.sees('Changed since its last test');
    await visitor.page.getByRole('switch', { checked: false }).click();
    expect(await visitor.button('Switch on').isDisabled()).toBe(true);
  });
});
