import type { HttpAdapterHost } from '@nestjs/core';
import { bodyProblem, hasBody, type ReadableRequest, readJsonBody } from './json-body.js';
import { type FastifyInstanceLike, readBodiesInFastify } from './lenient-json.fastify.js';
import { PROBLEM_CONTENT_TYPE, problemDetails } from './problem-details.js';

/** As much of Express's request and response as is needed before its own body parser has a chance. */
interface ExpressRequest extends ReadableRequest {
  readonly originalUrl: string;
  body?: unknown;
  /** Tells Express's own body parsers that the body has been read. */
  _body?: boolean;
}

interface ExpressResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): void;
  end(body: string): void;
}

/**
 * Reads the bodies of our own endpoints before the host's parser sees them, so that they are read alike in every host:
 * as JSON whatever curl calls it, with our limits and our form of errors. The host's endpoints are left alone.
 *
 * Made with the providers, that is, before the host's parsers are registered.
 */
export class LenientJson {
  /** @param path where our controllers are mounted, such as `api/v1`; empty for the host's root */
  constructor({ httpAdapter }: HttpAdapterHost, path: string) {
    // A host may put a prefix or a version before it; what follows are the paths of our controllers.
    const mount = path === '' ? '' : `/${path.replace(/[^\w/-]/g, '\\$&')}`;
    const ours = new RegExp(`^[^?]*${mount}/(agents/[^/?]+/data-sources|deliveries)(/|\\?|$)`);
    if (!httpAdapter) return;
    if (httpAdapter.getType() === 'fastify') {
      readBodiesInFastify(httpAdapter.getInstance<FastifyInstanceLike>(), ours);
      return;
    }
    httpAdapter.use((request: ExpressRequest, response: ExpressResponse, next: () => void) => {
      if (request._body === true || !hasBody(request) || !ours.test(request.originalUrl)) return next();
      void readInExpress(request, response, next);
    });
  }
}

async function readInExpress(request: ExpressRequest, response: ExpressResponse, next: () => void): Promise<void> {
  try {
    request.body = (await readJsonBody(request)) ?? {};
    request._body = true;
  } catch (error) {
    const problem = bodyProblem(error);
    response.writeHead(problem.status, { 'Content-Type': PROBLEM_CONTENT_TYPE });
    response.end(JSON.stringify(problemDetails(problem)));
    return;
  }
  next();
}
