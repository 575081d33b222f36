/**
 * The database transaction that the caller is in. Opaque here, so that no port needs an ORM: the module passes TypeORM's
 * `EntityManager`, and an adapter whose store is elsewhere ignores it.
 */
export type OpenTransaction = object;
