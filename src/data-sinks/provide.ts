import type { FactoryProvider, InjectionToken, OptionalFactoryDependency } from '@nestjs/common';

/** The factory gets what it injects, in the same order. The classes below are plain: they know no container. */
export function provide<T>(
  token: InjectionToken<T>,
  inject: readonly (InjectionToken | OptionalFactoryDependency)[],
  useFactory: (...dependencies: never[]) => T,
): FactoryProvider<T> {
  return { provide: token, inject: [...inject], useFactory: useFactory as (...dependencies: unknown[]) => T };
}
