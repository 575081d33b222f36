import type { PipeTransform } from '@nestjs/common';

/** Marks the functions of our routes. Nest copies this metadata to the function registered in the router. */
const OUR_ROUTE = Symbol('data-sinks route');

/** `@nestjs/platform-fastify` copies this metadata to a route's `config`. */
const FASTIFY_ROUTE_CONFIG = '__fastify_route_config__';

/** A route of one of our modules. */
export interface OurRoute {
  /** Identifies the module: two in one process share a router. */
  readonly mount: object;
  readonly part: 'api' | 'console';
  /** Path relative to the mount path, such as `/agents/:agentId/data-sources`. */
  readonly ownPath: string;
  /** Name of the controller's method. */
  readonly handler: (...args: readonly unknown[]) => unknown;
  /** Default status of the response. */
  readonly status: number;
  /** Added to every response. */
  readonly headers: Readonly<Record<string, string>>;
  /** Validates bodies and queries; null where there are none. */
  readonly pipe: PipeTransform | null;
}

export function markRoute(routed: object, route: OurRoute): void {
  Reflect.defineMetadata(OUR_ROUTE, route, routed);
  Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG, { [OUR_ROUTE]: route }, routed);
}

/** @param routed a function of a controller or of a router */
export function routeOf(routed: object): OurRoute | undefined {
  return Reflect.getMetadata(OUR_ROUTE, routed) as OurRoute | undefined;
}

/** @param config of a Fastify route */
export function routeInConfig(config: object | undefined): OurRoute | undefined {
  return (config as { readonly [OUR_ROUTE]?: OurRoute } | undefined)?.[OUR_ROUTE];
}
