import type { LoggerService } from '@nestjs/common';
import { until } from './until.js';

/** Keeps what the host logs, for tests that look at it; the terminal stays the tests' own. */
export class CollectingLogger implements LoggerService {
  readonly lines: string[] = [];

  /** Waits for a line that matches and contains the text. */
  line(pattern: RegExp, text = ''): Promise<string> {
    return until(
      () => this.lines.find((l) => l.includes(text) && pattern.test(l)),
      `a line like ${pattern.source} is logged`,
    );
  }

  debug(...parts: unknown[]): void {
    this.#keep('debug', parts);
  }

  log(...parts: unknown[]): void {
    this.#keep('log', parts);
  }

  warn(...parts: unknown[]): void {
    this.#keep('warn', parts);
  }

  error(...parts: unknown[]): void {
    this.#keep('error', parts);
  }

  fatal(...parts: unknown[]): void {
    this.#keep('fatal', parts);
  }

  #keep(level: string, parts: readonly unknown[]): void {
    const texts = parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part)));
    this.lines.push(`${level} ${texts.join(' ')}`);
  }
}
