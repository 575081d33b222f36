/** The package's version; a test compares it with package.json. */
export const VERSION = '0.1.0';

/** The `User-Agent`: product and version (contract, section 6). */
export const USER_AGENT = `MappingTravel-DataSinks/${VERSION}`;
