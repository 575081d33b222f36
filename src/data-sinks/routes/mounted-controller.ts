import {
  type CanActivate,
  type ExceptionFilter,
  type PipeTransform,
  RequestMethod,
  Res,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner } from '@nestjs/core';
import { AnsweringGuard } from './answering.guard.js';
import { markRoute, type OurRoute } from './our-route.js';

/** How controllers are mounted in a host. */
export interface Mounting {
  /** Identifies this module: two in one process share a router. */
  readonly mount: object;
  readonly part: OurRoute['part'];
  /** Without leading or trailing slash; empty for the host's root. */
  readonly path: string;
  /** The host's decorators, e.g. `@Public()`. */
  readonly decorators: readonly ClassDecorator[];
  /** Our guards; they run after the host's. */
  readonly guards: readonly Type<CanActivate>[];
  readonly filter: Type<ExceptionFilter>;
  readonly pipe: PipeTransform | null;
  /** Added to every response. */
  readonly headers: Readonly<Record<string, string>>;
}

type Handler = (...args: readonly unknown[]) => unknown;

/**
 * Mounts a controller under a path that the host chose, unaffected by the host's pipes, interceptors and filters.
 *
 * Nest runs guards first, and a method's guards last. There, `AnsweringGuard` calls the controller and writes the
 * response. The handler that Nest calls afterwards does nothing, so the host's interceptors and pipes find the response
 * already sent. Filters of a method take precedence over all others.
 *
 * Creates a new class each time: paths are class metadata, and two modules in one process may be mounted at different
 * paths.
 */
export function mountedAt(mounting: Mounting, controller: Type): Type {
  const { path, decorators } = mounting;
  const mounted = class extends controller {};
  Object.defineProperty(mounted, 'name', { value: controller.name });
  const own = String(Reflect.getMetadata(PATH_METADATA, controller));
  Reflect.defineMetadata(PATH_METADATA, joined(path, own), mounted);
  for (const name of new MetadataScanner().getAllMethodNames(controller.prototype as object)) {
    const handler = (controller.prototype as Record<string, Handler>)[name];
    if (handler && Reflect.hasMetadata(METHOD_METADATA, handler)) mountRoute(mounting, mounted, own, name, handler);
  }
  for (const decorate of decorators) decorate(mounted);
  return mounted;
}

function mountRoute(mounting: Mounting, mounted: Type, controllerPath: string, name: string, handler: Handler): void {
  const { mount, part, guards, filter, pipe, headers } = mounting;
  const answered = { [name]: () => undefined }[name] as Handler;
  for (const key of Reflect.getMetadataKeys(handler)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), answered);
  }
  const prototype = mounted.prototype as Record<string, unknown>;
  const descriptor = { value: answered, writable: true, configurable: true, enumerable: false };
  Object.defineProperty(prototype, name, descriptor);
  UseGuards(...guards, AnsweringGuard)(prototype, name, descriptor);
  UseFilters(filter)(prototype, name, descriptor);
  // Tells Nest not to send the handler's return value.
  Res()(prototype, name, handler.length);
  const ownPath = `/${joined(controllerPath, String(Reflect.getMetadata(PATH_METADATA, handler)))}`;
  const isPost = Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.POST;
  const status = (Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined) ?? (isPost ? 201 : 200);
  markRoute(answered, { mount, part, ownPath, handler, status, headers, pipe });
}

function joined(...paths: readonly string[]): string {
  const trimmed = paths.map((path) => path.replace(/^\/+|\/+$/g, ''));
  return trimmed.filter((path) => path !== '').join('/');
}
