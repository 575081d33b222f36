import { Controller, Get, Inject, Param, Req, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Answer } from '../data-sinks/routes/answer.js';
import type { ConsoleFile, ConsoleFiles } from './console-files.js';
import { EventLog } from '../data-sinks/tools/event-log.js';

/** The files of the page, or null when they were not built. */
export const CONSOLE_FILES = Symbol('data-sinks console files');

/** The page loads from and connects to its own origin only, runs no inline code and cannot be framed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
].join('; ');

/** Added to every response. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Safe, since every build has new names. */
const FOREVER = 'public, max-age=31536000, immutable';

/** Common fields of Express's and Fastify's requests. */
interface PageRequest {
  readonly originalUrl: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Serves the page: static files without authentication. Its data comes from the API, which needs a token. */
@ApiExcludeController()
@Controller({ path: '', version: VERSION_NEUTRAL })
export class ConsoleController {
  constructor(@Inject(CONSOLE_FILES) private readonly files: ConsoleFiles | null) {
    if (files) return;
    const message = 'the console was not built, and is not served: npm run build:console';
    new EventLog().warn({ event: 'console.not_built', message });
  }

  @Get()
  page(@Req() request: PageRequest): Answer {
    const [path = ''] = request.originalUrl.split('?');
    if (path.endsWith('/')) {
      // The page finds its assets relative to its address, so it must have only one.
      return new Answer(302, { Location: `..${/\/[^/]+(?=\/+$)/.exec(path)?.[0] ?? '/'}` }, null);
    }
    return this.#answer(request, this.files?.index, 'no-cache');
  }

  @Get('assets/:name')
  asset(@Req() request: PageRequest, @Param('name') name: string): Answer {
    return this.#answer(request, this.files?.assets.get(name), FOREVER);
  }

  #answer(request: PageRequest, file: ConsoleFile | undefined, caching: string): Answer {
    if (!file) {
      return this.files
        ? textAnswer(404, 'Not found')
        : textAnswer(503, 'The console was not built: npm run build:console');
    }
    const { contentType, etag } = file;
    const known = { 'Content-Type': contentType, ETag: etag, 'Cache-Control': caching, Vary: 'Accept-Encoding' };
    if (request.headers['if-none-match'] === etag) return new Answer(304, known, null);
    const gzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    return gzip
      ? new Answer(200, { ...known, 'Content-Encoding': 'gzip' }, file.gzipped)
      : new Answer(200, known, file.bytes);
  }
}

/** A plain-text response for people who open an address of the console. */
export function textAnswer(status: number, text: string): Answer {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
  return new Answer(status, headers, Buffer.from(text));
}
