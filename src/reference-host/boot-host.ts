import { Logger } from '@nestjs/common';
import { EnvironmentError, parseEnvironment } from './environment.js';
import { seedWhenEmpty } from './seed.js';
import { startHost } from './start-host.js';
import { welcome } from './welcome.js';

/** Runs the host as a process: from the environment, until a signal; a boot that fails says why and ends with 1. */
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
    // A half-started application may hold timers and sockets that would keep a failed process alive.
    process.exit();
  }
}

function explain(error: unknown): string {
  if (error instanceof EnvironmentError) {
    const problems = error.problems.map((problem) => `  - ${problem}.`).join('\n');
    return `The host cannot start; its environment has to change:\n${problems}`;
  }
  if (!(error instanceof Error)) return `The host cannot start: ${String(error)}`;
  // Errors made for people say it in a sentence; of any other the first line of the stack tells where to look.
  const where = 'code' in error ? '' : `\n${error.stack?.split('\n').slice(1, 4).join('\n') ?? ''}`;
  return `The host cannot start: ${error.message || error.name}${where}`;
}
