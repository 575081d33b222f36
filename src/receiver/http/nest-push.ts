import type { PushRequest } from './raw-body.js';
import type { ReceiveOptions } from './received-push.js';
import { checkReceiveOptions, receivePush } from './received-push.js';

/** The subset of Nest's ExecutionContext that is used here. */
export interface HttpExecutionContext {
  switchToHttp(): { getRequest<T>(): T };
}

/** Compatible with Nest's CanActivate. */
export interface PushGuard {
  canActivate(context: HttpExecutionContext): Promise<boolean>;
}

/**
 * A guard that accepts only verified pushes, for `@UseGuards(pushGuard({ … }))`. Create the application with `{
 * rawBody: true }` and raise the parser's limit: `app.useBodyParser('json', { limit: '32mb' })`.
 */
export function pushGuard(options: ReceiveOptions): PushGuard {
  checkReceiveOptions(options);
  return {
    async canActivate(context) {
      // Throws instead of returning false, so that Nest responds with the error's status and message, not a bare 403.
      await receivePush(context.switchToHttp().getRequest<PushRequest>(), options);
      return true;
    },
  };
}

/** The metadata key of Nest's `@UseGuards()`. */
const NEST_GUARDS = '__guards__';

interface MetadataReflection {
  getMetadata(key: string, target: object): unknown;
  defineMetadata(key: string, value: unknown, target: object): void;
}

/**
 * The same as `@UseGuards(pushGuard(options))`, on a route or a controller, without an import of Nest; the route finds
 * its push by `pushOf(request)`.
 *
 *     @Post('mapping-results')
 *     @VerifiedPush({ secrets: () => [process.env.PUSH_SECRET ?? ''] })
 *     take(@Req() request: Request) { … pushOf(request) … }
 */
export function VerifiedPush(options: ReceiveOptions): ClassDecorator & MethodDecorator {
  const guard = pushGuard(options);
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const route: unknown = descriptor?.value;
    const guarded = typeof route === 'function' ? route : target;
    // Nest requires reflect-metadata, which adds these two functions to the global Reflect.
    const reflection = Reflect as unknown as MetadataReflection;
    const others = (reflection.getMetadata(NEST_GUARDS, guarded) ?? []) as unknown[];
    reflection.defineMetadata(NEST_GUARDS, [...others, guard], guarded);
  };
}
