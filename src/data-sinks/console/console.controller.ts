import { Controller, Get, Inject, Logger, Param, Req, Res, type Type, VERSION_NEUTRAL } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import type { ConsoleFile, ConsoleFiles } from './console-files.js';

/** The files of the page, or null when they were not built. */
export const CONSOLE_FILES = Symbol('data-sinks console files');

/** The page loads from and talks to where it came from, runs no inline code, and is framed by nobody. */
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

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Every build has names of its own. */
const FOREVER = 'public, max-age=31536000, immutable';

/** What Express's and Fastify's requests have in common. */
interface PageRequest {
  readonly originalUrl: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What Express's and Fastify's responses have in common: both send bytes as they are. */
interface PageResponse {
  send(body: Buffer | string): unknown;
}

/** Serves the page: static files, without a token. What it shows comes from the API, with one. */
class ConsoleController {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(CONSOLE_FILES) private readonly files: ConsoleFiles | null,
  ) {
    if (!files) new Logger('DataSinks').warn('the console was not built, and is not served: npm run build:console');
  }

  @Get()
  page(@Req() request: PageRequest, @Res() response: PageResponse): void {
    const [path = ''] = request.originalUrl.split('?');
    if (path.endsWith('/')) {
      // The page finds its assets relative to its address, and has one address only.
      this.adapterHost.httpAdapter.redirect(response, 302, `..${/\/[^/]+(?=\/+$)/.exec(path)?.[0] ?? '/'}`);
      return;
    }
    this.#send(request, response, this.files?.index, 'no-cache');
  }

  @Get('assets/:name')
  asset(@Req() request: PageRequest, @Res() response: PageResponse, @Param('name') name: string): void {
    this.#send(request, response, this.files?.assets.get(name), FOREVER);
  }

  #send(request: PageRequest, response: PageResponse, file: ConsoleFile | undefined, caching: string): void {
    this.#setHeaders(response, SECURITY_HEADERS);
    if (!file) {
      this.#setHeaders(response, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
      return this.files
        ? this.#answer(response, 404, 'Not found')
        : this.#answer(response, 503, 'The console was not built: npm run build:console');
    }
    const { contentType, etag } = file;
    const known = { 'Content-Type': contentType, ETag: etag, 'Cache-Control': caching, Vary: 'Accept-Encoding' };
    this.#setHeaders(response, known);
    if (request.headers['if-none-match'] === etag) return this.#answer(response, 304, '');
    const gzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    if (gzip) this.#setHeaders(response, { 'Content-Encoding': 'gzip' });
    this.#answer(response, 200, gzip ? file.gzipped : file.bytes);
  }

  #setHeaders(response: PageResponse, headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) {
      this.adapterHost.httpAdapter.setHeader(response, name, value);
    }
  }

  #answer(response: PageResponse, status: number, body: Buffer | string): void {
    this.adapterHost.httpAdapter.status(response, status);
    response.send(body);
  }
}

/** The controller at a path of the host's choice. */
export function consoleControllerAt(path: string): Type {
  @ApiExcludeController()
  @Controller({ path, version: VERSION_NEUTRAL })
  class MountedConsoleController extends ConsoleController {}
  return MountedConsoleController;
}
