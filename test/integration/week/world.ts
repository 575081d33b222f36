import { DataSinkAdmin } from '../../../src/data-sinks/sinks/data-sink-admin.js';
import { SecretRotation } from '../../../src/data-sinks/sinks/secret-rotation.js';
import type { RequestCaller } from '../../../src/data-sinks/ports/workspace-access.js';
import type { DataSink } from '../../../src/data-sinks/domain/data-sink.js';
import type { Agent } from '../../../src/data-sinks/index.js';
import { SCOPES } from '../../../src/data-sinks/index.js';
import { DataSinkRepository } from '../../../src/data-sinks/sinks/data-sink.repository.js';
import { Buckets } from './buckets.js';
import { Receivers } from './receivers.js';
import type { WeekHost } from './week-host.js';
import type { PlannedChange, PlannedSink, WeekPlan } from './week-plan.js';

const AT_ONCE = 20;
/** For how long the secret before signs too once a sink has been given another. */
const OVERLAP_SECONDS = 24 * 3_600;

/** A sink of the week: what was planned, and what the database says of it. */
export interface WeekSink {
  readonly index: number;
  readonly id: string;
  readonly agent: number;
}

/** The workspaces, agents and sinks of the week, and what their people do to them. */
export class World {
  readonly sinks: WeekSink[] = [];
  readonly byId = new Map<string, WeekSink>();
  readonly #agents: Agent[];
  readonly #entitled = new Set<string>();
  /** Of sinks, as it was read last. */
  #paused = new Set<string>();
  #statuses = new Map<string, DataSink['status'] | 'DELETED'>();

