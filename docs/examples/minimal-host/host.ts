import { Readable } from 'node:stream';
import { Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { TypeOrmModule } from '@nestjs/typeorm';
import * as sinks from 'nestjs-data-sinks';

const { DATABASE_URL: url, VAULT_KEYS: vaultKeys, ALLOW_PRIVATE_ENDPOINTS: ranges, PORT = '3000' } = process.env;
const { dataSinksEntities: entities, dataSinksMigrations: migrations, DataSinksModule, JOB_COMPLETED_EVENT } = sinks;
const [workspaceId, agentId, jobId] = ['ws_1', 'agt_1', 'job_1'];
const agent = { id: agentId, workspaceId, active: true, ruleSet: { data_sinks: { auto_push_on_job_complete: true } } };
const job = { jobId, agentId, workspaceId, completedAt: new Date(), stats: { total: 1, matched: 1, unmatched: 0 } };
const row = { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: null };
const caller = { workspaceId, actor: { type: 'token', id: 'tok_1' }, scopes: new Set(sinks.SCOPES) };

// What the module asks its host. Yours are injectable classes that ask your own services.
class Agents implements sinks.AgentDirectory {
  findAgents = async (ids: readonly string[]) => (ids.includes(agentId) ? [agent] : []);
}
class Plans implements sinks.WorkspacePlans {
  findPlans = async () => new Map([[workspaceId, 'PRO_MAX']]);
}
class Jobs implements sinks.MappingResults {
  findCompletedJob = async (ws: string, id: string) => (ws === workspaceId && id === jobId ? job : null);
  streamRows = async (key: sinks.JobKey) =>
    key.workspaceId === workspaceId && key.jobId === jobId ? Readable.from([[row]]) : null;
}
class Tokens implements sinks.WorkspaceAccess {
  authenticate = async (r: sinks.AccessRequest) => (r.headers['authorization'] === 'Bearer mt_demo' ? caller : null);
}
const ports = { agentDirectory: Agents, workspacePlans: Plans, mappingResults: Jobs, workspaceAccess: Tokens };

@Controller('jobs')
class JobsController {
  constructor(private readonly events: EventEmitter2) {}
  @Post('finish')
  finish(): boolean {
    return this.events.emit(JOB_COMPLETED_EVENT, job);
  }
}

@Module({
  controllers: [JobsController],
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url, entities, migrations, migrationsRun: true }),
    EventEmitterModule.forRoot(),
    DataSinksModule.forRoot({ ports, vaultKeys, allowPrivateEndpoints: ranges?.split(',') }),
  ],
})
class HostModule {}

const app = await NestFactory.create(HostModule);
await app.enableShutdownHooks().listen(PORT);
console.log(`listening on ${await app.getUrl()}`);
