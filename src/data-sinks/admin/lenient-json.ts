import type { HttpAdapterHost } from '@nestjs/core';
import { ANSWER_HEADERS } from './answer-headers.js';
import { BODY_DEADLINE_MS, bodyProblem, hasBody, type ReadableRequest, readJsonBody } from './json-body.js';
import { type FastifyInstanceLike, readBodiesInFastify } from './lenient-json.fastify.js';
import { ourPaths } from './our-paths.js';
import { PROBLEM_CONTENT_TYPE, problemDetails } from './problem-details.js';

/** As much of Express's request and response as is needed before its own body parser has a chance. */
interface ExpressRequest extends ReadableRequest {
  readonly originalUrl: string;
  body?: unknown;
  /** False while Node waits for more of the body. */
  readonly complete?: boolean;
  /** Tells Express's own body parsers that the body has been read. */
  _body?: boolean;
}

interface ExpressResponse {
  setHeader(name: string, value: string): void;
  writeHead(status: number, headers: Readonly<Record<string, string>>): void;
  end(body: string): void;
}

/**
 * Reads the bodies of our own endpoints before the host's parser sees them, so that they are read alike in every host:
 * as JSON whatever curl calls it, with our limits and our form of errors; and puts our headers on the answers. The
 * host's endpoints are left alone.
 *
 * Made with the providers, that is, before the host's parsers are registered.
 */
export class LenientJson {
  /**
   * @param path where our controllers are mounted, such as `api/v1`; empty for the host's root
   * @param deadlineMs for a whole body to arrive
   */
  constructor({ httpAdapter }: HttpAdapterHost, path: string, deadlineMs = BODY_DEADLINE_MS) {
    if (!httpAdapter) return;
    const isOurs = ourPaths(path);
    if (httpAdapter.getType() === 'fastify') {
      readBodiesInFastify(httpAdapter.getInstance<FastifyInstanceLike>(), isOurs, deadlineMs);
      return;
    }
    httpAdapter.use((request: ExpressRequest, response: ExpressResponse, next: () => void) => {
      if (!isOurs(request.originalUrl)) return next();
      for (const [name, value] of Object.entries(ANSWER_HEADERS)) response.setHeader(name, value);
      if (request._body === true || !hasBody(request)) return next();
      void readInExpress(request, response, next, deadlineMs);
    });
  }
}

async function readInExpress(
  request: ExpressRequest,
  response: ExpressResponse,
  next: () => void,
  deadlineMs: number,
): Promise<void> {
  try {
    const body = await readJsonBody(request, { deadlineMs });
    request.body = body === undefined ? {} : body;
    request._body = true;
  } catch (error) {
    const problem = bodyProblem(error);
    // What may still come of this body is not waited for.
    const closing: Record<string, string> = request.complete === false ? { Connection: 'close' } : {};
    response.writeHead(problem.status, { 'Content-Type': PROBLEM_CONTENT_TYPE, ...closing });
    response.end(JSON.stringify(problemDetails(problem)));
    return;
  }
  next();
}
