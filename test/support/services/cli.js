// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startServices } from './services.js';

/**
 * `npm run services`: PostgreSQL and Redis until Ctrl-C, with the two variables to set printed.
 * `npm run services -- npm run start:prod`: runs that command with the variables set, then stops.
 * `--durable` first: PostgreSQL with fsync.
 */
const args = process.argv.slice(2);
const durable = args[0] === '--durable';
const [command, ...rest] = durable ? args.slice(1) : args;

const services = await startServices({ durable });
for (const line of services.notes) console.error(line);
for (const [name, why] of Object.entries(services.missing)) console.error(`${name}: MISSING. ${why}`);

const variables = {
  ...(services.running.postgres && { DATABASE_URL: services.running.postgres.url }),
  ...(services.running.redis && { REDIS_URL: services.running.redis.url }),
};
if (Object.keys(services.missing).length > 0) {
  process.exitCode = 1;
} else if (command === undefined) {
  for (const [name, value] of Object.entries(variables)) console.log(`export ${name}=${value}`);
  console.error('Ctrl-C stops them and deletes their data.');
  const stayAlive = setInterval(() => undefined, 1 << 30);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  clearInterval(stayAlive);
} else {
  const child = spawn(command, rest, { stdio: 'inherit', env: { ...process.env, ...variables } });
  // Ctrl-C reaches the command by itself; the services go after it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code, signal] = await once(child, 'exit');
  process.exitCode = code ?? (signal ? 1 : 0);
}
await services.stop();
