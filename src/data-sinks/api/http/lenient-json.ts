import { Injectable, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type ExpressAsk, MountedRoutes } from '../../routes/mounted-routes.js';
import { keepBody } from '../../routes/our-request.js';
import { BODY_DEADLINE_MS, bodyProblem, hasBody, type ReadableRequest, readJsonBody } from './json-body.js';
import { type FastifyInstanceLike, readBodiesInFastify } from './lenient-json.fastify.js';

/** The subset of Express's request that is needed before its body parser runs. */
interface ExpressRequest extends ReadableRequest, ExpressAsk {
  body?: unknown;
  /** Tells Express's body parsers that the body has been read. */
  _body?: boolean;
}

/** As much of Express as is needed: what is called for a request, in this order. */
interface ExpressApp {
  readonly router?: { readonly stack: readonly { handleRequest: unknown }[] };
}

/**
 * Reads the bodies of our routes before the host's parser, so that they are treated alike in every host: as JSON
 * whatever the content type, and with our limits. The route reports errors. The host's routes are not affected.
 *
 * Created with the providers, before the host's parsers are registered.
 */
@Injectable()
export class LenientJson {
  /** @param deadlineMs deadline for a whole body */
  constructor({ httpAdapter }: HttpAdapterHost, routes: MountedRoutes, @Optional() deadlineMs = BODY_DEADLINE_MS) {
    if (!httpAdapter) return;
    if (httpAdapter.getType() === 'fastify') {
      const isOurs = (config: object | undefined): boolean => routes.ofFastify(config) !== undefined;
      readBodiesInFastify(httpAdapter.getInstance<FastifyInstanceLike>(), isOurs, deadlineMs);
      return;
    }
    const readOurBody = (request: ExpressRequest, _response: unknown, next: () => void): void => {
      if (request._body === true || !hasBody(request) || !routes.isOurs(request)) return next();
      void readInExpress(request, deadlineMs).then(next);
    };
    httpAdapter.use(readOurBody);
    // Instrumentation wraps the handlers of layers and the prototype's method: every request of the host would have a span
    // of this one.
    const layer = httpAdapter.getInstance<ExpressApp>().router?.stack.at(-1);
    if (layer) layer.handleRequest = readOurBody;
  }
}

async function readInExpress(request: ExpressRequest, deadlineMs: number): Promise<void> {
  request._body = true;
  try {
    const value = (await readJsonBody(request, { deadlineMs })) ?? {};
    keepBody(request, { value });
    // The host's middleware may modify its copy.
    request.body = structuredClone(value);
  } catch (error) {
    keepBody(request, { problem: bodyProblem(error) });
  }
}
