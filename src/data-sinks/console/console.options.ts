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

/** The console's path without slashes around it. */
export function consolePath(options: ConsoleOptions): string {
  return options.path.replace(/^\/+|\/+$/g, '');
}

/** @param apiPath where the API is mounted, after the same prefix */
export function pageSettings(options: ConsoleOptions, apiPath: string): PageSettings {
  const up = '../'.repeat(consolePath(options).split('/').length - 1);
  return {
    api: `${up}${apiPath.replace(/^\/+|\/+$/g, '')}`,
    session: options.session !== undefined,
    signInUrl: options.session?.signInUrl ?? null,
    sampleJobs: options.sampleJobs ?? false,
  };
}