  constructor(
    readonly host: WeekHost,
    readonly plan: WeekPlan,
    private readonly receivers: Receivers,
  ) {
    this.#agents = plan.agents.map(({ workspace, retries }, i) => ({
      ...{ id: `agt_${i}`, workspaceId: `ws_${workspace}`, active: true },
      ruleSet: { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: retries } },
    }));
    for (const agent of this.#agents) host.agents.put(agent);
    for (let i = 0; i < plan.workspaces; i++) this.setPlan(i, true);
  }

  async makeSinks(): Promise<void> {
    const waiting = this.plan.sinks.keys();
    const make = async (): Promise<void> => {
      for (const index of waiting) await this.#makeSink(index);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, make));
    this.sinks.sort((a, b) => a.index - b.index);
    await this.readStatuses();
  }

  change({ kind, of }: PlannedChange): Promise<void> | void {
    switch (kind) {
      case 'pause':
      case 'resume':
        return this.setAgent(of, kind === 'resume');
      case 'ruleOff':
      case 'ruleOn':
        return this.setRule(of, kind === 'ruleOn');
      case 'downgrade':
      case 'upgrade':
        return this.setPlan(of, kind === 'upgrade');
      case 'switchOff':
      case 'switchOn':
        return this.#setSink(of, kind === 'switchOn' ? 'ACTIVE' : 'INACTIVE');
      case 'delete':
        return this.#deleteSink(of);
      case 'rotate':
        return this.#rotate(of);
      case 'vaultAway':
      case 'vaultBack':
        this.host.vault.away = kind === 'vaultAway';
        return;
      case 'hostAway':
      case 'hostBack':
        this.host.agents.away = kind === 'hostAway';
    }
  }

  agent(index: number): Agent {
    const agent = this.#agents[index];
    if (!agent) throw new Error(`there is no agent ${index}`);
    return agent;
  }

  setAgent(index: number, active: boolean): void {
    this.#put(index, { ...this.agent(index), active });
  }

  setRule(index: number, on: boolean): void {
    const { retries = 0 } = this.plan.agents[index] ?? {};
    const data_sinks = { auto_push_on_job_complete: on, retry_failed_push: retries };
    this.#put(index, { ...this.agent(index), ruleSet: { data_sinks } });
  }

  setPlan(workspace: number, entitled: boolean): void {
    this.host.plans.set(`ws_${workspace}`, entitled ? 'PRO_MAX' : 'BASIC');
    if (entitled) this.#entitled.add(`ws_${workspace}`);
    else this.#entitled.delete(`ws_${workspace}`);
  }

  isEntitled(workspaceId: string): boolean {
    return this.#entitled.has(workspaceId);
  }

  sink(index: number): WeekSink {
    const sink = this.sinks[index];
    if (!sink) throw new Error(`there is no sink ${index}`);
    return sink;
  }

  planned(index: number): PlannedSink {
    const sink = this.plan.sinks[index];
    if (!sink) throw new Error(`there is no sink ${index}`);
    return sink;
  }

  read({ id, agent }: WeekSink): Promise<DataSink | null> {
    const { workspaceId, id: agentId } = this.agent(agent);
    return this.host.get(DataSinkRepository).find({ workspaceId, agentId }, id);
  }

  caller({ workspaceId }: { readonly workspaceId: string }): RequestCaller {
    return { workspaceId, actor: { type: 'token', id: 'tok_week' }, scopes: new Set(SCOPES), ip: null };
  }

  async readStatuses(): Promise<void> {
    const found = await this.host.rows<{ id: string; status: DataSink['status']; deleted: boolean; paused: boolean }>(
      `SELECT id, status, deleted_at IS NOT NULL AS deleted, coalesce(paused_until > now(), false) AS paused
         FROM agent_data_source`,
    );
    this.#paused = new Set(found.filter(({ paused }) => paused).map(({ id }) => id));
    this.#statuses = new Map(found.map(({ id, status, deleted }) => [id, deleted ? 'DELETED' : status]));
  }

  /** Whether its fresh deliveries wait until its receiver is up again. */
  isPaused({ id }: WeekSink): boolean {
    return this.#paused.has(id);
  }

  statusOf({ id }: WeekSink): DataSink['status'] | 'DELETED' {
    const status = this.#statuses.get(id);
    if (status === undefined) throw new Error(`the sink ${id} is gone`);
    return status;
  }

  /** Those to which nothing may be sent as things stand. */
  closed(): Set<number> {
    const closed = this.sinks.filter((sink) => this.statusOf(sink) !== 'ACTIVE' || !this.agent(sink.agent).active);
    return new Set(closed.map(({ index }) => index));
  }

  /** The sinks that want a job's results now (contract, section 2). */
  wanting(agent: number): WeekSink[] {
    const { active, ruleSet } = this.agent(agent);
    const on = (ruleSet as { data_sinks: { auto_push_on_job_complete: boolean } }).data_sinks.auto_push_on_job_complete;
    const ofAgent = this.sinks.filter((sink) => sink.agent === agent);
    return active && on ? ofAgent.filter((sink) => ['ACTIVE', 'DISABLED'].includes(this.statusOf(sink))) : [];
  }

  async #setSink(index: number, status: 'ACTIVE' | 'INACTIVE'): Promise<void> {
    const sink = await this.read(this.sink(index));
    if (sink) await this.host.get(DataSinkAdmin).change(this.caller(sink), sink, { status });
  }

  async #deleteSink(index: number): Promise<void> {
    const sink = await this.read(this.sink(index));
    if (sink) await this.host.get(DataSinkAdmin).delete(this.caller(sink), sink);
  }

  /** Gives a sink a new secret; its receiver takes it as the platform promises. */
  async #rotate(index: number): Promise<void> {
    const sink = await this.read(this.sink(index));
    if (!sink) return;
    const value = secretOf(index, sink.configVersion);
    const { type, authScheme } = this.planned(index);
    const overlapSeconds = type === 'HTTPS_WEBHOOK' && authScheme === 'HmacSha256' ? OVERLAP_SECONDS : 0;
    const body = type === 'S3' ? keysOf(index, value) : { value, overlapSeconds };
    await this.host.get(SecretRotation).rotate(this.caller(sink), sink, body);
    this.receivers.takeSecret(index, value, overlapSeconds * 1_000);
  }

  #put(index: number, agent: Agent): void {
    this.#agents[index] = agent;
    this.host.agents.put(agent);
  }

  async #makeSink(index: number): Promise<void> {
    const { agent, type, authScheme } = this.planned(index);
    const { id: agentId, workspaceId } = this.agent(agent);
    const value = secretOf(index, 0);
    const { sink } = await this.host.get(DataSinkAdmin).create(this.caller({ workspaceId }), agentId, {
      ...{ role: 'RESULTS_SINK', type, name: `Sink ${index}`, format: 'JSON' },
      ...(type === 'S3'
        ? { config: Buckets.configOf(index), secret: keysOf(index, value) }
        : { config: { url: Receivers.urlOf(index), authScheme }, secret: { value } }),
    });
    this.receivers.takeSecret(index, value, 0);
    const made = { index, id: sink.id, agent };
    this.sinks.push(made);
    this.byId.set(sink.id, made);
  }
}

/** A rotation replaces both; the first of this owner's stays what it is. */
function keysOf(sink: number, secretAccessKey: string): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId: Receivers.accessKeyOf(sink), secretAccessKey };
}

function secretOf(sink: number, version: number): string {
  return `secret-${version}-of-the-sink-${sink}-and-long-enough`;
}
