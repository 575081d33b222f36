import type { AwsKeys } from '../../ports/aws-credentials.js';
import type { CancelSignal } from '../../tools/cancellation.js';
import { unlessAborted } from '../../tools/cancellation.js';
import type { RoleSessions, RoleUse } from './role-sessions.js';
import type { RoleFailure, Session } from './sts-client.js';

/** What the requests of one attempt are signed with. */
export interface KeySource {
  readonly keys: AwsKeys;
  /**
   * After the store said that the session of these keys has ended.
   * @returns whether there are others now
   */
  renew(signal: CancelSignal | undefined): Promise<boolean>;
}

/** Keys that a customer gave. */
export function givenKeys(keys: AwsKeys): KeySource {
  return { keys, renew: async () => false };
}

export type OpenedRole =
  { readonly kind: 'open'; readonly source: KeySource } | ({ readonly kind: 'refused' } & RoleFailure);

/** A role for one attempt, with all at hand that may fail on our side. */
export interface ReadyRole {
  /** Begins a session, unless one is in force. */
  open(signal: CancelSignal | undefined): Promise<OpenedRole>;
}

/**
 * Before the attempt is on record: asks the host for its own credentials, where a session has to begin.
 * @throws our own failure
 */
export async function readyRole(sessions: RoleSessions, use: RoleUse, now: () => number): Promise<ReadyRole> {
  const session = sessions.inForce(use, now());
  if (session) return { open: async () => ({ kind: 'open', source: new RoleKeys(sessions, use, now, session) }) };
  const ownKeys = await sessions.ownKeys();
  return {
    open: async (signal) => {
      const opened = await unlessAborted(signal, () => sessions.open(use, ownKeys, now()));
      if (opened.kind === 'refused') return opened;
      return { kind: 'open', source: new RoleKeys(sessions, use, now, opened.session) };
    },
  };
}

class RoleKeys implements KeySource {
  /** Hidden from whoever prints the object. */
  #session: Session;

  constructor(
    private readonly sessions: RoleSessions,
    private readonly use: RoleUse,
    private readonly now: () => number,
    session: Session,
  ) {
    this.#session = session;
  }

  get keys(): AwsKeys {
    return this.#session.keys;
  }

  /** Of several attempts whose session has ended, the first begins the next one. */
  async renew(signal: CancelSignal | undefined): Promise<boolean> {
    this.sessions.forget(this.use, this.#session);
    const ownKeys = await this.sessions.ownKeys();
    const opened = await unlessAborted(signal, () => this.sessions.open(this.use, ownKeys, this.now()));
    if (opened.kind === 'refused') return false;
    this.#session = opened.session;
    return true;
  }
}

/** Goes on from a moment of the database's clock: an upload may take longer than a signature is good for. */
export function clockFrom(nowMs: number): () => number {
  const begun = performance.now();
  return () => nowMs + (performance.now() - begun);
}
