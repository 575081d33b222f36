import { type EntityManager, LessThan } from 'typeorm';
import type { Attempt } from '../core/attempt.js';
import { AttemptEntity } from './attempt.entity.js';
import { type Page, type PageRequest, toPage } from './page.js';

export type AttemptFilter =
  | { readonly workspaceId: string; readonly dataSourceId: string }
  | { readonly workspaceId: string; readonly deliveryId: string };

/** Attempts as people read them, newest first. */
export class AttemptRepository {
  readonly #manager: EntityManager;

  constructor(manager: EntityManager) {
    this.#manager = manager;
  }

  async list(filter: AttemptFilter, { limit, afterId }: PageRequest): Promise<Page<Attempt>> {
    const found = await this.#manager.find(AttemptEntity, {
      where: { ...filter, ...(afterId !== null && { id: LessThan(afterId) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return toPage(found, limit, toAttempt);
  }
}

function toAttempt(entity: AttemptEntity): Attempt {
  const { payloadSha256, payloadBytes, dnsMs, connectMs, tlsMs, uploadMs, waitMs, totalMs, ...rest } = entity;
  return {
    ...rest,
    payloadSha256: payloadSha256.toString('hex'),
    payloadBytes: Number(payloadBytes),
    timings: totalMs === null ? null : { dnsMs, connectMs, tlsMs, uploadMs, waitMs, totalMs },
  };
}
