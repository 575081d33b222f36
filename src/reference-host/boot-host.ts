import { Logger } from '@nestjs/common';
import { EnvironmentError, parseEnvironment } from './environment.js';
import { seedWhenEmpty } from './seed.js';
import { startHost } from './start-host.js';
import { welcome } from './welcome.js';

/**
 * Runs the host as a process: configured from the environment, until a signal. A failed boot logs the reason and exits
 * with 1.
 */
export async function bootHost(): Promise<void> {
  try {
    const environment = parseEnvironment(process.env);
    const { app, url } = await startHost(environment);
    const demo = await seedWhenEmpty(app);
    const logger = new Logger('Host');
    logger.log(`wake-ups: ${environment.redisUrl === null ? 'timers in this process' : 'Bull on Redis'}`);
    logger.log(`listening on ${url}, API at ${url}/api/docs`);
    if (demo) console.log(welcome(url, demo));
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
    // A half-started application may have timers and sockets that keep the process alive.
    process.exit();
  }
}

function explain(error: unknown): string {
  if (error instanceof EnvironmentError) {
    const problems = error.problems.map((problem) => `  - ${problem}.`).join('\n');
    return `The host cannot start; its environment has to change:\n${problems}`;
  }
  if (!(error instanceof Error)) return `The host cannot start: ${String(error)}`;
  // Expected errors explain themselves; for any other error, the first stack line is added.
  const where = 'code' in error ? '' : `\n${error.stack?.split('\n').slice(1, 4).join('\n') ?? ''}`;
  return `The host cannot start: ${error.message || error.name}${where}`;
}
