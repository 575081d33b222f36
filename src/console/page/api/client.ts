import createClient from 'openapi-fetch';
import { learnServerTime } from '../app/clock.js';
import { silentSince } from '../app/connection.js';
import { offline, type Problem, toProblem, unreadable } from './problem.js';
import type { ApiPaths } from './types.js';

export type Client = ReturnType<typeof createClient<ApiPaths>>;

export interface ClientParts {
  /** The API's address without a trailing slash. */
  readonly baseUrl: string;
  /** Null: authenticated by the host's session. */
  readonly token: string | null;
  /** Called when the token or the session is no longer valid. */
  readonly onRefused: (problem: Problem) => void;
}

/** Calls the API. The token is sent as a header, never in a URL. */
export function openClient({ baseUrl, token, onRefused }: ClientParts): Client {
  const client = createClient<ApiPaths>({
    baseUrl,
    credentials: token === null ? 'same-origin' : 'omit',
    cache: 'no-store',
    headers: { 'X-Data-Sinks-Console': '1', ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
    querySerializer: { array: { style: 'form', explode: false } },
    fetch: heard,
  });
  client.use({
    onResponse: async ({ response }) => {
      if (response.status !== 401) return;
      const answer: unknown = await response
        .clone()
        .json()
        .catch(() => null);
      const problem = toProblem(401, answer);
      // A guard that refuses all tokens says nothing about this one.
      if (token === null || !problem.isOfHost) onRefused(problem);
    },
  });
  return client;
}

/** Tracks whether the platform responds. */
async function heard(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    silentSince.set(null);
    learnServerTime(response.headers.get('Date'));
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    silentSince.set(silentSince.get() ?? Date.now());
    throw offline();
  }
}

interface Outcome<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** @throws Problem when the API refuses or does not respond */
export async function ask<T>(call: Promise<Outcome<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call.catch((thrown: unknown) => {
    throw thrown instanceof SyntaxError ? unreadable() : thrown;
  });
  if (!response.ok) throw toProblem(response.status, error);
  return data as NonNullable<T>;
}
