import { ANSWER_HEADERS } from './answer-headers.js';
import { bodyProblem, hasBody, type ReadableRequest, readJsonBody } from './json-body.js';
import { PROBLEM_CONTENT_TYPE, problemDetails } from './problem-details.js';

const BODY = Symbol('data-sinks body');

/** Fastify chooses a parser by the content type before it reads. This type is ours alone, whatever the client called it. */
const OUR_TYPE = 'application/x-data-sinks-json';

interface FastifyRequestLike {
  readonly raw: {
    readonly url?: string;
    readonly headers: Record<string, string | string[] | undefined>;
    /** False while Node waits for more of the body. */
    readonly complete?: boolean;
  };
  [BODY]?: unknown;
}

interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  header(name: string, value: string): FastifyReplyLike;
  type(contentType: string): FastifyReplyLike;
  send(body: unknown): FastifyReplyLike;
}

type Payload = AsyncIterable<Uint8Array>;

/** As much of Fastify as is needed, so that a host without it needs no types of it. */
export interface FastifyInstanceLike {
  addHook(name: 'onRequest', hook: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<void>): unknown;
  addHook(
    name: 'preParsing',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, payload: Payload) => Promise<unknown>,
  ): unknown;
  hasContentTypeParser(contentType: string): boolean;
  addContentTypeParser(contentType: string, parser: (request: FastifyRequestLike) => Promise<unknown>): unknown;
}

/** The body is read before Fastify's parsers, which would refuse it in a form of their own, and handed to it as it is. */
export function readBodiesInFastify(
  fastify: FastifyInstanceLike,
  isOurs: (url: string) => boolean,
  deadlineMs: number,
): void {
  const declared = new WeakMap<FastifyRequestLike, string | undefined>();

  fastify.addHook('onRequest', async (request, reply) => {
    const { url = '', headers } = request.raw;
    if (!isOurs(url)) return;
    for (const [name, value] of Object.entries(ANSWER_HEADERS)) reply.header(name, value);
    if (headers['content-type'] === OUR_TYPE) return;
    if (hasBody(request.raw)) {
      declared.set(request, String(headers['content-type'] ?? ''));
      headers['content-type'] = OUR_TYPE;
    } else {
      // Clients that declare JSON and send nothing mean nothing; Fastify would refuse it.
      delete headers['content-type'];
    }
  });
  fastify.addHook('preParsing', async (request, reply, payload) => {
    if (!declared.has(request)) return payload;
    const body: ReadableRequest = {
      headers: { 'content-type': declared.get(request) },
      [Symbol.asyncIterator]: () => payload[Symbol.asyncIterator](),
    };
    try {
      const read = await readJsonBody(body, { deadlineMs });
      request[BODY] = read === undefined ? {} : read;
      return payload;
    } catch (error) {
      const problem = bodyProblem(error);
      // What may still come of this body is not waited for.
      if (request.raw.complete === false) reply.header('Connection', 'close');
      return reply.code(problem.status).type(PROBLEM_CONTENT_TYPE).send(problemDetails(problem));
    }
  });
  // Another module in this host may have brought the same one.
  if (!fastify.hasContentTypeParser(OUR_TYPE)) fastify.addContentTypeParser(OUR_TYPE, async (request) => request[BODY]);
}
