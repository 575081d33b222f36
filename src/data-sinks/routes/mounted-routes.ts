import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { MOUNT } from '../data-sinks.tokens.js';
import { type OurRoute, routeInConfig, routeOf } from './our-route.js';

/** The subset of Express that is needed: the application's router, once it has routes. */
interface ExpressApp {
  readonly router?: { readonly stack: readonly ExpressLayer[] };
}

interface ExpressLayer {
  /** Absent for middleware. */
  readonly route?: ExpressRoute;
  /** @throws on a malformed escape */
  match(path: string): boolean;
}

interface ExpressRoute {
  readonly path: unknown;
  readonly methods: Readonly<Record<string, boolean>>;
  readonly stack: readonly { readonly handle: object }[];
}

/** Path of an Express request relative to Nest's application, without the prefix of an outer application. */
export interface ExpressAsk {
  readonly method: string;
  readonly path: string;
}

export interface FastifyRoute {
  readonly url: string;
  readonly config?: object;
}

interface FastifyApp {
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): unknown;
}

interface Found {
  readonly path: string;
  readonly route: OurRoute;
}

/**
 * The routes of one of our modules as registered in the host's router, including the host's prefix, versions and
 * exclusions. Asks the router, because a path that looks like ours may belong to the host.
 *
 * Created with the providers, before any route is registered.
 */
@Injectable()
export class MountedRoutes {
  readonly #ofFastify: Found[] = [];
  #layers: readonly ExpressLayer[] = [];

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(MOUNT) private readonly mount: object,
  ) {
    if (adapterHost.httpAdapter?.getType() !== 'fastify') return;
    adapterHost.httpAdapter.getInstance<FastifyApp>().addHook('onRoute', ({ url, config }) => {
      const route = this.ofFastify(config);
      if (route) this.#ofFastify.push({ path: url, route });
    });
  }

  /** @param config of the route that Fastify matched */
  ofFastify(config: object | undefined): OurRoute | undefined {
    const route = routeInConfig(config);
    return route?.mount === this.mount ? route : undefined;
  }

  /** Whether Express matches one of our routes first. */
  isOurs({ method, path }: ExpressAsk): boolean {
    const name = method.toLowerCase();
    const answers = (layer: ExpressLayer): boolean => layer.route?.methods[name] === true && matches(layer, path);
    this.#layers = this.#layers.length > 0 ? this.#layers : this.#stack().filter((layer) => this.#routeOf(layer));
    const first = this.#layers.some(answers) && this.#stack().find(answers);
    return first ? this.#routeOf(first) !== undefined : false;
  }

  /** Path at which the host mounted the module, such as `/ops/api/v1`; null when its router does not have it. */
  before(part: OurRoute['part']): string | null {
    const found = this.#found().find(({ path, route }) => route.part === part && path.endsWith(route.ownPath));
    return found ? found.path.slice(0, -found.route.ownPath.length) : null;
  }

  #found(): readonly Found[] {
    if (this.#ofFastify.length > 0) return this.#ofFastify;
    return this.#stack().flatMap((layer) => {
      const [path, route] = [layer.route?.path, this.#routeOf(layer)];
      return route && typeof path === 'string' ? [{ path, route }] : [];
    });
  }

  #routeOf({ route }: ExpressLayer): OurRoute | undefined {
    const ours = route?.stack.map(({ handle }) => routeOf(handle)).find((found) => found !== undefined);
    return ours?.mount === this.mount ? ours : undefined;
  }

  #stack(): readonly ExpressLayer[] {
    return this.adapterHost.httpAdapter.getInstance<ExpressApp>().router?.stack ?? [];
  }
}

function matches(layer: ExpressLayer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
