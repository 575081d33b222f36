import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ProblemError } from '../core/errors.js';
import { type ReadableRequest, readJsonBody } from './json-body.js';
import { PROBLEM_CONTENT_TYPE, problemDetails } from './problem-details.js';

/** As much of a framework's request and response as is needed before its own body parser has a chance. */
interface RawRequest extends ReadableRequest {
  readonly method?: string;
  readonly url?: string;
  readonly originalUrl?: string;
  body?: unknown;
  /** Tells Express's own body parsers that the body has been read. */
  _body?: boolean;
}

interface RawResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): void;
  end(body: string): void;
}

/**
 * Reads the bodies of our own endpoints before the host's parser sees them, so that they are read alike in every host:
 * as JSON whatever curl calls it, with our limits and our form of errors. The host's endpoints are left alone.
 */
@Injectable()
export class LenientJson {
  readonly #ours: RegExp;

  /** @param path where our controllers are mounted, such as `api/v1` */
  constructor(adapterHost: HttpAdapterHost, path: string) {
    // A host may put a prefix or a version before it; what follows are the paths of our controllers.
    this.#ours = new RegExp(`/${path}/(agents/[^/]+/data-sources|deliveries)(/|\\?|$)`);
    // Providers are made before the host's parsers are registered, so this comes first.
    adapterHost.httpAdapter?.use((request: RawRequest, response: RawResponse, next: () => void) => {
      if (!this.#concerns(request)) return next();
      void this.#read(request, response, next);
    });
  }

  #concerns(request: RawRequest): boolean {
    const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    return hasBody && request._body !== true && this.#ours.test(request.originalUrl ?? request.url ?? '');
  }

  async #read(request: RawRequest, response: RawResponse, next: () => void): Promise<void> {
    try {
      request.body = (await readJsonBody(request)) ?? {};
      request._body = true;
    } catch (error) {
      const problem = error instanceof ProblemError ? error : new ProblemError('malformed-json', 'The body broke off.');
      response.writeHead(problem.status, { 'Content-Type': PROBLEM_CONTENT_TYPE });
      response.end(JSON.stringify(problemDetails(problem)));
      return;
    }
    next();
  }
}
