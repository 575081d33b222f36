import { type DynamicModule, Inject, Injectable, Module } from '@nestjs/common';
import { SecretRefTakenError, SecretVault, type SecretRef } from 'nestjs-data-sinks';

export interface HashiCorpVaultOptions {
  /** Such as `https://vault.internal:8200`. */
  readonly address: string;
  /** Asked before every request, so that a renewed token is used at once. */
  readonly token: () => string | Promise<string>;
  /**
   * Where the KV version 2 engine is mounted.
   * @default 'secret'
   */
  readonly mount?: string;
  /**
   * Under which the secrets are kept, as `<prefix>/<workspace>/<secret>`.
   * @default 'data-sinks'
   */
  readonly prefix?: string;
  /** Vault Enterprise and HCP only. */
  readonly namespace?: string;
  /**
   * For a whole request, in milliseconds.
   * @default 5000
   */
  readonly timeoutMs?: number;
}

/** The token under which the adapter is given its options. */
export const HASHICORP_VAULT_OPTIONS = Symbol('HashiCorp Vault options');

/**
 * Gives the adapter its options: put it into the `imports` of `DataSinksModule`. For options that come from your
 * configuration, write a module of your own that exports `HASHICORP_VAULT_OPTIONS`.
 */
@Module({})
export class HashiCorpVaultModule {
  static forRoot(options: HashiCorpVaultOptions): DynamicModule {
    const provider = { provide: HASHICORP_VAULT_OPTIONS, useValue: options };
    return { module: HashiCorpVaultModule, providers: [provider], exports: [provider] };
  }
}

/** Vault did not do what was asked. Carries no value, no token and nothing of Vault's answer. */
export class HashiCorpVaultError extends Error {
  readonly code = 'vault_unavailable';
  override readonly name = 'HashiCorpVaultError';

  /** @param status of Vault's answer; null when there was none in time */
  constructor(
    operation: string,
    readonly status: number | null,
  ) {
    super(`Vault could not ${operation}: ${status === null ? 'no answer' : `status ${status}`}`);
  }
}

/** So many secrets are read at once. Vault has no reading of several. */
const READS_IN_FLIGHT = 8;

/**
 * Keeps the secrets of sinks in HashiCorp Vault's KV version 2 engine. The token needs, under `<mount>/data/<prefix>/*`,
 * `create` and `read`, and `delete` under `<mount>/metadata/<prefix>/*`. `update` is not needed: no secret is overwritten.
 */
@Injectable()
export class HashiCorpSecretVault extends SecretVault {
  readonly #address: string;
  readonly #options: HashiCorpVaultOptions;

  constructor(@Inject(HASHICORP_VAULT_OPTIONS) options: HashiCorpVaultOptions) {
    super();
    this.#options = options;
    this.#address = options.address.replace(/\/+$/, '');
  }

  override async store(ref: SecretRef, value: string): Promise<void> {
    // Check-and-set 0 writes only where nothing is. Vault answers 400 when something is, and 403 when the token may
    // create and not update; what is kept there tells either from a real refusal.
    const body = JSON.stringify({ options: { cas: 0 }, data: { value } });
    const { status } = await this.#request('store a secret', 'POST', this.#path('data', ref), body);
    if (status === 200 || status === 204) return;
    const kept = status === 400 || status === 403 ? await this.#read(ref) : undefined;
    if (kept === undefined) throw new HashiCorpVaultError('store a secret', status);
    if (kept !== value) throw new SecretRefTakenError(ref.secretId);
  }

  override async reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    const values = new Map<string, string>();
    const readOne = async (ref: SecretRef): Promise<void> => {
      const value = await this.#read(ref);
      if (value !== undefined) values.set(ref.secretId, value);
    };
    // A group at a time, so that a Vault that is down is asked by one group and not by the whole batch.
    for (let from = 0; from < refs.length; from += READS_IN_FLIGHT) {
      await Promise.all(refs.slice(from, from + READS_IN_FLIGHT).map(readOne));
    }
    return values;
  }

  override async destroy(ref: SecretRef): Promise<void> {
    // Deleting the metadata removes all versions for good; deleting the data would only hide the latest.
    const { status } = await this.#request('destroy a secret', 'DELETE', this.#path('metadata', ref));
    if (status !== 204 && status !== 404) throw new HashiCorpVaultError('destroy a secret', status);
  }

  /** @returns undefined when there is none */
  async #read(ref: SecretRef): Promise<string | undefined> {
    const { status, body } = await this.#request('read a secret', 'GET', this.#path('data', ref));
    if (status === 404) return undefined;
    const value = status === 200 ? valueIn(body) : undefined;
    if (value === undefined) throw new HashiCorpVaultError('read a secret', status);
    return value;
  }

  #path(kind: 'data' | 'metadata', { workspaceId, secretId }: SecretRef): string {
    const { mount = 'secret', prefix = 'data-sinks' } = this.#options;
    return [...mount.split('/'), kind, ...prefix.split('/'), workspaceId, secretId].map(encodeURIComponent).join('/');
  }

  async #request(
    operation: string,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: string,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { namespace, timeoutMs = 5000 } = this.#options;
    const headers = {
      'X-Vault-Token': await this.#options.token(),
      'X-Vault-Request': 'true',
      ...(namespace !== undefined && { 'X-Vault-Namespace': namespace }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    };
    try {
      const response = await fetch(`${this.#address}/v1/${path}`, {
        method,
        headers,
        body: body ?? null,
        // A token goes to this address and to no other.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: response.status, body: await response.text() };
    } catch {
      throw new HashiCorpVaultError(operation, null);
    }
  }
}

function valueIn(body: string): string | undefined {
  try {
    const answer = JSON.parse(body) as { data?: { data?: { value?: unknown } | null } | null } | null;
    const value = answer?.data?.data?.value;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
