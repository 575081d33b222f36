import { randomUUID } from 'node:crypto';
import type { HostResponse } from './answer.js';
import type { OurRequest } from './our-request.js';

export const REQUEST_ID_HEADER = 'X-Request-Id';

/** What is safe in a header and in a line of a log, and no longer than anybody's ids are. */
const SANE = /^[\w.:/+=@-]{1,128}$/;

const ID = Symbol('data-sinks request id');

interface Numbered {
  [ID]?: string;
}

/**
 * The id of a request, for its answer, its problem and its log lines: the one that the host has given it by a header of
 * the answer; else the caller's own `X-Request-Id`, where it is sane; else a new one. The same each time.
 */
export function requestIdOf(request: OurRequest, response: HostResponse): string {
  const numbered = (request.raw ?? request) as Numbered;
  return (numbered[ID] ??= [givenByHost(response), request.headers['x-request-id']].find(isSane) ?? randomUUID());
}

function givenByHost(response: HostResponse): unknown {
  if (!('raw' in response)) return response.getHeader(REQUEST_ID_HEADER);
  return response.getHeaders()['x-request-id'] ?? response.raw.getHeader(REQUEST_ID_HEADER);
}

const isSane = (id: unknown): id is string => typeof id === 'string' && SANE.test(id);
