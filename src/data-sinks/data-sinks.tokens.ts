/** Tokens of what is not a class. */
export const GIVEN_OPTIONS = Symbol('DataSinks given options');
export const OPTIONS = Symbol('DataSinks options');
export const DATABASE = Symbol('DataSinks database');
export const NEW_ID = Symbol('DataSinks id factory');
export const NETWORK_POLICY = Symbol('DataSinks network policy');
