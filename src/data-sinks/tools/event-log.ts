import { Logger } from '@nestjs/common';
import { type LogFields, LogLine } from './log-line.js';

/** The only logger of the module, context `DataSinks`. Never logs a secret or a payload. */
export class EventLog {
  readonly #logger = new Logger('DataSinks');

  debug(fields: LogFields): void {
    this.#logger.debug(new LogLine(fields));
  }

  /** The level that other loggers call `info`. */
  log(fields: LogFields): void {
    this.#logger.log(new LogLine(fields));
  }

  warn(fields: LogFields): void {
    this.#logger.warn(new LogLine(fields));
  }

  error(fields: LogFields): void {
    this.#logger.error(new LogLine(fields));
  }
}
