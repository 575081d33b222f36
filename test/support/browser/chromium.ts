import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** No background network traffic of the browser, and no GPU, which test machines lack. */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser with its own empty profile. @throws Error that says what is missing and how to get it */
export function launchChromium(): Promise<Browser> {
  // The sandbox does not work as root, as in test containers; only our own pages are opened.
  return chromium.launch({ executablePath: findOrInstall(), headless: true, chromiumSandbox: false, args: FLAGS });
}

function findOrInstall(): string {
  const found = find() ?? (mayInstall() && install() ? find() : undefined);
  if (found !== undefined) return found;
  throw new Error(
    'The browser tests need Chromium. Install it (Debian: apt-get install -y chromium; run as root they do it themselves), ' +
      'or name one in CHROMIUM_PATH.',
  );
}

function find(): string | undefined {
  const named = process.env['CHROMIUM_PATH'];
  return (named === undefined ? PLACES : [named]).find((path) => existsSync(path));
}

function mayInstall(): boolean {
  return process.env['CHROMIUM_PATH'] === undefined && process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

function install(): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const ran = (...args: string[]): boolean => spawnSync('apt-get', args, { env, stdio: 'ignore' }).status === 0;
  return ran('update') && ran('install', '-y', '--no-install-recommends', 'chromium');
}
