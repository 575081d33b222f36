import { describe, expect, it } from '@jest/globals';
import { type DynamicModule, Global, type INestApplication, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ConfigurationError } from '../../../src/data-sinks/domain/errors.js';
import { DataSinksModule } from '../../../src/data-sinks/data-sinks.module.js';
import type { DataSinksOptions } from '../../../src/data-sinks/data-sinks.options.js';
import { HOST_AGENT_DIRECTORY, OPTIONS } from '../../../src/data-sinks/data-sinks.tokens.js';
import type {
  DataSinksAsyncOptions,
  DataSinksOptionsFactory,
  DataSinksPorts,
  DataSinksStructure,
} from '../../../src/data-sinks/settings/structure.js';

class Port {}
const ports = {
  agentDirectory: Port,
  workspacePlans: Port,
  mappingResults: Port,
  workspaceAccess: Port,
} as unknown as DataSinksPorts;
const vaultKeys = `k1:${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

const create = (module: DynamicModule): Promise<INestApplication> => {
  class DatabaseModule {}
  const database = { provide: getDataSourceToken(), useValue: new DataSource({ type: 'postgres' }) };
  Module({ providers: [database], exports: [database] })(DatabaseModule);
  Global()(DatabaseModule);
  class HostModule {}
  Module({ imports: [DatabaseModule, module] })(HostModule);
  return NestFactory.create(HostModule, { logger: false, abortOnError: false });
};

const boot = async (module: DynamicModule): Promise<unknown> => (await create(module)).init();

describe('an invalid host stops at its boot with a message', () => {
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

  it('for a path that is not text', () => {
    expect(() => DataSinksModule.forRoot({ ports, path: 7 as unknown as string })).toThrow('path must be a text');
  });

  it('for options next to a factory, where they would be ignored', () => {
    const options = { ports, maxInFlight: 5, useFactory: () => ({}) };
    expect(() => DataSinksModule.forRootAsync(options)).toThrow(/useFactory returns the options.* called maxInFlight/);
  });

  it.each<[string, object, string]>([
    ['no source of the options', {}, 'useFactory must be a function that returns the options'],
    ['options instead of a factory', { useFactory: {} }, 'useFactory must be a function'],
    ['an object in the place of a class', { useClass: new Port() }, 'useFactory must be a function'],
    ['two sources', { useFactory: () => ({}), useClass: Port }, 'one of useFactory and useClass, not from both'],
  ])('of %s', (_what, source, message) => {
    const module = (): DynamicModule => DataSinksModule.forRootAsync({ ports, ...source } as DataSinksAsyncOptions);
    expect(module).toThrow(ConfigurationError);
    expect(module).toThrow(message);
  });

  it.each(['', ' '])('of vault keys that are %j, by the name of the option', async (keys) => {
    await expect(boot(DataSinksModule.forRoot({ ports, vaultKeys: keys }))).rejects.toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringMatching(/^the option vaultKeys is empty/),
    });
  });

  it('for an unknown option, from forRoot or from a factory', async () => {
    const settings = { vaultKeys, maxInflight: 5 };
    for (const module of [
      DataSinksModule.forRoot({ ports, ...settings }),
      DataSinksModule.forRootAsync({ ports, useFactory: () => settings }),
    ]) {
      await expect(boot(module)).rejects.toMatchObject({ message: expect.stringContaining('maxInFlight?') });
    }
  });

  it('for a port whose dependency no module of "imports" exports, naming the port', async () => {
    @Injectable()
    class Agents {}
    @Injectable()
    class Directory {
      constructor(readonly agents: Agents) {}
    }
    @Module({ providers: [Agents], exports: [Agents] })
    class AgentsModule {}
    const given = { ...ports, agentDirectory: Directory } as unknown as DataSinksPorts;

    const refused = boot(DataSinksModule.forRoot({ ports: given, vaultKeys }));
    await expect(refused).rejects.toThrow(
      /dependencies of the ports\.agentDirectory of DataSinksModule \(class Directory\).* to its "imports".* Agents/s,
    );
    const app = await create(DataSinksModule.forRoot({ ports: given, vaultKeys, imports: [AgentsModule] }));
    expect(app.get(HOST_AGENT_DIRECTORY, { strict: false })).toBeInstanceOf(Directory);
    expect(app.get<Directory>(HOST_AGENT_DIRECTORY, { strict: false }).agents).toBeInstanceOf(Agents);
  });

  it('for a DataSource without the module’s entities', async () => {
    await expect(boot(DataSinksModule.forRoot({ ports, vaultKeys }))).rejects.toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringMatching(
        /does not have its entities \(DataSourceEntity, .* dataSinksEntities into .*forFeature\(dataSinksEntities\)/,
      ),
    });
  });
});

describe('the options come', () => {
  @Injectable()
  class HostConfig {
    readonly pollMs = 4_321;
  }
  @Module({ providers: [HostConfig], exports: [HostConfig] })
  class ConfigModule {}

  @Injectable()
  class Settings implements DataSinksOptionsFactory {
    constructor(private readonly config: HostConfig) {}

    async createDataSinksOptions(): Promise<DataSinksOptions> {
      return { vaultKeys, pollMs: this.config.pollMs };
    }
  }
  @Module({ imports: [ConfigModule], providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  const useFactory = ({ pollMs }: HostConfig): DataSinksOptions => ({ vaultKeys, pollMs });

  it.each<[string, DynamicModule]>([
    ['from the open', DataSinksModule.forRoot({ ports, vaultKeys, pollMs: 4_321 })],
    [
      'from a function that is given what it injects',
      DataSinksModule.forRootAsync({ ports, imports: [ConfigModule], inject: [HostConfig], useFactory }),
    ],
    [
      'from a class that the module makes',
      DataSinksModule.forRootAsync({ ports, imports: [ConfigModule], useClass: Settings }),
    ],
    [
      'from an object that another module has made',
      DataSinksModule.forRootAsync({ ports, imports: [SettingsModule], useExisting: Settings }),
    ],
  ])('%s, and other options keep their defaults', async (_from, module) => {
    const app = await create(module);
    expect(app.get(OPTIONS, { strict: false })).toMatchObject({ vaultKeys, pollMs: 4_321, sweepMs: 10_000 });
  });
});
