import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { Answer, type HostResponse, isAnswered, writeAnswer } from '../data-sinks/routes/answer.js';
import { PAGE_HEADERS, textAnswer } from './console.controller.js';
import { EventLog } from '../data-sinks/tools/event-log.js';

/** Explains in the browser why the page is not served. */
@Catch()
export class ConsoleFilter implements ExceptionFilter {
  readonly #logger = new EventLog();

  async catch(exception: unknown, host: ArgumentsHost): Promise<void> {
    const response = host.switchToHttp().getResponse<HostResponse>();
    if (isAnswered(response)) return;
    const { status, headers, body } = this.#answer(exception);
    await writeAnswer(response, new Answer(status, { ...headers, ...PAGE_HEADERS }, body));
  }

  #answer(exception: unknown): Answer {
    if (exception instanceof HttpException) return textAnswer(exception.getStatus(), refusedBy(exception));
    this.#logger.error({
      event: 'console.failed',
      message: 'the console could not be served',
      error: exception instanceof Error ? exception.stack : String(exception),
    });
    return textAnswer(500, 'The console could not be served. It was logged; try again later.');
  }
}

/** A guard of the host threw it; the page itself throws none. */
function refusedBy(exception: HttpException): string {
  return `${exception.getStatus()}: ${exception.message}

A guard of this platform refused the console, before the module of data sinks was asked.

If you run the platform: the page has no secrets, and its API checks every call by itself. Exempt both from your global
guards with what exempts your own public routes, given to the module's option "decorators":

    DataSinksModule.forRoot({ ..., decorators: [Public()] })

See docs/existing-application.md.
`
    .replace(/\n(?=\S)(?<!\n\n)/g, ' ')
    .replace(/ +\n/g, '\n');
}
