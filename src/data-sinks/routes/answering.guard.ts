import { type CanActivate, type ExecutionContext, Injectable, Scope } from '@nestjs/common';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import { Answer, type HostResponse, writeAnswer } from './answer.js';
import { handlerArguments } from './handler-arguments.js';
import { type OurRequest, refuseUnreadBody } from './our-request.js';
import { type OurRoute, routeOf } from './our-route.js';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';

/**
 * Handles a request to one of our routes. Runs as the last guard, after the host's.
 * @see mountedAt
 */
@Injectable()
export class AnsweringGuard implements CanActivate {
  constructor(private readonly moduleRef: ModuleRef) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const route = routeOf(context.getHandler());
    if (!route) throw new Error('AnsweringGuard only works on controllers mounted by mountedAt()');
    const http = context.switchToHttp();
    const request = http.getRequest<OurRequest>();
    const response = http.getResponse<HostResponse>();
    refuseUnreadBody(request);
    const controller = await this.#controllerOf(context);
    const args = await handlerArguments(context, route.pipe);
    const result: unknown = await route.handler.apply(controller, args);
    const own = route.part === 'api' && { [REQUEST_ID_HEADER]: requestIdOf(request, response) };
    await writeAnswer(response, toAnswer(result, { ...route, headers: { ...route.headers, ...own } }));
    return true;
  }

  /** As Nest's router does it: how a host's `ContextIdStrategy` divides requests is asked only where one needs a controller of its own. */
  async #controllerOf(context: ExecutionContext): Promise<unknown> {
    const controller = context.getClass();
    if (this.moduleRef.introspect(controller).scope === Scope.DEFAULT) return this.moduleRef.get(controller);
    const contextId = ContextIdFactory.getByRequest(context.switchToHttp().getRequest<object>());
    return this.moduleRef.resolve(controller, contextId);
  }
}

function toAnswer(result: unknown, { status, headers }: OurRoute): Answer {
  if (result instanceof Answer) return new Answer(result.status, { ...headers, ...result.headers }, result.body);
  if (result === undefined) return new Answer(status, headers, null);
  return Answer.json(status, result, headers);
}
