import { ProblemError } from '../../domain/errors.js';
import { type IdKind, isId } from '../../domain/ids.js';
import type { Page } from '../../database/page.js';

/** A page of the API (contract, section 3). */
export interface ListAnswer<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Opaque to clients, so that its content can change. */
export function toListAnswer<T, A>(page: Page<T>, map: (item: T) => A): ListAnswer<A> {
  const { items, nextAfterId } = page;
  return {
    items: items.map(map),
    nextCursor: nextAfterId === null ? null : Buffer.from(nextAfterId).toString('base64url'),
  };
}

/** @throws ProblemError `invalid-cursor` */
export function readCursor(cursor: string | undefined, kind: IdKind): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (isId(kind, id)) return id;
  throw new ProblemError('invalid-cursor', 'Use the nextCursor of the previous page, or none for the first page.');
}
