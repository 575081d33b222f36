/** Tokens of what is not a class. */
export const GIVEN_OPTIONS = Symbol('DataSinks given options');
export const OPTIONS = Symbol('DataSinks options');
export const DATABASE = Symbol('DataSinks database');
/** For statements outside of transactions: prepared ones, unless the host said otherwise. */
export const SESSION = Symbol('DataSinks session');
export const NEW_ID = Symbol('DataSinks id factory');
export const NETWORK_POLICY = Symbol('DataSinks network policy');
