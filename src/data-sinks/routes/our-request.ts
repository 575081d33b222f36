import type { ProblemError } from '../domain/errors.js';

/** A parsed body, or the reason why it could not be read. */
export type ReadBody = { readonly value: unknown } | { readonly problem: ProblemError };

const BODY = Symbol('data-sinks body');

/** Node's request. */
interface RawRequest {
  readonly url?: string;
  /** False while Node waits for more of the body. */
  readonly complete?: boolean;
  [BODY]?: ReadBody;
}

/** Common fields of Express's and Fastify's requests. */
export interface OurRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly url?: string;
  /** Fastify only: Express's request is Node's. */
  readonly raw?: RawRequest;
}

/** Stores the parsed body where the host's middleware does not look for it. */
export function keepBody(raw: object, body: ReadBody): void {
  (raw as RawRequest)[BODY] = body;
}

/** The body as read, unaffected by middleware. */
export function bodyOf(request: OurRequest): unknown {
  const read = rawOf(request)[BODY];
  return read && 'value' in read ? read.value : request.body;
}

/** @throws ProblemError when the body could not be read. Thrown only in the route, after the host's guards */
export function refuseUnreadBody(request: OurRequest): void {
  const read = rawOf(request)[BODY];
  if (read && 'problem' in read) throw read.problem;
}

/** Whether reading the body was aborted. */
export function isBodyUnread(request: OurRequest): boolean {
  const { complete, [BODY]: read } = rawOf(request);
  return complete === false && read !== undefined && 'problem' in read;
}

/** The original query string: hosts choose among parsers, and middleware may change the parsed query. */
export function queryTextOf(request: OurRequest): string {
  const [, query = ''] = /\?([^#]*)/.exec(rawOf(request).url ?? '') ?? [];
  return query;
}

function rawOf(request: OurRequest): RawRequest {
  return request.raw ?? (request as RawRequest);
}
