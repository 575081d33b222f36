import { parse } from 'node:querystring';
import type { ArgumentMetadata, ExecutionContext, PipeTransform } from '@nestjs/common';
import { PARAMTYPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { bodyOf, type OurRequest, queryTextOf } from './our-request.js';

/** Parameter metadata of `@Body()` and similar decorators. `createParamDecorator()` adds a factory. */
interface NotedArgument {
  readonly index: number;
  readonly data?: unknown;
  readonly factory?: (data: unknown, context: ExecutionContext) => unknown;
}

type Read = (request: OurRequest, name: string) => unknown;

const READ: Readonly<Partial<Record<RouteParamtypes, Read>>> = {
  [RouteParamtypes.REQUEST]: (request) => request,
  [RouteParamtypes.BODY]: bodyOf,
  [RouteParamtypes.QUERY]: (request) => ({ ...parse(queryTextOf(request)) }),
  [RouteParamtypes.PARAM]: ({ params }, name) => params[name],
  [RouteParamtypes.HEADERS]: ({ headers }, name) => headers[name],
};

const CHECKED: Readonly<Partial<Record<RouteParamtypes, ArgumentMetadata['type']>>> = {
  [RouteParamtypes.BODY]: 'body',
  [RouteParamtypes.QUERY]: 'query',
};

/**
 * Builds a controller method's arguments from its parameter decorators, using only our validation pipe.
 * @throws what the pipe throws
 */
export async function handlerArguments(context: ExecutionContext, pipe: PipeTransform | null): Promise<unknown[]> {
  const { prototype } = context.getClass() as { readonly prototype: object };
  const { name } = context.getHandler();
  const noted = (Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), name) ?? {}) as Record<
    string,
    NotedArgument
  >;
  const types = (Reflect.getMetadata(PARAMTYPES_METADATA, prototype, name) ??
    []) as readonly ArgumentMetadata['metatype'][];
  const request = context.switchToHttp().getRequest<OurRequest>();
  const args: unknown[] = [];
  for (const [key, { index, data, factory }] of Object.entries(noted)) {
    const kind = Number.parseInt(key, 10) as RouteParamtypes;
    const value = factory ? factory(data, context) : READ[kind]?.(request, String(data));
    const type = factory ? undefined : CHECKED[kind];
    const metatype = types[index];
    args[index] = type && pipe ? await pipe.transform(value, { type, metatype }) : value;
  }
  return args;
}
