import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locator } from 'playwright-core';
import type { ConsolePage } from './console-page.js';

const LOOKS = [
  { name: 'light', width: 1200, colorScheme: 'light' },
  { name: 'dark', width: 1200, colorScheme: 'dark' },
  { name: 'narrow', width: 360, colorScheme: 'light' },
] as const;

const HEIGHT = 760;
const TALLEST = 1_100;

/** Written to the documentation if `WRITE_DOCS=1`, or to `SCREENSHOTS_DIR`; otherwise not at all. */
function folder(): string | null {
  const elsewhere = process.env['SCREENSHOTS_DIR'];
  if (elsewhere !== undefined) return elsewhere;
  return process.env['WRITE_DOCS'] === '1'
    ? fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url))
    : null;
}

/**
 * Takes a screenshot in light, dark and narrow.
 * @param about element to scroll to
 */
export async function takeScreenshots({ page }: ConsolePage, name: string, about?: Locator): Promise<void> {
  const target = folder();
  if (target === null) return;
  mkdirSync(target, { recursive: true });
  for (const look of LOOKS) {
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: look.width, height: HEIGHT });
    const height = await page.evaluate<number>('scrollTo(0, 0), document.documentElement.scrollHeight');
    await page.setViewportSize({ width: look.width, height: Math.min(height, TALLEST) });
    await about?.scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(target, `${name}-${look.name}.png`) });
  }
  await page.setViewportSize({ width: LOOKS[0].width, height: HEIGHT });
}

/** Takes a screenshot and reports problems: findings of axe, and overflow in the narrowest window. */
export async function inspect(visitor: ConsolePage, name: string, about?: Locator): Promise<string[]> {
  await takeScreenshots(visitor, name, about);
  return [...(await visitor.axeFindings()), ...((await isTooWide(visitor)) ? ['it is wider than 360 pixels'] : [])];
}

/** Whether something is wider than the narrowest supported window. */
export async function isTooWide({ page }: ConsolePage): Promise<boolean> {
  await page.setViewportSize({ width: 360, height: HEIGHT });
  const tooWide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
  await page.setViewportSize({ width: LOOKS[0].width, height: HEIGHT });
  return tooWide;
}
