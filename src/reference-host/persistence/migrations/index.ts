import { CreateHostTables1764000000001 } from './1764000000001-CreateHostTables.js';
import { JobIdsPerWorkspace1764800000001 } from './1764800000001-JobIdsPerWorkspace.js';

/** The reference host's own migrations, oldest first. */
export const hostMigrations = [CreateHostTables1764000000001, JobIdsPerWorkspace1764800000001];
