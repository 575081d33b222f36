import { VERSION_NEUTRAL, type VersioningOptions, VersioningType } from '@nestjs/common';
import { ConfigurationError } from '../core/errors.js';

/** The console, when the host wants more than its path. */
export interface ConsoleOptions {
  /** Where it is mounted, after the host's global prefix, such as `console`. */
  readonly path: string;
  /**
   * The host has a session of its own (a cookie that its `WorkspaceAccess` reads): the page calls the API without a
   * token first, and asks for one only when it is not let in. Each of its calls carries `X-Data-Sinks-Console: 1`, which
   * other sites cannot send: a host that lets in by a cookie refuses calls without it.
   */
  readonly session?: ConsoleSession;
  /**
   * Offers a button that finishes a small mapping job through the host's `POST agents/{id}/mapping-jobs`: for
   * demonstrations, where no mapping engine runs. @default false
   */
  readonly sampleJobs?: boolean;
}

export interface ConsoleSession {
  /** Where people sign in to the host: the page links there when it is not let in. @default it asks for a token */
  readonly signInUrl?: string;
}

/** What the page is told when it is loaded. `page/app/settings.ts` reads it. */
export interface PageSettings {
  /** The API, relative to the page. */
  readonly api: string;
  readonly session: boolean;
  readonly signInUrl: string | null;
  readonly sampleJobs: boolean;
}

const OPTION_NAMES: Readonly<Record<keyof ConsoleOptions, true>> = { path: true, session: true, sampleJobs: true };

/**
 * What the host said of the console, in full.
 * @throws ConfigurationError when it cannot be mounted so
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
    `console has nothing that is called ${unknown}. It may have: ${Object.keys(OPTION_NAMES).join(', ')}`,
  );
}

/** The console's path without slashes around it. */
export function consolePath(options: ConsoleOptions): string {
  return trimmed(options.path);
}

/**
 * @param apiPath where the API is mounted, after the host's prefix and version
 * @param versioning the host's; the page itself has no version
 */
export function pageSettings(
  options: ConsoleOptions,
  apiPath: string,
  versioning: VersioningOptions | undefined,
): PageSettings {
  const up = '../'.repeat(consolePath(options).split('/').length - 1);
  const api = [versionSegment(versioning), trimmed(apiPath)].filter((part) => part !== '').join('/');
  return {
    api: `${up}${api}` || '.',
    session: options.session !== undefined,
    signInUrl: options.session?.signInUrl ?? null,
    sampleJobs: options.sampleJobs ?? false,
  };
}

/**
 * What Nest writes before the paths of controllers that name no version, as ours do; of several any one will do.
 * Versions that are not in the address (headers, media types) are not there.
 */
function versionSegment(versioning: VersioningOptions | undefined): string {
  if (versioning?.type !== VersioningType.URI) return '';
  const { defaultVersion, prefix = 'v' } = versioning;
  const versions = Array.isArray(defaultVersion) ? defaultVersion : [defaultVersion];
  const [first] = versions;
  if (first === undefined || versions.includes(VERSION_NEUTRAL)) return '';
  return `${prefix === false ? '' : prefix}${String(first)}`;
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
