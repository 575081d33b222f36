import type { Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';

/**
 * The same controller under a path of the host's choice. A class of its own each time: the path is metadata of the class,
 * and two modules in one process may be mounted at two places.
 * @param path without slashes at its ends; empty for the host's root
 */
export function mountedAt(path: string, controller: Type): Type {
  const mounted = class extends controller {};
  Object.defineProperty(mounted, 'name', { value: controller.name });
  const own: unknown = Reflect.getMetadata(PATH_METADATA, controller);
  Reflect.defineMetadata(PATH_METADATA, path === '' ? own : `${path}/${String(own)}`, mounted);
  return mounted;
}
