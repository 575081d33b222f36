import createClient from 'openapi-fetch';
import { learnServerTime } from '../app/clock.js';
import { silentSince } from '../app/connection.js';
import { offline, type Problem, toProblem } from './problem.js';
import type { ApiPaths } from './types.js';

export type Client = ReturnType<typeof createClient<ApiPaths>>;

export interface ClientParts {
  /** The API's address, without a slash at its end. */
  readonly baseUrl: string;
  /** Null: the host's own session lets in. */
  readonly token: string | null;
  /** The token, or the session, is not valid any more. */
  readonly onRefused: (problem: Problem) => void;
}

/** Calls the API. The token is sent as a header and never as part of an address. */
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
      if (response.status === 401)
        onRefused(
          toProblem(
            401,
            await response
              .clone()
              .json()
              .catch(() => null),
          ),
        );
    },
  });
  return client;
}

/** Keeps in mind whether the platform answers at all. */
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

/** @throws Problem when the API refuses, or does not answer */
export async function ask<T>(call: Promise<Outcome<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  if (!response.ok) throw toProblem(response.status, error);
  return data as NonNullable<T>;
}
