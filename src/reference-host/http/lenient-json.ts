import type { IncomingMessage } from 'node:http';

const FORM = /^application\/x-www-form-urlencoded\b/i;

/**
 * `curl -d '{…}'` says form-urlencoded, and other small clients say nothing: such a body is read as JSON all the same
 * (contract, section 3). An Express middleware; put it before the body parser. It is a plain function on purpose: any
 * host can use it for its own routes.
 */
export function readFormsAsJson(request: Pick<IncomingMessage, 'headers'>, _response: unknown, next: () => void): void {
  const contentType = request.headers['content-type'];
  if (contentType === undefined || FORM.test(contentType)) request.headers['content-type'] = 'application/json';
  next();
}
