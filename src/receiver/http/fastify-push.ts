import { PUSH_CONTENT_TYPES } from '../push-content.js';
import type { PushRequest } from './raw-body.js';
import type { ReceiveOptions } from './received-push.js';
import { checkReceiveOptions, DEFAULT_LIMIT_BYTES, receivePush } from './received-push.js';

/** The subset of a Fastify instance that is used here. */
export interface FastifyScope {
  addContentTypeParser(
    contentType: string,
    options: { parseAs: 'buffer'; bodyLimit: number },
    parser: (request: never, body: Buffer, done: (error: Error | null, body?: Buffer) => void) => void,
  ): unknown;
  addHook(name: 'preHandler', hook: (request: PushRequest) => Promise<void>): unknown;
}

/**
 * Makes a Fastify scope accept only verified pushes: bodies stay bytes, and every route of the scope gets its push with
 * `pushOf(request)`. Call it in a separate plugin, so that other routes keep their JSON parser:
 *
 *     app.register(async (scope) => {
 *       fastifyPush(scope, { secret });
 *       scope.post('/mapping-results', async (request) => { … pushOf(request) … });
 *     });
 */
export function fastifyPush(scope: FastifyScope, options: ReceiveOptions): void {
  checkReceiveOptions(options);
  const bodyLimit = options.limitBytes ?? DEFAULT_LIMIT_BYTES;
  for (const type of PUSH_CONTENT_TYPES) {
    scope.addContentTypeParser(type, { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body));
  }
  scope.addHook('preHandler', async (request) => {
    await receivePush(request, options);
  });
}
