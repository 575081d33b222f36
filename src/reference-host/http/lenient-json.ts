import type { IncomingMessage } from 'node:http';

const FORM = /^application\/x-www-form-urlencoded\b/i;

/**
 * Reads a body as JSON regardless of its content type: `curl -d '{…}'` sends form-urlencoded, and other small clients
 * send none (contract, section 3). An Express middleware for use before the body parser; any host can use it.
 */
export function readFormsAsJson(request: Pick<IncomingMessage, 'headers'>, _response: unknown, next: () => void): void {
  const contentType = request.headers['content-type'];
  if (contentType === undefined || FORM.test(contentType)) request.headers['content-type'] = 'application/json';
  next();
}
