/** Converts PostgreSQL's text of a value to a JavaScript value. */
type Parser = (text: string) => unknown;

/** node-postgres's interface to look up a parser by type oid (`pg_type`). */
export interface ValueParsers {
  getTypeParser(typeId: number): Parser;
}

const same: Parser = (text) => text;
const json: Parser = (text) => JSON.parse(text) as unknown;

/** Oids never change. `bigint` and `numeric` stay text, as in node-postgres by default. */
const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [16, (text) => text === 't'], // bool
  [17, bytes], // bytea
  [21, Number], // int2
  [23, Number], // int4
  [26, Number], // oid
  [114, json],
  [700, Number], // float4
  [701, Number], // float8
  [1009, texts], // text[]
  [1082, refuseTime], // date
  [1114, refuseTime], // timestamp
  [1184, refuseTime], // timestamptz
  [1186, refuseTime], // interval
  [3802, json], // jsonb
]);

/**
 * The module's own parsers, used for each of its statements, so that the host's `pg.types.setTypeParser` has no effect.
 */
export const VALUE_PARSERS: ValueParsers = { getTypeParser: (typeId) => PARSERS.get(typeId) ?? same };

/** The text of a time depends on the session (`DateStyle`, `TimeZone`), which belongs to the host. */
function refuseTime(text: string): never {
  throw new Error(`a statement read the time "${text}"; read its milliseconds since 1970, with millisecondsOf()`);
}

/** SQL for a `timestamptz` as milliseconds since 1970, independent of session settings. */
export function millisecondsOf(time: string): string {
  return `(extract(epoch FROM ${time}) * 1000)::float8`;
}

/** A row of which `millisecondsOf` has read some columns, with times in their place. */
export function withTimes<T extends object>(row: TimesAsNumbers<T>, ...names: readonly (keyof T)[]): T {
  const times = names.map((name) => [name, timeOf((row as Record<keyof T, number | null>)[name])]);
  return { ...row, ...Object.fromEntries(times) } as T;
}

/** A row before `withTimes`. */
export type TimesAsNumbers<T> = {
  readonly [Name in keyof T]: T[Name] extends Date ? number : T[Name] extends Date | null ? number | null : T[Name];
};

/** The result of `millisecondsOf`. */
export function timeOf(milliseconds: number): Date;
export function timeOf(milliseconds: number | null): Date | null;
export function timeOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}

/** Hex or, with `bytea_output = 'escape'`, ASCII with `\\` and octal `\ooo`. */
function bytes(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  const plain = text.replace(/\\(\\|[0-7]{3})/g, (_, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  );
  return Buffer.from(plain, 'latin1');
}

/** `{a,"b \"quoted\"",NULL}` */
function texts(text: string): (string | null)[] {
  const elements = text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|[^,]+/gs);
  return [...elements].map(([element, quoted]) =>
    quoted === undefined ? (element === 'NULL' ? null : element) : quoted.replace(/\\(.)/gs, '$1'),
  );
}
