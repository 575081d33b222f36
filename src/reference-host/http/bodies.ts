import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../../data-sinks/index.js';
import { readFormsAsJson } from './lenient-json.js';

const JSON_LIMIT = '1mb';
/** The host's routes; the module reads the bodies of its own. */
const HOST_ROUTE = /^\/api\/v1\/agents(\/[^/?]+(\/(rule-sets|activate|pause|mapping-jobs)(\/[^?]*)?)?)?\/?(\?|$)/;
/** Takes finished jobs, which are large: it reads them itself, as they come. */
const FINISHED_JOB = /^\/api\/v1\/agents\/[^/?]+\/mapping-jobs\/?(\?|$)/;

/** Reads the JSON bodies of the host's routes. */
export function configureBodies(app: NestExpressApplication): void {
  app.use((request: Request, response: Response, next: NextFunction) => {
    if (HOST_ROUTE.test(request.originalUrl)) readFormsAsJson(request, response, next);
    else next();
  });
  app.useBodyParser('json', { limit: JSON_LIMIT, type: isParsedHere });
  app.use(refuseOtherBodies);
  app.use(explainBodyErrors);
}

/** Whether the parser is to read it. Called by the parser, which knows only Node's request. */
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

/** Says in the words of a problem what the body parser found. */
function explainBodyErrors(error: unknown, _request: Request, _response: Response, next: NextFunction): void {
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  if (type === 'entity.parse.failed') return next(new ProblemError('malformed-json', 'The body is not valid JSON.'));
  if (type === 'entity.too.large') return next(new ProblemError('body-too-large', `Send at most ${JSON_LIMIT}.`));
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return next(new ProblemError('unsupported-media-type', 'Send the body as UTF-8 without a Content-Encoding.'));
  }
  next(error);
}
