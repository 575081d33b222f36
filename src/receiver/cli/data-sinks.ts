#!/usr/bin/env node
import { once } from 'node:events';
import type { ListeningLine, ListenRecord } from './listen-record.js';
import { LISTEN_USAGE, parseListenOptions, UsageError } from './listen-options.js';
import { printedRecord, printedWelcome } from './listen-printer.js';
import { PushListener } from './push-listener.js';

/** @returns the exit code: 0, or 2 for an invalid command line */
async function run(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === undefined || command === 'help' || args.includes('--help')) {
    process.stdout.write(LISTEN_USAGE);
    return command === undefined ? 2 : 0;
  }
  if (command !== 'listen') throw new UsageError(`there is no command "${command}"`);
  await listen(rest);
  return 0;
}

/** Runs until SIGINT or SIGTERM, or until stdout is closed. */
async function listen(args: readonly string[]): Promise<void> {
  const options = parseListenOptions(args, process.env);
  const report = (record: ListenRecord) => {
    process.stdout.write(options.json ? `${JSON.stringify(record)}\n` : `${printedRecord(record)}\n`);
  };
  const listener = new PushListener(options, report, (error) => {
    process.stderr.write(`data-sinks: a request could not be examined: ${JSON.stringify(messageOf(error))}\n`);
  });
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process.stdout, 'error')]);
  const port = await listener.start();
  const first: ListeningLine = { listening: port };
  process.stdout.write(options.json ? `${JSON.stringify(first)}\n` : printedWelcome(port, options));
  await stopped;
  await listener.stop();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`data-sinks: ${messageOf(error)}\n${error instanceof UsageError ? '\n' + LISTEN_USAGE : ''}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
