import {
  type Agent,
  type AgentDirectory,
  type DataSinksPorts,
  dataSinksEntities,
  dataSinksMigrations,
  type JobCompleted,
  type MappingResults,
  SCOPES,
  type WorkspacePlans,
} from 'nestjs-data-sinks';
import { InMemoryMappingResults, StaticTokenAccess } from 'nestjs-data-sinks/testing';
import { DataSource } from 'typeorm';

/** What a test asks a host to finish. */
export interface JobOrder {
  /** For a host with several modules. */
  readonly tenant?: string;
  readonly jobId: string;
  readonly rows: number;
}

export const WORKSPACE = 'ws_01STRANGER';
export const AGENT = 'agt_01STRANGER';
export const CALLER = { workspaceId: WORKSPACE, actor: { type: 'user', id: 'usr_1' }, scopes: new Set(SCOPES) };

/** A customer of the host's, with one agent, and with the ports that know them. */
export class Tenant {
  readonly #results = new InMemoryMappingResults();

  /** @param token lets the API in */
  constructor(private readonly token: string) {}

  ports(): DataSinksPorts {
    const { token } = this;
    const results = this.#results;
    return {
      agentDirectory: class implements AgentDirectory {
        async findAgents(ids: readonly string[]): Promise<readonly Agent[]> {
          const ruleSet = { data_sinks: { auto_push_on_job_complete: true } };
          return ids.includes(AGENT) ? [{ id: AGENT, workspaceId: WORKSPACE, active: true, ruleSet }] : [];
        }
      },
      workspacePlans: class implements WorkspacePlans {
        async findPlans(): Promise<ReadonlyMap<string, string>> {
          return new Map([[WORKSPACE, 'ENTERPRISE']]);
        }
      },
      mappingResults: class implements MappingResults {
        findCompletedJob: MappingResults['findCompletedJob'] = (...job) => results.findCompletedJob(...job);
        streamRows: MappingResults['streamRows'] = (job) => results.streamRows(job);
      },
      workspaceAccess: class extends StaticTokenAccess {
        constructor() {
          super({ [token]: CALLER });
        }
      },
    };
  }

  /** Stores the results, as the host's mapping does. What is told of it to the module is up to the host. */
  finish({ jobId, rows }: JobOrder): JobCompleted {
    const results = Array.from({ length: rows }, (_, i) => ({
      partnerRowId: `row_${i}`,
      referenceHotelId: `ref_${i}`,
      matchMethod: 'STANDARD',
      matchConfidence: 0.5,
    }));
    const stats = { total: rows, matched: rows, unmatched: 0 };
    const job = { jobId, agentId: AGENT, workspaceId: WORKSPACE, completedAt: new Date(), stats };
    this.#results.complete(job, results);
    return job;
  }
}

/** The host's own database: opened and migrated by the host, closed by its TypeOrmModule. */
export async function openDatabase(variable: string): Promise<DataSource> {
  const database = new DataSource({
    type: 'postgres',
    url: environment(variable),
    entities: dataSinksEntities,
    migrations: dataSinksMigrations,
  });
  await database.initialize();
  await database.runMigrations();
  return database;
}

export function environment(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set`);
  return value;
}

export function onOrder(finish: (order: JobOrder) => unknown): void {
  process.on('message', (order) => void finish(order as JobOrder));
}
