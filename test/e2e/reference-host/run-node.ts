import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a compiled script (`npm run build`) until it ends, with these variables and no others of ours. */
export function runNode(script: string, variables: Readonly<Record<string, string>>, withinMs: number): Promise<Ended> {
  const path = fileURLToPath(new URL(`../../../dist/${script}`, import.meta.url));
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [path], { env: { PATH, HOME, ...variables } });
  const deadline = setTimeout(() => child.kill('SIGKILL'), withinMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(deadline);
      resolve({ code, output });
    });
  });
}
