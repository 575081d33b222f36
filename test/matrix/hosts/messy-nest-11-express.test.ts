import { describe, expect, it } from '@jest/globals';
import { describeMessyHost } from '../../package/support/messy-suite.js';
import { messyPlaces } from '../../package/support/messy-places.js';
import { nestNewJest } from '../../package/support/nest-new-jest.js';
import { run } from '../../package/support/run.js';
import { strangeWorld } from '../../package/support/strange-world.js';
import { bareEnvironment } from '../../package/support/stranger.js';
import { MESSY_DEPENDENCIES, MESSY_SOURCES, MESSY_SCRIPTS } from '../../package/support/messy-installation.js';

const world = strangeWorld({
  name: 'messy-nest-11',
  type: 'commonjs',
  dependencies: {
    ...MESSY_DEPENDENCIES,
    '@nestjs/bull': '11.0.5',
    '@nestjs/common': '11.2.10',
    '@nestjs/core': '11.2.10',
    '@nestjs/event-emitter': '3.1.0',
    '@nestjs/jwt': '11.0.2',
    '@nestjs/platform-express': '11.2.10',
    '@nestjs/swagger': '11.4.0',
    '@nestjs/typeorm': '11.0.3',
    '@types/compression': '1.8.1',
    '@types/express': '5.0.6',
    'class-validator': '0.14.2',
    compression: '1.8.1',
    helmet: '8.1.0',
    jest: '29.7.0',
    'nestjs-cls': '6.3.1',
    'ts-jest': '29.4.5',
    typeorm: '0.3.23',
    typescript: '5.9.3',
  },
  compilerOptions: { module: 'commonjs', moduleResolution: 'node10', skipLibCheck: true },
  sources: [
    ...MESSY_SOURCES,
    'test/package/hosts/messy/messy-nest-11-express.ts',
    'test/package/hosts/messy/messy-nest-11-main.ts',
  ],
  scripts: [...MESSY_SCRIPTS, 'test/package/hosts/messy/messy.spec.ts'],
});

describe('a Nest 11 host in CommonJS on Express that has all habits at once', () => {
  describeMessyHost(world, 'messy-nest-11-main.js');

  it('is tested by its own Jest, which loads CommonJS alone', async () => {
    const places = await messyPlaces(world());
    try {
      const { code, output } = await run(
        process.execPath,
        ['node_modules/jest/bin/jest.js', '--config', nestNewJest('messy')],
        { cwd: world().stranger.directory, env: { ...bareEnvironment(), ...places.environment } },
      );
      expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/Tests: +1 passed, 1 total/) });
    } finally {
      await places.stop();
    }
  }, 900_000);
});
