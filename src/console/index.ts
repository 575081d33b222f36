import type { InjectionToken, Provider, Type } from '@nestjs/common';
import { mountedAt, type Mounting } from '../data-sinks/routes/mounted-controller.js';
import { MountedRoutes } from '../data-sinks/routes/mounted-routes.js';
import { readConsoleFiles } from './console-files.js';
import { CONSOLE_FILES, ConsoleController, PAGE_HEADERS } from './console.controller.js';
import { ConsoleFilter } from './console.filter.js';
import { type ConsoleOptions, consoleOptions, consolePath, pageSettings } from './console.options.js';

export type { ConsoleOptions, ConsoleSession } from './console.options.js';

interface Offered {
  readonly types: readonly string[];
}

export interface ConsoleParts {
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
}

/**
 * The controllers and providers of the console; none unless the host enables it.
 * @param apiPath path of the API in the module; the page is told the path in the host
 * @param offered whose `types` of sinks the host has registered: the page offers no others
 * @throws ConfigurationError when it cannot be mounted as requested
 */
export function consoleParts(
  wanted: string | ConsoleOptions | false,
  apiPath: string,
  { mount, decorators }: Pick<Mounting, 'mount' | 'decorators'>,
  offered: InjectionToken<Offered>,
): ConsoleParts {
  if (wanted === false) return { controllers: [], providers: [] };
  const options = consoleOptions(wanted);
  const path = consolePath(options);
  const ours = { guards: [], filter: ConsoleFilter, pipe: null, headers: PAGE_HEADERS };
  return {
    controllers: [mountedAt({ mount, part: 'console', path, decorators, ...ours }, ConsoleController)],
    providers: [
      {
        provide: CONSOLE_FILES,
        inject: [MountedRoutes, offered],
        // The host has no routes before its modules are created.
        useFactory: (routes: MountedRoutes, { types }: Offered) =>
          readConsoleFiles(path, () =>
            pageSettings(
              options,
              {
                page: routes.before('console') ?? `/${path}`,
                api: routes.before('api') ?? `/${apiPath}`,
              },
              types,
            ),
          ),
      },
    ],
  };
}
