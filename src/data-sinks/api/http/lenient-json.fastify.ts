import { keepBody } from '../../routes/our-request.js';
import { bodyProblem, hasBody, type ReadableRequest, readJsonBody } from './json-body.js';

/** Fastify chooses a parser by content type before it reads. This type is used only by us, whatever the client sent. */
const OUR_TYPE = 'application/x-data-sinks-json';

/** Stores the client's content type meanwhile. On the request, since two modules share the parser. */
const DECLARED = Symbol('data-sinks declared body');

interface Declared {
  readonly type: string | undefined;
  value?: unknown;
}

interface FastifyRequestLike {
  readonly raw: {
    readonly headers: Record<string, string | string[] | undefined>;
    [DECLARED]?: Declared;
  };
  readonly routeOptions: { readonly config?: object };
}

type Payload = AsyncIterable<Uint8Array>;

/** The subset of Fastify that is needed, so that other hosts need not install its types. */
export interface FastifyInstanceLike {
  addHook(name: 'onRequest', hook: (request: FastifyRequestLike) => Promise<void>): unknown;
  addHook(
    name: 'preParsing',
    hook: (request: FastifyRequestLike, reply: unknown, payload: Payload) => Promise<Payload>,
  ): unknown;
  hasContentTypeParser(contentType: string): boolean;
  addContentTypeParser(contentType: string, parser: (request: FastifyRequestLike) => Promise<unknown>): unknown;
}

/**
 * Reads the body before Fastify's parsers, which would refuse it with an error in their own format.
 * @param isOurs recognises our routes by their `config`
 */
export function readBodiesInFastify(
  fastify: FastifyInstanceLike,
  isOurs: (config: object | undefined) => boolean,
  deadlineMs: number,
): void {
  fastify.addHook('onRequest', async (request) => {
    const { headers } = request.raw;
    if (!isOurs(request.routeOptions.config)) return;
    if (hasBody(request.raw)) {
      request.raw[DECLARED] = { type: headers['content-type'] as string | undefined };
      headers['content-type'] = OUR_TYPE;
    } else {
      // Some clients declare JSON and send no body; Fastify would refuse that.
      delete headers['content-type'];
    }
  });
  fastify.addHook('preParsing', async (request, _reply, payload) => {
    const sent = request.raw[DECLARED];
    // Another module's hook may have read it.
    if (!sent || 'value' in sent || !isOurs(request.routeOptions.config)) return payload;
    const body: ReadableRequest = {
      headers: { 'content-type': sent.type },
      [Symbol.asyncIterator]: () => payload[Symbol.asyncIterator](),
    };
    try {
      const value = (await readJsonBody(body, { deadlineMs })) ?? {};
      keepBody(request.raw, { value });
      // The host's hooks may modify their copy.
      sent.value = structuredClone(value);
    } catch (error) {
      keepBody(request.raw, { problem: bodyProblem(error) });
    }
    return payload;
  });
  // Another module in this host may have registered the same parser.
  if (fastify.hasContentTypeParser(OUR_TYPE)) return;
  fastify.addContentTypeParser(OUR_TYPE, async (request) => {
    const sent = request.raw[DECLARED];
    request.raw.headers['content-type'] = sent?.type;
    return sent?.value;
  });
}
