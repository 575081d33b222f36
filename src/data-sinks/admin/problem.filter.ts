import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ProblemError } from '../core/errors.js';
import { OutageLog } from '../core/outage-log.js';
import { isConnectionError } from '../persistence/connection-errors.js';
import { PROBLEM_CONTENT_TYPE, problemDetails } from './problem-details.js';

/** For `Retry-After`: a server that was restarted is back by then. */
const RETRY_AFTER_SECONDS = 5;

/** Only failures come by here: that there was none for so long is how an outage's end is known. */
const QUIET_MS = 10_000;

/** Answers every error as `application/problem+json`, on Express and on Fastify. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger('DataSinks');
  readonly #outages = new OutageLog(this.#logger, 'api');
  #quiet: NodeJS.Timeout | undefined;

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const problem = this.#toProblem(exception);
    const { httpAdapter } = this.adapterHost;
    const response: unknown = host.switchToHttp().getResponse();
    httpAdapter.setHeader(response, 'Content-Type', PROBLEM_CONTENT_TYPE);
    const { retryAfterSeconds } = problem.extras;
    if (retryAfterSeconds !== undefined) httpAdapter.setHeader(response, 'Retry-After', String(retryAfterSeconds));
    httpAdapter.reply(response, problemDetails(problem), problem.status);
  }

  #toProblem(exception: unknown): ProblemError {
    if (exception instanceof ProblemError) return exception;
    if (exception instanceof HttpException) return fromHttpException(exception);
    if (isConnectionError(exception)) return this.#away(exception);
    // What went wrong is for the log; to the caller it says nothing that could help an attacker.
    this.#logger.error({
      event: 'request.failed',
      error: exception instanceof Error ? exception.stack : String(exception),
    });
    return new ProblemError('internal-error', 'The request could not be completed. It was logged; try again later.');
  }

  /** The database, or a port of the host's that did not answer in time. One line an outage, not one a request. */
  #away(error: unknown): ProblemError {
    this.#outages.report(error);
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#outages.over(), QUIET_MS).unref();
    return new ProblemError('temporarily-unavailable', 'Something that is needed does not answer at the moment.', {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}

/** What the framework or a guard of the host's throws. */
function fromHttpException(exception: HttpException): ProblemError {
  const status = exception.getStatus();
  const detail = exception.message;
  if (status === 401) return new ProblemError('unauthenticated', detail);
  if (status === 403) return new ProblemError('insufficient-scope', detail);
  if (status === 404) return new ProblemError('not-found', detail);
  if (status === 413) return new ProblemError('body-too-large', detail);
  if (status === 415) return new ProblemError('unsupported-media-type', detail);
  if (status === 429) return new ProblemError('rate-limited', detail);
  if (status === 503) return new ProblemError('temporarily-unavailable', detail);
  if (status < 500) return new ProblemError('malformed-json', detail);
  return new ProblemError('internal-error', 'The request could not be completed. Try again later.');
}
