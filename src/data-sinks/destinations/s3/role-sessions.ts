import { LRUCache } from 'lru-cache';
import { outcome } from '../../domain/attempt-outcome.js';
import type { AwsCredentials, AwsKeys } from '../../ports/aws-credentials.js';
import type { RoleFailure, Session, SessionRequest, StsClient } from './sts-client.js';

/** A role as one sink uses it. */
export type RoleUse = SessionRequest & {
  readonly externalId: string;
  readonly workspaceId: string;
};

export type Assumed =
  { readonly kind: 'session'; readonly session: Session } | ({ readonly kind: 'refused' } & RoleFailure);

/** A session is not used for longer: the largest single request of an attempt ends before it. */
const RENEWED_BEFORE_MS = 5 * 60_000;
/** The one that was not used for longest is pushed out. */
const MOST = 1_000;

/**
 * The sessions of roles, in this process's memory and nowhere else: neither in the database nor in a log. Each is of one use
 * of one role: workspace, sink, external id, region and policy.
 */
export class RoleSessions {
  readonly #kept = new LRUCache<string, Session>({ max: MOST });
  /** Attempts that begin together ask once. */
  readonly #beginning = new Map<string, Promise<Assumed>>();

  constructor(
    private readonly sts: StsClient,
    private readonly credentials: Pick<AwsCredentials, 'keys'>,
  ) {}

  /** One that lasts for a while. */
  inForce(use: RoleUse, nowMs: number): Session | null {
    const kept = this.#kept.get(nameOf(use));
    return kept && kept.endsAtMs - nowMs > RENEWED_BEFORE_MS ? kept : null;
  }

  /** The platform's own keys, to begin a session with. @throws our own failure */
  ownKeys(): Promise<AwsKeys> {
    return this.credentials.keys();
  }

  /** One in force, or a new one. */
  async open(use: RoleUse, ownKeys: AwsKeys, nowMs: number): Promise<Assumed> {
    const session = this.inForce(use, nowMs);
    if (session) return { kind: 'session', session };
    const name = nameOf(use);
    const begun = this.#beginning.get(name);
    if (begun) return begun;
    const beginning = this.begin(use, ownKeys, nowMs).finally(() => this.#beginning.delete(name));
    this.#beginning.set(name, beginning);
    return beginning;
  }

  /** After the store said that this one has ended, whatever AWS had said of its end. */
  forget(use: RoleUse, session: Session): void {
    if (this.#kept.peek(nameOf(use)) === session) this.#kept.delete(nameOf(use));
  }

  /**
   * A new one. Each time the role is asked without the external id as well: one that allows that may belong to somebody
   * else than who entered its name, and must not be used. Who said no once may say yes after a change.
   */
  async begin(use: RoleUse, ownKeys: AwsKeys, nowMs: number): Promise<Assumed> {
    const assumed = await this.sts.assume(use, ownKeys, nowMs);
    if (assumed.kind === 'refused') return assumed;
    const without = await this.sts.assume({ ...use, externalId: null }, ownKeys, nowMs);
    if (without.kind === 'session') {
      const blocked = outcome('BLOCKED', 'role_without_external_id', 'FINAL', null);
      return { kind: 'refused', outcome: blocked, exchange: { ...without.exchange, answer: null } };
    }
    if (without.outcome.errorCode !== 'role_denied') return without;
    this.#kept.set(nameOf(use), assumed.session);
    return { kind: 'session', session: assumed.session };
  }
}

function nameOf({ workspaceId, sessionName, roleArn, externalId, region, policy }: RoleUse): string {
  return JSON.stringify([workspaceId, sessionName, roleArn, externalId, region, policy]);
}
