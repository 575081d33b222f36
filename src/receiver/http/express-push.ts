import type { IncomingMessage, ServerResponse } from 'node:http';
import { PushVerificationError } from '../push-verification-error.js';
import type { ReceiveOptions } from './received-push.js';
import { checkReceiveOptions, receivePush } from './received-push.js';

/** Express's middleware signature; also fits Node's own requests and responses. */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Middleware that accepts only verified pushes; the route gets them with `pushOf(request)`. It reads the raw body: put
 * it on the route, before any `express.json()`.
 *
 *     app.post('/mapping-results', expressPush({ secret }), (request, response) => { … pushOf(request) … });
 */
export function expressPush(options: ReceiveOptions): ExpressMiddleware {
  checkReceiveOptions(options);
  return (request, response, next) => {
    receivePush(request, options).then(
      () => next(),
      (error: unknown) => {
        if (error instanceof PushVerificationError) answerRefusal(response, error);
        else next(error);
      },
    );
  };
}

/** Responds with the error's status and problem, which the sender's console shows with the attempt. */
export function answerRefusal(response: ServerResponse, error: PushVerificationError): void {
  const body = JSON.stringify(error.toProblem());
  response.writeHead(error.statusCode, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
