import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../../data-sinks/index.js';
import { ApiTokens } from '../workspaces/api-tokens.js';
import { readFormsAsJson } from './lenient-json.js';

const JSON_LIMIT = '1mb';
/** The host's routes only; the module reads the bodies of its own. */
const HOST_ROUTE = /^\/api\/v1\/agents(\/[^/?]+(\/(rule-sets|activate|pause|mapping-jobs)(\/[^?]*)?)?)?\/?(\?|$)/;
/** Receives completed jobs, which are large, and streams them itself. */
const FINISHED_JOB = /^\/api\/v1\/agents\/[^/?]+\/mapping-jobs\/?(\?|$)/;

/** Reads the JSON bodies of the host's routes. */
export function configureBodies(app: NestExpressApplication): void {
  app.use(refuseStrangers(app.get(ApiTokens)));
  app.use((request: Request, response: Response, next: NextFunction) => {
    if (HOST_ROUTE.test(request.originalUrl)) readFormsAsJson(request, response, next);
    else next();
  });
  // Nest's types leave `verify` out; its adapter hands it on.
  app.useBodyParser('json', { limit: JSON_LIMIT, type: isParsedHere, ...{ verify: requireUtf8 } });
  app.use(refuseOtherBodies);
  app.use(explainBodyErrors);
}

/** Who has no token costs no more than the look for it: the body is not read. The guards ask for the scope afterwards. */
function refuseStrangers(tokens: ApiTokens): (request: Request, response: Response, next: NextFunction) => void {
  return (request, _response, next) => {
    if (!HOST_ROUTE.test(request.originalUrl)) return next();
    tokens.findBearer(request.headers.authorization).then((bearer) => next(bearer ? undefined : NO_TOKEN), next);
  };
}

const NO_TOKEN = new ProblemError('unauthenticated', 'Send a valid token: Authorization: Bearer mt_…');

/** The parser would put U+FFFD in the place of what is none. */
function requireUtf8(_request: IncomingMessage, _response: unknown, body: Buffer): void {
  // Plain: the parser writes a status into it, which a ProblemError does not let it. `explainBodyErrors` makes the problem.
  if (!isUtf8(body)) throw new TypeError('The body is not UTF-8.');
}

/** Whether to parse this request. The parser calls it with Node's request. */
function isParsedHere(request: IncomingMessage): boolean {
  const path = pathOf(request);
  return HOST_ROUTE.test(path) && !FINISHED_JOB.test(path) && isJson(request);
}

function refuseOtherBodies(request: Request, _response: Response, next: NextFunction): void {
  const path = pathOf(request);
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  const refused = HOST_ROUTE.test(path) && !FINISHED_JOB.test(path) && hasBody && !isJson(request);
  next(refused ? new ProblemError('unsupported-media-type', 'Send the body as application/json.') : undefined);
}

function pathOf(request: IncomingMessage): string {
  return 'originalUrl' in request ? String(request.originalUrl) : (request.url ?? '');
}

function isJson(request: IncomingMessage): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(request.headers['content-type'] ?? '');
}

/** Maps an error of the body parser to a problem. */
function explainBodyErrors(error: unknown, _request: Request, _response: Response, next: NextFunction): void {
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  if (type === 'entity.verify.failed') return next(new ProblemError('malformed-json', 'The body is not UTF-8.'));
  if (type === 'entity.parse.failed') return next(new ProblemError('malformed-json', 'The body is not valid JSON.'));
  if (type === 'entity.too.large') return next(new ProblemError('body-too-large', `Send at most ${JSON_LIMIT}.`));
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return next(new ProblemError('unsupported-media-type', 'Send the body as UTF-8 without a Content-Encoding.'));
  }
  next(error);
}
