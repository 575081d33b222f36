import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Optional } from '@nestjs/common';
import { OPTIONS } from '../../data-sinks.tokens.js';
import { PROBLEM_TYPE_BASE, type ProblemCode, ProblemError } from '../../domain/errors.js';
import { BoundedQuestion } from '../../database/bounded-question.js';
import { isConflict, isConnectionError } from '../../database/connection-errors.js';
import { Database } from '../../database/database.js';
import type { Outage } from '../../telemetry/outage.js';
import { Outages } from '../../telemetry/outages.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import { Answer, type HostResponse, isAnswered, writeAnswer } from '../../routes/answer.js';
import { isBodyUnread, type OurRequest } from '../../routes/our-request.js';
import { REQUEST_ID_HEADER, requestIdOf } from '../../routes/request-id.js';
import { ANSWER_HEADERS } from './answer-headers.js';
import { hostsProblemDetails, PROBLEM_CONTENT_TYPE, problemDetails } from './problem-details.js';
import { EventLog } from '../../tools/event-log.js';

/** `Retry-After` in seconds: enough for a server to restart. */
const RETRY_AFTER_SECONDS = 5;

/** Only failures come by here: after so long without one, the database is asked whether it is back. */
const QUIET_MS = 10_000;

const CONFLICT = new ProblemError(
  'temporarily-unavailable',
  'Another request changed the same resource at the same time.',
  {
    retryAfterSeconds: 1,
  },
);

/** The module's options that affect error responses. */
export interface ProblemOptions {
  readonly errorBase: string;
}

/**
 * Returns every error as `application/problem+json`, on Express and on Fastify. A host may use it for its own routes,
 * too; the module's instance applies the option `errorBase`.
 * @example app.useGlobalFilters(app.get(ProblemFilter))
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new EventLog();
  readonly #outage: Outage;
  readonly #answers: BoundedQuestion<unknown> | null;
  #quiet: NodeJS.Timeout | undefined;

  /** @param options default: the module's defaults */
  constructor(
    @Optional() @Inject(OPTIONS) private readonly options: ProblemOptions = { errorBase: PROBLEM_TYPE_BASE },
    @Optional() @Inject(Outages) outages: Outages = new Outages(new Telemetry()),
    @Optional() @Inject(Database) database: Database | null = null,
  ) {
    this.#outage = outages.of('api');
    this.#answers = database && new BoundedQuestion(() => database.query('SELECT 1'));
  }

  async catch(exception: unknown, host: ArgumentsHost): Promise<void> {
    const response = host.switchToHttp().getResponse<HostResponse>();
    if (isAnswered(response)) {
      this.#logger.debug({
        event: 'request.failed_after_answer',
        message: 'a request failed after its answer had begun',
        requestId: this.requestId(host),
        error: String(exception),
      });
      return;
    }
    await writeAnswer(response, this.#toAnswer(exception, host));
  }

  /** Maps an error of the framework or the host to one of our problems, or null. */
  protected codeOf({ status }: Refusal): ProblemCode | null {
    return CODE_OF_STATUS[status] ?? null;
  }

  /** Of requests to our routes; the host numbers its own. */
  protected requestId(_host: ArgumentsHost): string | undefined {
    return undefined;
  }

  /** Headers of every response. */
  protected headers(_host: ArgumentsHost): Readonly<Record<string, string>> {
    return {};
  }

  #toAnswer(exception: unknown, host: ArgumentsHost): Answer {
    const headers = this.headers(host);
    const requestId = this.requestId(host);
    const refusal = refusalIn(exception);
    const code = refusal && this.codeOf(refusal);
    if (refusal && !code) {
      const details = hostsProblemDetails(refusal.status, refusal.message, requestId);
      return Answer.json(refusal.status, details, headers, PROBLEM_CONTENT_TYPE);
    }
    const problem = code ? new ProblemError(code, refusal.message) : this.#toProblem(exception, requestId);
    const { retryAfterSeconds } = problem.extras;
    const more = retryAfterSeconds === undefined ? headers : { ...headers, 'Retry-After': String(retryAfterSeconds) };
    const details = problemDetails(problem, this.options.errorBase, requestId);
    return Answer.json(problem.status, details, more, PROBLEM_CONTENT_TYPE);
  }

  #toProblem(exception: unknown, requestId: string | undefined): ProblemError {
    if (exception instanceof ProblemError) return exception;
    if (isConnectionError(exception)) return this.#away(exception);
    if (isConflict(exception)) return CONFLICT;
    // The cause is logged; the client gets no details, which could help an attacker.
    this.#logger.error({
      event: 'request.failed',
      message: 'a request failed of something unexpected and was answered with 500',
      requestId,
      error: exception instanceof Error ? exception.stack : String(exception),
    });
    return new ProblemError('internal-error', 'The request could not be completed. It was logged; try again later.');
  }

  /** The database, or a port of the host that timed out. Logged once per outage, not once per request. */
  #away(error: unknown): ProblemError {
    this.#outage.report(error);
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => void this.#askWhetherOver(), QUIET_MS).unref();
    return new ProblemError(
      'temporarily-unavailable',
      'The database or another service that is required does not respond.',
      {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      },
    );
  }

  /** Quiet alone is no sign of it: nobody may have asked. Of a port of the host's its next callers tell (workspace-access). */
  async #askWhetherOver(): Promise<void> {
    if (this.#outage.open?.kind !== 'database' || !this.#answers) return;
    try {
      await this.#answers.answer();
      this.#outage.over();
    } catch {
      this.#quiet = setTimeout(() => void this.#askWhetherOver(), QUIET_MS).unref();
    }
  }
}

/** On our routes, an HttpException comes from a guard or a port of the host. */
@Catch()
export class OurProblemFilter extends ProblemFilter {
  protected override codeOf(): null {
    return null;
  }

  protected override requestId(host: ArgumentsHost): string {
    const http = host.switchToHttp();
    return requestIdOf(http.getRequest<OurRequest>(), http.getResponse<HostResponse>());
  }

  protected override headers(host: ArgumentsHost): Readonly<Record<string, string>> {
    const headers = { ...ANSWER_HEADERS, [REQUEST_ID_HEADER]: this.requestId(host) };
    // Do not wait for the rest of an aborted body.
    const isCut = isBodyUnread(host.switchToHttp().getRequest<OurRequest>());
    return isCut ? { ...headers, Connection: 'close' } : headers;
  }
}

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** For Nest's exceptions, and for others with a 4xx status, as in Nest's own filter. */
function refusalIn(exception: unknown): Refusal | null {
  if (exception instanceof HttpException) return { status: exception.getStatus(), message: exception.message };
  if (!(exception instanceof Error)) return null;
  const { statusCode, message } = exception as Error & { readonly statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? { status: statusCode, message }
    : null;
}

const CODE_OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed-json',
  401: 'unauthenticated',
  403: 'insufficient-scope',
  404: 'not-found',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  429: 'rate-limited',
  503: 'temporarily-unavailable',
};
