/**
 * The caller's database transaction. An opaque type, so that ports do not depend on an ORM: the module passes TypeORM's
 * `EntityManager`; an adapter with another store ignores it.
 */
export type OpenTransaction = object;
