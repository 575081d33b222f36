import { Readable } from 'node:stream';
import { bodyProblem, hasBody, readJsonBody } from './json-body.js';
import { PROBLEM_CONTENT_TYPE, problemDetails } from './problem-details.js';

interface FastifyRequestLike {
  readonly raw: { readonly url?: string; readonly headers: Record<string, string | string[] | undefined> };
}

interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  type(contentType: string): FastifyReplyLike;
  send(body: unknown): FastifyReplyLike;
}

/** As much of Fastify as is needed, so that a host without it needs no types of it. */
export interface FastifyInstanceLike {
  addHook(name: 'onRequest', hook: (request: FastifyRequestLike) => Promise<void>): unknown;
  addHook(
    name: 'preParsing',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, payload: Readable) => Promise<unknown>,
  ): unknown;
}

/** Fastify chooses its parser by the content type before it reads: ours is JSON, whatever the client called it. */
export function readBodiesInFastify(fastify: FastifyInstanceLike, ours: RegExp): void {
  const declared = new WeakMap<object, string>();
  const concerns = ({ raw }: FastifyRequestLike): boolean => hasBody(raw) && ours.test(raw.url ?? '');

  fastify.addHook('onRequest', async (request) => {
    if (!concerns(request)) return;
    declared.set(request, String(request.raw.headers['content-type'] ?? ''));
    request.raw.headers['content-type'] = 'application/json';
  });
  fastify.addHook('preParsing', async (request, reply, payload) => {
    const contentType = declared.get(request);
    if (contentType === undefined) return payload;
    try {
      const read: Buffer[] = [];
      await readJsonBody({ headers: { 'content-type': contentType }, [Symbol.asyncIterator]: () => tee(payload, read) });
      return Readable.from(read, { objectMode: false });
    } catch (error) {
      const problem = bodyProblem(error);
      return reply.code(problem.status).type(PROBLEM_CONTENT_TYPE).send(problemDetails(problem));
    }
  });
}

async function* tee(payload: Readable, into: Buffer[]): AsyncGenerator<Buffer> {
  for await (const chunk of payload as AsyncIterable<Buffer>) {
    into.push(chunk);
    yield chunk;
  }
}
