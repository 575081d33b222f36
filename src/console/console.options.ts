import { posix } from 'node:path';
import { ConfigurationError } from '../data-sinks/domain/errors.js';

/** Options of the console. */
export interface ConsoleOptions {
  /** Path after the host's global prefix, such as `console`. */
  readonly path: string;
  /**
   * Set if the host has its own session (a cookie that its `WorkspaceAccess` reads). The page then calls the API
   * without a token first, and asks for one only if that fails. Each call carries `X-Data-Sinks-Console: 1`, which
   * other sites cannot send: a host that authenticates by cookie must refuse calls without it.
   */
  readonly session?: ConsoleSession;
  /**
   * Shows a button that completes a small mapping job through the host's `POST agents/{id}/mapping-jobs`, for
   * demonstrations without a mapping engine. @default false
   */
  readonly sampleJobs?: boolean;
}

export interface ConsoleSession {
  /** Sign-in page of the host, linked when the API refuses the session. @default the page asks for a token */
  readonly signInUrl?: string;
}

/** Settings embedded in the page; `page/app/settings.ts` reads them. */
export interface PageSettings {
  /** Address of the API, relative to the page. */
  readonly api: string;
  readonly session: boolean;
  readonly signInUrl: string | null;
  readonly sampleJobs: boolean;
  /** The types of sinks that the host offers. */
  readonly types: readonly string[];
}

const OPTION_NAMES: Readonly<Record<keyof ConsoleOptions, true>> = { path: true, session: true, sampleJobs: true };

/**
 * Normalises the host's options of the console.
 * @throws ConfigurationError when it cannot be mounted like this
 */
export function consoleOptions(wanted: string | ConsoleOptions): ConsoleOptions {
  const options = typeof wanted === 'string' ? { path: wanted } : wanted;
  const path: unknown = typeof options === 'object' ? options?.path : undefined;
  if (typeof path !== 'string' || trimmed(path) === '') {
    throw new ConfigurationError(
      "console must be a path such as 'console', an object with such a path, or false, which mounts none; " +
        'it cannot be at the root, where the host answers',
    );
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTION_NAMES, name));
  if (unknown === undefined) return options;
  throw new ConfigurationError(
    `console has no option called ${unknown}. It may have: ${Object.keys(OPTION_NAMES).join(', ')}`,
  );
}

/** The console's path without leading and trailing slashes. */
export function consolePath(options: ConsoleOptions): string {
  return trimmed(options.path);
}

/** Where the host has mounted both, from its root. */
export interface Addresses {
  readonly page: string;
  readonly api: string;
}

/** The API's address relative to the page, since a proxy may serve both below a path that the host does not know. */
export function pageSettings(
  options: ConsoleOptions,
  { page, api }: Addresses,
  types: readonly string[],
): PageSettings {
  return {
    api: posix.relative(posix.dirname(page), api || '/') || '.',
    session: options.session !== undefined,
    signInUrl: options.session?.signInUrl ?? null,
    sampleJobs: options.sampleJobs ?? false,
    types,
  };
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
