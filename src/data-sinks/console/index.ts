import type { Provider, Type } from '@nestjs/common';
import { readConsoleFiles } from './console-files.js';
import { CONSOLE_FILES, consoleControllerAt } from './console.controller.js';
import { type ConsoleOptions, consolePath, pageSettings } from './console.options.js';

export type { ConsoleOptions, ConsoleSession } from './console.options.js';

export interface ConsoleParts {
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
}

/**
 * What serves the console; nothing unless the host asks for it.
 * @param apiPath where the API is mounted, after the same prefix
 */
export function consoleParts(wanted: string | ConsoleOptions | false, apiPath: string): ConsoleParts {
  if (wanted === false) return { controllers: [], providers: [] };
  const options = typeof wanted === 'string' ? { path: wanted } : wanted;
  const path = consolePath(options);
  return {
    controllers: [consoleControllerAt(path)],
    providers: [{ provide: CONSOLE_FILES, useFactory: () => readConsoleFiles(path, pageSettings(options, apiPath)) }],
  };
}
