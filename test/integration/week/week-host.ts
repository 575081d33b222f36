import { randomBytes } from 'node:crypto';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { hostDestinations } from '../../../src/data-sinks/settings/host-destinations.js';
import { NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import type { DataSource } from 'typeorm';
import { providers } from '../../../src/data-sinks/data-sinks.module.js';
import type { DataSinksOptions } from '../../../src/data-sinks/data-sinks.options.js';
import {
  DATA_SOURCE,
  GIVEN_OPTIONS,
  HOST_AGENT_DIRECTORY,
  HOST_AUDIT_TRAIL,
  HOST_MAPPING_RESULTS,
  HOST_SECRET_VAULT,
  HOST_WORKSPACE_ACCESS,
  HOST_WORKSPACE_PLANS,
  MOUNT,
} from '../../../src/data-sinks/data-sinks.tokens.js';
import { DatabaseAuditTrail } from '../../../src/data-sinks/database/audit/database-audit-trail.js';
import { PushClient } from '../../../src/data-sinks/egress/index.js';
import { boundPorts } from '../../../src/data-sinks/ports/bound/bound-ports.js';
import { AttemptRecorder } from '../../../src/data-sinks/delivery/attempt-recorder.js';
import { Upkeep } from '../../../src/data-sinks/upkeep/upkeep.js';
import { DeliveryWorker } from '../../../src/data-sinks/delivery/delivery-worker.js';
import { RecoveryPacer } from '../../../src/data-sinks/recovery/recovery-pacer.js';
import { Wakeup } from '../../../src/data-sinks/queue/wakeup/wakeup.js';
import type { Agent } from '../../../src/data-sinks/ports/agent-directory.js';
import type { SecretRef } from '../../../src/data-sinks/ports/secret-vault.js';
import {
  InMemoryAgentDirectory,
  InMemoryMappingResults,
  InMemoryWorkspacePlans,
  StaticTokenAccess,
} from '../../../src/data-sinks/testing/index.js';
import { s3 } from '../../../src/data-sinks/s3.js';
import { DatabaseSecretVault } from '../../../src/data-sinks/vault/database-secret-vault.js';
import { parseKeyRing } from '../../../src/data-sinks/vault/key-ring.js';
import { InProcessWakeup } from '../../../src/data-sinks/queue/wakeup/in-process.wakeup.js';
import type { Receivers } from './receivers.js';

/** By itself nothing happens for the length of a test: what time it is, and who looks when, is the week's to say. */
const NEVER_MS = 2 ** 31 - 1;
const QUIET_WITHIN_S = 60n;
const LOOK_EVERY_MS = 2;

class WeekAgents extends InMemoryAgentDirectory {
  away = false;

  override async findAgents(ids: readonly string[]): Promise<readonly Agent[]> {
    if (this.away) throw new Error('the host does not answer');
    return super.findAgents(ids);
  }
}

class WeekVault extends DatabaseSecretVault {
  away = false;

  override async reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    if (this.away) throw new Error('the vault does not answer');
    return super.reveal(refs);
  }
}

/** What is due, and does not wait for a probe that a dead worker (`$1`) has in hand. */
const MAY_BE_CLAIMED = `
  SELECT FROM agent_data_source_delivery d LEFT JOIN agent_data_source s ON s.id = d.data_source_id
   WHERE d.status IN ('PENDING', 'RETRYING') AND d.next_attempt_at <= now() AND s.status IS DISTINCT FROM 'DISABLED'
     AND (d.status = 'RETRYING' OR (s.paused_until > now()) IS NOT TRUE)
     AND NOT (d.status = 'PENDING' AND s.paused_until IS NOT NULL AND EXISTS (
                SELECT FROM agent_data_source_delivery h
                 WHERE h.data_source_id = d.data_source_id AND h.status = 'IN_FLIGHT' AND h.id = ANY ($1)))`;

/** The module's own classes and statements, as its container puts them together, around a few ports of the week's. */
export class WeekHost {
  readonly agents = new WeekAgents();
  readonly plans = new InMemoryWorkspacePlans();
  readonly results = new InMemoryMappingResults();
  readonly vault: WeekVault;
  #app: INestApplicationContext | null = null;
  /** Results that are being put on record, with what follows from them; and how many have been so far. */
  #underWay = 0;
  #closings = 0;

  private constructor(readonly dataSource: DataSource) {
    const keys = parseKeyRing(`week:${randomBytes(32).toString('base64')}`);
    this.vault = new WeekVault(databaseOf(dataSource.manager), keys, randomBytes);
  }

  static async start(dataSource: DataSource, receivers: Receivers, options: DataSinksOptions): Promise<WeekHost> {
    const host = new WeekHost(dataSource);
    await host.#boot(receivers, options);
    return host;
  }

