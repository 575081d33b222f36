import { ConsoleLogger } from '@nestjs/common';
import { LOG_LEVELS, type LogLevelName } from './environment.js';

/** Nest logs every route and module that it loads; shown only at level `debug`. */
const FRAMEWORK_CONTEXTS: readonly unknown[] = ['InstanceLoader', 'NestFactory', 'RouterExplorer', 'RoutesResolver'];

/** Readable lines on a terminal, JSON lines everywhere else. */
export class HostLogger extends ConsoleLogger {
  private readonly quiet: boolean;

  constructor(level: LogLevelName, terminal: boolean) {
    super({ logLevels: LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1), json: !terminal, compact: true });
    this.quiet = LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf('debug');
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (this.quiet && FRAMEWORK_CONTEXTS.includes(rest.at(-1))) return;
    super.log(message, ...rest);
  }
}
