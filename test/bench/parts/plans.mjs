import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { nowMs } from '../measure.mjs';

/** The plans of every hot statement on tables of ten million attempts: the test of `npm test`, on more rows. */
export async function plans(_stage, { scale }) {
  const attempts = Math.ceil((10_000_000 * scale) / 1_000) * 1_000;
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--selectProjects', 'integration'];
  const startedAt = nowMs();
  const child = spawn(process.execPath, [...jest, '--', 'plans.test'], {
    env: { ...process.env, PLAN_ATTEMPTS: String(attempts) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`with ${attempts} attempts, a plan reads a growing table through`);
  return { figures: {}, details: { attempts, seconds: Math.round((nowMs() - startedAt) / 1000) } };
}
