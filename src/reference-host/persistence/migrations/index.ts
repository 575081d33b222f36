import { CreateHostTables1764000000001 } from './1764000000001-CreateHostTables.js';

/** The reference host's own migrations, oldest first. */
export const hostMigrations = [CreateHostTables1764000000001];