  get<T>(type: Type<T> | (abstract new (...dependencies: never[]) => T)): T {
    if (!this.#app) throw new Error('the host runs between its start and its stop');
    return this.#app.get<T>(type as Type<T>);
  }

  /** A look of the sweeper, of the recoveries and of the worker, each to its end, until there is nothing to be done now. */
  async work(held: ReadonlySet<string>): Promise<void> {
    await this.get(Upkeep).sweep();
    const worker = this.get(DeliveryWorker);
    do {
      // What fails is looked at again, as the schedule does.
      await this.get(RecoveryPacer)
        .look()
        .catch(() => undefined);
      worker.wake();
      await this.#quiet(held);
    } while (await this.#isRecovering());
  }

  async rows<T>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
    return (await this.dataSource.query(sql, [...parameters])) as T[];
  }

  async stop(): Promise<void> {
    await this.#app?.close();
  }

  /** The clock of this process stands still; this deadline is by the one that does not. */
  async #quiet(held: ReadonlySet<string>): Promise<void> {
    const deadline = process.hrtime.bigint() + QUIET_WITHIN_S * 1_000_000_000n;
    while (!(await this.#isQuiet(held))) {
      if (process.hrtime.bigint() > deadline) throw await this.#notDone(held);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** What the worker has left, and what may stand in its way. */
  async #notDone(held: ReadonlySet<string>): Promise<Error> {
    const left = await this.rows(
      `SELECT d.id, d.data_source_id, d.status, d.next_attempt_at, d.id = ANY ($1) AS held, s.status AS sink_status,
              s.paused_until, s.config->>'maxPushesPerSecond' AS rate, now() AS now
         FROM agent_data_source_delivery d LEFT JOIN agent_data_source s ON s.id = d.data_source_id
        WHERE d.status = 'IN_FLIGHT' OR d.status IN ('PENDING', 'RETRYING') AND d.next_attempt_at <= now()
        ORDER BY d.data_source_id, d.id LIMIT 50`,
      [[...held]],
    );
    return new Error(`the worker is not done within ${QUIET_WITHIN_S} s: ${JSON.stringify(left)}`);
  }

  /** @param held deliveries of workers that have died */
  async #isQuiet(held: ReadonlySet<string>): Promise<boolean> {
    // What follows from a result may make others due: it must be over, and none have come while it was asked.
    const before = this.#closings;
    if (this.#underWay > 0) return false;
    // One statement: what is claimed or given back meanwhile is seen as it was before or after, never as neither.
    const [row] = await this.rows<{ busy: boolean }>(
      `SELECT EXISTS (SELECT FROM agent_data_source_delivery WHERE status = 'IN_FLIGHT' AND id <> ALL ($1))
           OR EXISTS (${MAY_BE_CLAIMED}) AS busy`,
      [[...held]],
    );
    return row?.busy === false && this.#underWay === 0 && this.#closings === before;
  }

  /** Whether something of a recovery is left that can be made due now. */
  async #isRecovering(): Promise<boolean> {
    if (this.agents.away) return false;
    const [row] = await this.rows<{ left: boolean }>(
      `SELECT EXISTS (
         SELECT FROM agent_data_source_recovery r JOIN agent_data_source s ON s.id = r.data_source_id
          WHERE r.finished_at IS NULL AND s.status <> 'DISABLED'
            AND NOT EXISTS (SELECT FROM agent_data_source_delivery d
                             WHERE d.recovery_id = r.id AND d.status IN ('PENDING', 'RETRYING', 'IN_FLIGHT'))) AS left`,
    );
    return row?.left === true;
  }

  async #boot(receivers: Receivers, options: DataSinksOptions): Promise<void> {
    @Module({
      imports: [EventEmitterModule.forRoot()],
      providers: [
        { provide: DATA_SOURCE, useValue: this.dataSource },
        { provide: GIVEN_OPTIONS, useValue: { ...options, pollMs: NEVER_MS, sweepMs: NEVER_MS } },
        { provide: MOUNT, useValue: {} },
        { provide: HOST_AGENT_DIRECTORY, useValue: this.agents },
        { provide: HOST_WORKSPACE_PLANS, useValue: this.plans },
        { provide: HOST_MAPPING_RESULTS, useValue: this.results },
        { provide: HOST_WORKSPACE_ACCESS, useValue: new StaticTokenAccess({}) },
        { provide: HOST_SECRET_VAULT, useValue: this.vault },
        { provide: HOST_AUDIT_TRAIL, useClass: DatabaseAuditTrail },
        ...boundPorts,
        { provide: Wakeup, useClass: InProcessWakeup },
        ...providers,
        ...hostDestinations([s3()]),
        { provide: PushClient, useValue: receivers },
      ],
    })
    class WeekModule {}
    this.#app = await NestFactory.createApplicationContext(WeekModule, { logger: false });
    this.#count(this.get(AttemptRecorder));
  }

  #count(recorder: AttemptRecorder): void {
    const close = recorder.close.bind(recorder);
    recorder.close = async (...given) => {
      this.#underWay++;
      try {
        return await close(...given);
      } finally {
        this.#underWay--;
        this.#closings++;
      }
    };
  }
}
