import { describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ConfigurationError } from '../../../src/data-sinks/core/errors.js';
import { DataSinksModule } from '../../../src/data-sinks/data-sinks.module.js';
import type { DataSinksPorts, DataSinksStructure } from '../../../src/data-sinks/data-sinks.structure.js';

class Port {}
const ports = {
  agentDirectory: Port,
  workspacePlans: Port,
  mappingResults: Port,
  workspaceAccess: Port,
} as unknown as DataSinksPorts;
const vaultKeys = `k1:${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

const boot = async (module: ReturnType<typeof DataSinksModule.forRoot>): Promise<unknown> => {
  class DatabaseModule {}
  const database = { provide: getDataSourceToken(), useValue: new DataSource({ type: 'postgres' }) };
  Module({ providers: [database], exports: [database] })(DatabaseModule);
  Global()(DatabaseModule);
  class HostModule {}
  Module({ imports: [DatabaseModule, module] })(HostModule);
  const app = await NestFactory.create(HostModule, { logger: false, abortOnError: false });
  return app.init();
};

describe('a host that cannot work stops at its boot, and is told why', () => {
  it.each<[string, unknown, string]>([
    ['no ports', undefined, 'ports.agentDirectory must be an injectable class'],
    ['a port that is forgotten', { ...ports, mappingResults: undefined }, 'ports.mappingResults must be'],
    ['an object in the place of a class', { ...ports, secretVault: new Port() }, 'ports.secretVault must be'],
    ['a port that there is not', { ...ports, secretvault: Port }, 'Did you mean secretVault?'],
  ])('of %s', (_what, given, message) => {
    const structure = { ports: given } as DataSinksStructure;
    for (const module of [
      () => DataSinksModule.forRoot(structure),
      () => DataSinksModule.forRootAsync({ ...structure, useFactory: () => ({}) }),
    ]) {
      expect(module).toThrow(ConfigurationError);
      expect(module).toThrow(message);
    }
  });

  it('of a path that is no text', () => {
    expect(() => DataSinksModule.forRoot({ ports, path: 7 as unknown as string })).toThrow('path must be a text');
  });

  it('of settings beside the factory, where nobody would read them', () => {
    const options = { ports, maxInFlight: 5, useFactory: () => ({}) };
    expect(() => DataSinksModule.forRootAsync(options)).toThrow(/what useFactory returns.* called maxInFlight/);
  });

  it.each(['', ' '])('of vault keys that are %j, by the name of the option', async (keys) => {
    await expect(boot(DataSinksModule.forRoot({ ports, vaultKeys: keys }))).rejects.toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringMatching(/^the option vaultKeys is empty/),
    });
  });

  it('of an option that there is not, from the open or from a factory', async () => {
    const settings = { vaultKeys, maxInflight: 5 };
    for (const module of [
      DataSinksModule.forRoot({ ports, ...settings }),
      DataSinksModule.forRootAsync({ ports, useFactory: () => settings }),
    ]) {
      await expect(boot(module)).rejects.toMatchObject({ message: expect.stringContaining('maxInFlight?') });
    }
  });

  it('of a DataSource without the module’s entities, before its first request', async () => {
    await expect(boot(DataSinksModule.forRoot({ ports, vaultKeys }))).rejects.toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringMatching(/does not have its entities \(DataSourceEntity, .* dataSinksEntities into/),
    });
  });
});
