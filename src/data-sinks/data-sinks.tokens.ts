/** Tokens of what is not a class. */
export const GIVEN_OPTIONS = Symbol('DataSinks given options');
export const OPTIONS = Symbol('DataSinks options');
export const DATABASE = Symbol('DataSinks database');
/** For statements outside of transactions: prepared ones, unless the host said otherwise. */
export const SESSION = Symbol('DataSinks session');
/** The same for the worker's, which must outlive a connection that was lost: none is waited for longer than a lease. */
export const WORKER_SESSION = Symbol('DataSinks worker session');
export const NEW_ID = Symbol('DataSinks id factory');
export const NETWORK_POLICY = Symbol('DataSinks network policy');
