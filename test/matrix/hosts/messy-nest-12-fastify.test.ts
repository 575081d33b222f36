import { describe } from '@jest/globals';
import { MESSY_DEPENDENCIES, MESSY_SCRIPTS, MESSY_SOURCES } from '../../package/support/messy-installation.js';
import { describeMessyHost } from '../../package/support/messy-suite.js';
import { strangeWorld } from '../../package/support/strange-world.js';

const world = strangeWorld({
  name: 'messy-nest-12',
  type: 'module',
  dependencies: {
    ...MESSY_DEPENDENCIES,
    '@fastify/compress': '9.2.0',
    '@fastify/helmet': '13.2.0',
    '@fastify/static': '10.1.11',
    '@nestjs/bull': '12.0.0',
    '@nestjs/common': '12.5.1',
    '@nestjs/core': '12.5.1',
    '@nestjs/event-emitter': '12.0.1',
    '@nestjs/jwt': '12.0.2',
    '@nestjs/platform-fastify': '12.5.0',
    '@nestjs/swagger': '12.0.2',
    '@nestjs/typeorm': '12.0.2',
    'class-validator': '0.15.1',
    'nestjs-cls': '7.0.0',
    typescript: '6.0.3',
  },
  compilerOptions: { module: 'nodenext', skipLibCheck: true },
  sources: [...MESSY_SOURCES, 'test/package/hosts/messy/messy-nest-12-fastify.ts'],
  scripts: MESSY_SCRIPTS,
});

describe('a Nest 12 host of ES modules on Fastify that has all habits at once', () => {
  describeMessyHost(world, 'messy-nest-12-fastify.js');
});
