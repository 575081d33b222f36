import type { OpenTransaction } from '../open-transaction.js';
import type { SecretRef, SecretVault } from '../secret-vault.js';
import { callPort, textsById, wrongAnswer } from './call-port.js';

const REVEAL = 'SecretVault.reveal()';
const SWEEP = 'SecretVault.destroyUnreferenced()';

/** Time limits of the vault in milliseconds. */
export interface VaultLimits {
  readonly answerMs: number;
  /** For `destroyUnreferenced`, which may scan every secret. */
  readonly sweepMs: number;
}

/** The vault with time limits and a check of every answer. Messages never contain a value or a key of a Map. */
export class BoundSecretVault implements SecretVault {
  /** Absent if the host's vault does not implement it. */
  readonly destroyUnreferenced?: (minAgeMs: number) => Promise<number>;

  constructor(
    private readonly host: SecretVault,
    private readonly limits: VaultLimits,
  ) {
    if (host.destroyUnreferenced) this.destroyUnreferenced = (minAgeMs) => this.#destroyUnreferenced(minAgeMs);
  }

  /** @throws NoAnswerError, whatever the host throws */
  async store(ref: SecretRef, value: string, transaction?: OpenTransaction): Promise<void> {
    await callPort('SecretVault.store()', this.limits.answerMs, () => this.host.store(ref, value, transaction));
  }

  /** @throws NoAnswerError, PortAnswerError, whatever the host throws */
  async reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    const answer = await callPort(REVEAL, this.limits.answerMs, () => this.host.reveal(refs));
    const ids = refs.map(({ secretId }) => secretId);
    return textsById(REVEAL, answer, ids, { key: 'secretId', value: 'secret' });
  }

  /** @throws NoAnswerError, whatever the host throws */
  async destroy(ref: SecretRef): Promise<void> {
    await callPort('SecretVault.destroy()', this.limits.answerMs, () => this.host.destroy(ref));
  }

  async #destroyUnreferenced(minAgeMs: number): Promise<number> {
    const answer = await callPort(SWEEP, this.limits.sweepMs, () => this.host.destroyUnreferenced?.(minAgeMs));
    if (!Number.isSafeInteger(answer)) throw wrongAnswer(SWEEP, answer, 'it must return how many were destroyed');
    return answer as number;
  }
}
