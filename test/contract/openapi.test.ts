import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { CreateDataSourceBody } from '../../src/data-sinks/api/dto/data-source.body.js';
import { RequestValidationPipe } from '../../src/data-sinks/api/http/request-validation.pipe.js';
import { PROBLEMS, type ProblemCode } from '../../src/data-sinks/index.js';
import { describeApi } from '../../src/reference-host/api-document.js';
import { HOST_PROBLEMS } from '../../src/reference-host/http/host-problem.js';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly example?: unknown;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>;
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
}

/** The committed document; the first test says that the code gives the same. */
const committed = JSON.parse(read()) as OpenAPIObject;
const operations = Object.entries(committed.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]): [string, Operation] => [
    `${method.toUpperCase()} ${path}`,
    operation as unknown as Operation,
  ]),
);
const ours = operations.filter(([name]) => /data-sources|\/deliveries/.test(name));

function read(): string {
  return readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
}

describe('docs/openapi.json', () => {
  let produced: OpenAPIObject;
  beforeAll(async () => {
    produced = await describeApi();
  });

  it('is what the code says; else run: npm run openapi', () => {
    expect(committed).toEqual(JSON.parse(JSON.stringify(produced)));
  });

  it('is the same every time', async () => {
    expect(await describeApi()).toEqual(produced);
  });

  it('has the operations of the contract', () => {
    const sink = '/api/v1/agents/{agentId}/data-sources/{sinkId}';
    expect(ours.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'POST /api/v1/agents/{agentId}/data-sources',
        'GET /api/v1/agents/{agentId}/data-sources',
        `GET ${sink}`,
        `PATCH ${sink}`,
        `DELETE ${sink}`,
        `POST ${sink}/secret`,
        `POST ${sink}/test`,
        `POST ${sink}/pushes`,
        `GET ${sink}/deliveries`,
        `GET ${sink}/syncs`,
        `POST ${sink}/recover`,
        `GET ${sink}/recoveries/preview`,
        `GET ${sink}/recoveries`,
        `GET ${sink}/recoveries/{recoveryId}`,
        `POST ${sink}/recoveries/{recoveryId}/cancel`,
        'GET /api/v1/deliveries/{deliveryId}',
        'GET /api/v1/deliveries/{deliveryId}/payload',
        'POST /api/v1/deliveries/{deliveryId}/redeliver',
      ]),
    );
  });

  it('lets null through wherever it says that something may be null', () => {
    const refusing: string[] = [];
    const walk = (value: unknown, at: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { nullable, enum: values, allOf, $ref } = value as Schema;
      if (nullable && (allOf || $ref || (values && !values.includes(null)))) refusing.push(at);
      for (const [key, inner] of Object.entries(value)) walk(inner, `${at}/${key}`);
    };
    walk(committed, '');
    expect(refusing).toEqual([]);
  });

  it('holds no secret', () => {
    expect(read()).not.toMatch(/whsec_[A-Za-z0-9+/]{8}|Bearer [A-Za-z0-9]{8}|mt_[A-Za-z0-9]{8}/);
  });
});

describe.each(operations)('%s', (name, { summary, security, requestBody, responses }) => {
  it('has a summary', () => {
    expect(summary).toMatch(/^[A-Z].{8,}[^.]$/);
  });

  it('answers every error as a problem, with an example of each that is one', () => {
    const errors = Object.entries(responses).filter(([status]) => Number(status) >= 400);
    expect(errors.length).toBeGreaterThan(0);
    for (const [status, { description, content = {} }] of errors) {
      expect(description).toBeTruthy();
      expect(Object.keys(content)).toEqual(['application/problem+json']);
      const examples = examplesOf(content['application/problem+json'] ?? {});
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        const { type, title, status: said, detail } = example as Record<string, string>;
        const code = type?.replace('https://mapping.travel/errors/', '') as ProblemCode;
        const problem = { ...PROBLEMS, ...HOST_PROBLEMS }[code];
        expect([said, title]).toEqual([problem.status, problem.title]);
        expect([Number(status), typeof detail]).toEqual([problem.status, 'string']);
      }
    }
  });

  if (name === 'GET /healthz') return;

  it('needs a token, and says what it answers without one', () => {
    expect(security?.length).toBeGreaterThan(0);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403']));
  });

  it('names the errors that its path and its body can lead to', () => {
    const expected = [...(/\{/.test(name) ? ['404'] : []), ...(requestBody ? ['400', '413', '415', '422'] : [])];
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(expected));
  });
});

describe.each(ours)('%s', (_name, { requestBody, responses }) => {
  it('shows by example what to send and what comes back', () => {
    const answers = Object.entries(responses).filter(([status]) => status.startsWith('2') && status !== '204');
    const media = [requestBody, ...answers.map(([, answer]) => answer)].flatMap((part) =>
      Object.values(part?.content ?? {}),
    );
    for (const one of media) {
      const example = examplesOf(one)[0] ?? exampleOf(one.schema ?? {}, '');
      if (one.schema?.type === 'string') expect(example).toMatch(/\S/);
      else expect(example).toBeInstanceOf(Object);
    }
    expect(answers.length + Number('204' in responses)).toBeGreaterThan(0);
  });
});

it('the example of a new data source is a body that the API takes', async () => {
  const [, create] = ours.find(([name]) => name === 'POST /api/v1/agents/{agentId}/data-sources') ?? [];
  const media = create?.requestBody?.content['application/json'] ?? {};
  const body = JSON.parse(JSON.stringify(exampleOf(media.schema ?? {}, ''))) as unknown;
  const checked = new RequestValidationPipe().transform(body, { type: 'body', metatype: CreateDataSourceBody });
  await expect(checked).resolves.toMatchObject({ role: 'RESULTS_SINK', type: 'HTTPS_WEBHOOK' });
});

function examplesOf({ example, examples = {} }: Media): unknown[] {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)];
}

/** What a reader of the document sees: the examples of a schema's fields, put together. */
function exampleOf(schema: Schema, at: string): unknown {
  const { $ref, allOf, oneOf, example, items, properties } = schema;
  if (example !== undefined) return example;
  if ($ref !== undefined) return exampleOf(named($ref), at);
  if (allOf ?? oneOf) return exampleOf((allOf ?? oneOf)?.[0] ?? {}, at);
  if (schema.enum) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  if (items) return [exampleOf(items, `${at}/0`)];
  if (properties) {
    return Object.fromEntries(
      Object.entries(properties).map(([key, inner]) => [key, exampleOf(inner, `${at}/${key}`)]),
    );
  }
  throw new Error(`there is no example of ${at}`);
}

function named($ref: string): Schema {
  const name = $ref.replace('#/components/schemas/', '');
  const schema = committed.components?.schemas?.[name];
  if (!schema) throw new Error(`the document has no schema ${name}`);
  return schema as Schema;
}
