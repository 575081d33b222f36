import { NaturalBatcher } from '../core/natural-batcher.js';
import { beginPass } from '../core/signing/body-pass.js';
import { signatureScheme, type SigningInput } from '../core/signing/signature-scheme.js';
import { type SecretRef, SecretUnreadableError, type SecretVault } from '../ports/secret-vault.js';
import { type SigningTask, SigningWatch } from './signing-watch.js';
import { PORT_WITHIN_MS, within } from './within.js';

/** What is signed: any stored body, or the synthetic one of a test. */
export interface SignableBody {
  readonly whole: Uint8Array | null;
  open(): AsyncIterable<Uint8Array>;
}

export interface SigningRequest extends SigningTask {
  readonly body: SignableBody;
}

/** The vault cannot give the sink's secret: our failure, not the customer's. */
export class SecretUnavailableError extends Error {
  readonly code = 'secret_unavailable';
  override readonly name = 'SecretUnavailableError';
}

/** Step 5b: the headers that prove where a push comes from. */
export class PushSigner {
  readonly #nowMs: () => number;
  readonly #secrets: NaturalBatcher<SecretRef, string | SecretUnavailableError>;

  /** @param nowMs milliseconds since 1970, for the signature's timestamp */
  constructor(vault: SecretVault, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#secrets = new NaturalBatcher(async (refs) => {
      // Deliveries of one sink come together; its secret is opened once for all of them.
      const values = await revealReadable(vault, [...new Map(refs.map((ref) => [ref.secretId, ref])).values()]);
      return refs.map(
        ({ secretId: id }) => values.get(id) ?? new SecretUnavailableError(`the vault has no secret ${id}`),
      );
    });
  }

  /** One pass over the body where the scheme reads it, none where it does not; the body is never held. */
  async sign(request: SigningRequest): Promise<Readonly<Record<string, string>>> {
    const { config, body } = request;
    const scheme = signatureScheme(config.authScheme);
    const pass = beginPass(scheme, await this.#input(request));
    if (scheme.readsBody) {
      if (body.whole) pass.update(body.whole);
      else for await (const chunk of body.open()) pass.update(chunk);
    }
    return pass.headers();
  }

  /** Signs a body while it is made: for a large one, whose bytes would have to be read once more. */
  watch(task: SigningTask): SigningWatch {
    return new SigningWatch(task, () => this.#input(task), this.#nowMs);
  }

  async #input(task: SigningTask): Promise<SigningInput> {
    const { secret, previousSecret, nowMs } = await this.#secretsInForce(task);
    return {
      ...{ deliveryId: task.deliveryId, timestamp: Math.floor(nowMs / 1000), secret, previousSecret },
      username: task.config.username,
    };
  }

  /**
   * The secret before is judged at the time that is signed, after the vault has answered: however late the sweeper is, and
   * however long the body took to make, it does not outlive its overlap. Until then it is not left out in silence, since
   * a receiver may know no other; a claim of a moment later knows what is in force.
   */
  async #secretsInForce({ secret, previousSecret: previous }: SigningTask): Promise<{
    readonly secret: string;
    readonly previousSecret: string | null;
    readonly nowMs: number;
  }> {
    const wanted = previous && { secretId: previous.secretId, workspaceId: secret.workspaceId };
    const [value, before] = await Promise.all([this.#secrets.add(secret), wanted && this.#secrets.add(wanted)]);
    const nowMs = this.#nowMs();
    if (value instanceof SecretUnavailableError) throw value;
    if (before === null || previous === null || previous.expiresAt.getTime() <= nowMs)
      return { secret: value, previousSecret: null, nowMs };
    if (before instanceof SecretUnavailableError) throw before;
    return { secret: value, previousSecret: before, nowMs };
  }
}

/** One secret that was tampered with must not hold up the others of its batch, nor a vault that never answers all to come. */
async function revealReadable(
  vault: SecretVault,
  refs: readonly SecretRef[],
): Promise<ReadonlyMap<string, string | SecretUnavailableError>> {
  try {
    return await within(vault.reveal(refs), PORT_WITHIN_MS, 'the vault');
  } catch (error) {
    if (!(error instanceof SecretUnreadableError)) throw error;
    const readable = refs.filter(({ secretId }) => !error.reasons.has(secretId));
    const asksForLess = readable.length > 0 && readable.length < refs.length;
    const values = asksForLess ? await within(vault.reveal(readable), PORT_WITHIN_MS, 'the vault') : [];
    // Why is for the log: a key that is missing is not a secret that is missing.
    const unreadable = [...error.reasons.keys()].map(
      (id) => [id, new SecretUnavailableError(error.explain(id))] as const,
    );
    return new Map<string, string | SecretUnavailableError>([...values, ...unreadable]);
  }
}
