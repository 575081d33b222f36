import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { DataSource } from 'typeorm';
import ts from 'typescript';
import type { HashiCorpVaultOptions } from '../../../docs/examples/hashicorp-vault/hashicorp-secret-vault.js';
import { DataSinksModule } from '../../../src/data-sinks/index.js';
import { type SecretRef, SecretVault } from '../../../src/data-sinks/ports/secret-vault.js';
import { secretVaultConformance } from '../../../src/data-sinks/testing/index.js';
import { FakeKvV2, type FakeVaultFault } from '../../support/vault/fake-kv-v2.js';

// The example imports the package by its name, as a host does.
jest.unstable_mockModule('nestjs-data-sinks', () => import('../../../src/data-sinks/ports/index.js'), {
  virtual: true,
});
const EXAMPLE = 'docs/examples/hashicorp-vault/hashicorp-secret-vault';
const { HASHICORP_VAULT_OPTIONS, HashiCorpSecretVault, HashiCorpVaultModule } =
  await import('../../../docs/examples/hashicorp-vault/hashicorp-secret-vault.js');

const TOKEN = 'hvs.a-token';
const REF: SecretRef = { secretId: 'sec_1', workspaceId: 'ws_1' };

let fake: FakeKvV2;
let address: string;

function makeVault(options: Partial<HashiCorpVaultOptions> = {}): InstanceType<typeof HashiCorpSecretVault> {
  return new HashiCorpSecretVault({ address, token: () => TOKEN, ...options });
}

beforeEach(async () => {
  fake = new FakeKvV2(TOKEN, 'secret');
  address = await fake.start();
});

afterEach(async () => {
  await fake.stop();
});

describe.each([
  ['create alone', false],
  ['create and update', true],
])('the HashiCorp adapter with a token that may %s keeps what the port promises', (_policy, mayUpdate) => {
  const checks = secretVaultConformance(() => {
    fake.mayUpdate = mayUpdate;
    return makeVault();
  });

  it.each(checks.map(({ name, run }) => [name, run] as const))('%s', async (_name, run) => {
    await expect(run()).resolves.toBeUndefined();
    expect(fake.size).toBe(0);
  });
});

describe('a host that follows the README of the HashiCorp adapter', () => {
  class Port {}
  const port = Port as unknown as new () => never;
  const ports = { agentDirectory: port, workspacePlans: port, mappingResults: port, workspaceAccess: port };

  const vaultOf = async (options: DynamicModule | Type): Promise<SecretVault> => {
    class DatabaseModule {}
    const database = { provide: getDataSourceToken(), useValue: new DataSource({ type: 'postgres' }) };
    Module({ providers: [database], exports: [database] })(DatabaseModule);
    Global()(DatabaseModule);
    const module = DataSinksModule.forRoot({
      ports: { ...ports, secretVault: HashiCorpSecretVault },
      imports: [options],
    });
    class HostModule {}
    Module({ imports: [DatabaseModule, module] })(HostModule);
    const app = await NestFactory.create(HostModule, { logger: false, abortOnError: false });
    return app.get(SecretVault, { strict: false });
  };

  it('has a vault that keeps secrets, with its options from the module of the example', async () => {
    const vault = await vaultOf(HashiCorpVaultModule.forRoot({ address, token: () => TOKEN }));
    await vault.store(REF, 'value');
    expect([...(await vault.reveal([REF]))]).toEqual([['sec_1', 'value']]);
  });

  it('has one with its options from a module of its own', async () => {
    const useFactory = (): HashiCorpVaultOptions => ({ address, token: () => TOKEN });
    class VaultOptionsModule {}
    Module({
      providers: [{ provide: HASHICORP_VAULT_OPTIONS, useFactory }],
      exports: [HASHICORP_VAULT_OPTIONS],
    })(VaultOptionsModule);
    const vault = await vaultOf(VaultOptionsModule);
    expect((await vault.reveal([REF])).size).toBe(0);
  });

  it('finds what these tests stored', async () => {
    const readme = await readFile('docs/examples/hashicorp-vault/README.md', 'utf8');
    for (const line of [
      'secretVault: HashiCorpSecretVault',
      'HashiCorpVaultModule.forRoot({',
      'exports: [HASHICORP_VAULT_OPTIONS]',
    ])
      expect(readme).toContain(line);
  });
});

describe('the HashiCorp adapter', () => {
  it('compiles unchanged in a strict host', () => {
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      exactOptionalPropertyTypes: true,
      experimentalDecorators: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      paths: { 'nestjs-data-sinks': ['./src/data-sinks/ports/index.ts'] },
    };
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([`${EXAMPLE}.ts`], options));
    expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([]);
  });

  it('stores each secret under its workspace, and authenticates every request', async () => {
    const vault = makeVault({ namespace: 'platform/push', prefix: 'sinks/prod', address: `${address}/` });
    await vault.store({ secretId: 'sec/../1', workspaceId: 'ws ?#1' }, 'value');
    const [request] = fake.requests;
    expect(request?.url).toBe('/v1/secret/data/sinks/prod/ws%20%3F%231/sec%2F..%2F1');
    expect(request?.headers).toMatchObject({
      'x-vault-token': TOKEN,
      'x-vault-namespace': 'platform/push',
      'x-vault-request': 'true',
    });
  });

  it('asks for the token each time, so that a renewed one is used at once', async () => {
    const tokens = ['expired', TOKEN];
    const vault = makeVault({ token: async () => tokens.shift() ?? '' });
    await expect(vault.reveal([REF])).rejects.toMatchObject({ code: 'vault_unavailable', status: 403 });
    expect((await vault.reveal([REF])).size).toBe(0);
  });

  it('reads a large batch eight secrets at a time', async () => {
    const vault = makeVault();
    const refs = Array.from({ length: 40 }, (_, i) => ({ secretId: `sec_${i}`, workspaceId: 'ws_1' }));
    for (const ref of refs) await vault.store(ref, `value of ${ref.secretId}`);
    fake.readsTogether = 8;
    expect((await vault.reveal(refs)).size).toBe(40);
    expect(fake.mostWaiting).toBe(8);
  });

  it.each<[FakeVaultFault, number | null]>([
    ['sealed', 503],
    ['silent', null],
    ['cut', null],
    ['redirecting', null],
  ])('reports that Vault is %s, without value or token', async (fault, status) => {
    fake.fault = fault;
    const vault = makeVault({ timeoutMs: 200 });
    for (const ask of [() => vault.store(REF, 'the-value'), () => vault.reveal([REF]), () => vault.destroy(REF)]) {
      const error: unknown = await ask().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'vault_unavailable', status });
      expect(inspect(error, { depth: 9 })).not.toMatch(/the-value|hvs\./);
    }
  });

  it('sends at most eight requests to a Vault that is down', async () => {
    fake.fault = 'sealed';
    const refs = Array.from({ length: 64 }, (_, i) => ({ secretId: `sec_${i}`, workspaceId: 'ws_1' }));
    await expect(makeVault().reveal(refs)).rejects.toMatchObject({ status: 503 });
    expect(fake.requests.length).toBeLessThanOrEqual(8);
  });

  it('does not take a proxy’s page for a secret', async () => {
    fake.fault = 'not-json';
    await expect(makeVault().reveal([REF])).rejects.toMatchObject({ code: 'vault_unavailable', status: 200 });
  });

  it('distinguishes a token without privileges from a reference that is taken', async () => {
    const vault = makeVault({ token: () => 'another' });
    await expect(vault.store(REF, 'value')).rejects.toMatchObject({ code: 'vault_unavailable', status: 403 });
  });
});
