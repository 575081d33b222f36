import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Locator, Page } from 'playwright-core';

/** Display settings of a visitor. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

const WIDE: View = { width: 1200, height: 860, colorScheme: 'light' };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The subset of axe that is used. */
interface AxeInPage {
  run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>;
}

/** Longer than any poll of the page, also on a busy machine. */
const PATIENCE_MS = 90_000;

/** One visitor's tab: finds elements by role and name. */
export class ConsolePage {
  /** Errors that the page logged, and requests to other origins. */
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    readonly url: string,
  ) {}

  static async open(browser: Browser, url: string, view: Partial<View>): Promise<ConsolePage> {
    const { width, height, colorScheme } = { ...WIDE, ...view };
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme,
      reducedMotion: 'reduce',
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const visitor = new ConsolePage(await context.newPage(), url);
    visitor.#listen();
    await visitor.page.goto(url);
    return visitor;
  }

  #listen(): void {
    const { origin } = new URL(this.url);
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
    this.page.on('console', (message) => {
      // The browser logs every error response of the API; the page shows it.
      const isRefusal = /^Failed to load resource/.test(message.text());
      if (message.type() === 'error' && !isRefusal) this.complaints.push(message.text());
    });
    this.page.on('request', (request) => {
      if (!request.url().startsWith(origin)) this.complaints.push(`a request to ${request.url()}`);
      if (request.url().includes('mt_')) this.complaints.push(`a token in the address ${request.url()}`);
    });
  }

  async signIn(token: string): Promise<void> {
    await this.field('API token').fill(token);
    await this.button('Sign in').click();
    await this.heading('Agents').waitFor();
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  link(name: string | RegExp): Locator {
    return this.page.getByRole('link', { name });
  }

  heading(name: string | RegExp): Locator {
    return this.page.getByRole('heading', { name, exact: true });
  }

  /** An input by its label. */
  field(label: string | RegExp): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  /** Waits until a text is visible. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Opens a screen by its address. */
  async go(path: string): Promise<void> {
    await this.page.goto(`${this.url}#/${path}`);
  }

  /** Findings of axe in both colour schemes, one per line. */
  async axeFindings(): Promise<string[]> {
    const findings: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      findings.push(...(await this.#runAxe()).map((finding) => `${colorScheme}: ${finding}`));
    }
    return findings;
  }

  async #runAxe(): Promise<readonly string[]> {
    // Through the debugger, which bypasses the page's Content-Security-Policy.
    await this.page.evaluate(AXE);
    return this.page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: AxeInPage };
      const { violations } = await axe.run();
      return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
    });
  }
}
