import type { Provider, Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { readConsoleFiles } from './console-files.js';
import { CONSOLE_FILES, consoleControllerAt } from './console.controller.js';
import { type ConsoleOptions, consoleOptions, consolePath, pageSettings } from './console.options.js';

export type { ConsoleOptions, ConsoleSession } from './console.options.js';

export interface ConsoleParts {
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
}

/**
 * What serves the console; nothing unless the host asks for it.
 * @param apiPath where the API is mounted, after the host's prefix and version
 * @throws ConfigurationError when it cannot be mounted as the host wants it
 */
export function consoleParts(wanted: string | ConsoleOptions | false, apiPath: string): ConsoleParts {
  if (wanted === false) return { controllers: [], providers: [] };
  const options = consoleOptions(wanted);
  const path = consolePath(options);
  return {
    controllers: [consoleControllerAt(path)],
    providers: [
      {
        provide: CONSOLE_FILES,
        inject: [ApplicationConfig],
        // The host sets its versions after its modules were made.
        useFactory: (host: ApplicationConfig) =>
          readConsoleFiles(path, () => pageSettings(options, apiPath, host.getVersioning())),
      },
    ],
  };
}
