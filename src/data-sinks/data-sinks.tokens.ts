/** Injection tokens for values, and for classes with several instances. `data-sinks.module.ts` binds them. */
export const GIVEN_OPTIONS = Symbol('DataSinks given options');
export const OPTIONS = Symbol('DataSinks options');
/** Identifies the routes of this module among several modules in the process. */
export const MOUNT = Symbol('DataSinks mount');
/** The mounted controllers of the API. */
export const API_CONTROLLERS = Symbol('DataSinks API controllers');

/** Values that tests replace: time, randomness and ids. */
export const NOW = Symbol('DataSinks time, in milliseconds since 1970');
export const RANDOM = Symbol('DataSinks random number');
export const RANDOM_BYTES = Symbol('DataSinks random bytes');
export const NEW_ID = Symbol('DataSinks id factory');
export const ACTIVE_TRACE = Symbol('DataSinks trace of the caller');

/** The host's TypeORM DataSource, for `Database` alone. */
export const DATA_SOURCE = Symbol('DataSinks data source');

export const NETWORK_POLICY = Symbol('DataSinks network policy');
export const PUSH_CLIENT_OPTIONS = Symbol('DataSinks push client options');
/** Keys of the default vault. */
export const VAULT_KEYS = Symbol('DataSinks vault keys');

/** The host's ports, unwrapped. Inject the bound port instead: the class itself, or one of the tokens below. */
export const HOST_AGENT_DIRECTORY = Symbol('DataSinks agent directory of the host');
export const HOST_WORKSPACE_PLANS = Symbol('DataSinks workspace plans of the host');
export const HOST_MAPPING_RESULTS = Symbol('DataSinks mapping results of the host');
export const HOST_WORKSPACE_ACCESS = Symbol('DataSinks workspace access of the host');
export const HOST_SECRET_VAULT = Symbol('DataSinks secret vault of the host');
export const HOST_AUDIT_TRAIL = Symbol('DataSinks audit trail of the host');
/** Of `s3({ credentials })`. */
export const HOST_AWS_CREDENTIALS = Symbol('DataSinks AWS credentials of the host');
/** Ports bound for one purpose, with a time limit of its own. */
export const GATE_AGENT_DIRECTORY = Symbol('DataSinks agent directory of the gate');
export const GATE_WORKSPACE_PLANS = Symbol('DataSinks workspace plans of the gate');
export const INTAKE_AGENT_DIRECTORY = Symbol('DataSinks agent directory of the intake');
