import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { ConsolePage } from '../support/browser/console-page.js';
import { inspect } from '../support/browser/gallery.js';
import { suiteConsole } from '../support/browser/suite-console.js';
import type { Body } from '../support/platform/api-client.js';
import { resultRows } from '../support/platform/customer.js';

const { platform, visitAs } = suiteConsole();

async function delivered(
  config: object,
  rows: number,
  format = 'JSON',
): Promise<{ delivery: Body; visitor: ConsolePage }> {
  const agent = await (await platform().customer()).agent();
  const endpoint = await platform().receiver.endpoint();
  const sink = await agent.sink(endpoint, {
    format,
    config: { url: endpoint.url, authScheme: 'HmacSha256', ...config },
  });
  const delivery = await sink.settledPush(resultRows(rows));
  const visitor = await visitAs(agent.customer);
  await visitor.go(`deliveries/${delivery.id}`);
  return { delivery, visitor };
}

async function downloaded(visitor: ConsolePage): Promise<{ name: string; bytes: Buffer }> {
  const coming = visitor.page.waitForEvent('download');
  await visitor.button('Download').click();
  const download = await coming;
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

function shown(visitor: ConsolePage): Promise<string> {
  return visitor.page.getByRole('region', { name: 'the body' }).innerText();
}

describe('the body of a delivery', () => {
  it.each(['none', 'gzip'])('is shown and downloaded byte for byte (compression: %s)', async (compression) => {
    const { delivery, visitor } = await delivered({ compression }, 3);
    await visitor.button('Show the body').click();
    expect(JSON.parse(await shown(visitor))).toMatchObject({ jobId: delivery.jobId });
    expect(await visitor.page.getByText('compressed with gzip').count()).toBe(compression === 'gzip' ? 1 : 0);
    expect(await inspect(visitor, `body-${compression}`)).toEqual([]);
    await visitor.button('Close').click();

    const { name, bytes } = await downloaded(visitor);
    expect(name).toBe(`${delivery.id}.json${compression === 'gzip' ? '.gz' : ''}`);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(delivery.payload.sha256);
    const plain = compression === 'gzip' ? gunzipSync(bytes) : bytes;
    expect(JSON.parse(plain.toString())).toMatchObject({ jobId: delivery.jobId });
    expect(visitor.complaints).toEqual([]);
  });

  it.each(['none', 'gzip'])('is shown as far as 16 KB when it is larger (compression: %s)', async (compression) => {
    const { visitor } = await delivered({ compression }, 5_000, 'CSV');
    await visitor.button('Show the body').click();
    await visitor.sees(/The first 16 KB\./);
    const text = await visitor.page
      .getByRole('region', { name: 'the body' })
      .locator('code')
      .evaluate((element) => element.textContent);
    expect(text).toMatch(/^partnerRowId,/);
    expect(text).toHaveLength(16_384);
  });

  it('that is a Parquet file is not shown, and downloaded byte for byte', async () => {
    const { delivery, visitor } = await delivered({}, 3, 'PARQUET');
    await visitor.sees('A Parquet file is no text: download it.');
    expect(await visitor.button('Show the body').isDisabled()).toBe(true);
    const { name, bytes } = await downloaded(visitor);
    expect(name).toBe(`${delivery.id}.parquet`);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(delivery.payload.sha256);
  });

  it('says when it is not kept any more and what to do, and after that whether it is the same', async () => {
    const { delivery, visitor } = await delivered({}, 3);
    await platform().sql('DELETE FROM agent_data_source_payload WHERE job_id = $1', [delivery.jobId]);
    await visitor.button('Show the body').click();
    await visitor.sees('The bytes are no longer kept');
    expect(await inspect(visitor, 'body-gone')).toEqual([]);
    await visitor.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await visitor.button('Download').click();
    await visitor.sees(/Redeliver, and it is made again/);
    expect(await visitor.axeFindings()).toEqual([]);
    await visitor.button('Redeliver').click();
    await visitor.sees(/made again from the job’s results: byte for byte the same/);
  });
});
