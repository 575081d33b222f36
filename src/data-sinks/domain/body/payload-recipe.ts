import {
  type Compression,
  type CsvFormulas,
  type ParquetCodec,
  PAYLOAD_FORMATS,
  type PayloadFormat,
  type SinkConfig,
} from '../data-sink.js';
import { BODY_FIELDS, type BodyField, ROW_FIELDS } from '../job-completed.js';

/**
 * Maximum number of parts of a job; a job that needs more is not pushed. Each part is a row per sink, written in the
 * transaction that completes the job: 20 sinks of 1,000 parts take one to two seconds.
 */
export const MAX_PARTS = 1_000;

/** Which of a job's numbered parts a delivery carries. */
export interface PushPart {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

/**
 * Everything that determines the bytes of a body made from a job's results. A delivery stores the recipe when it is
 * created; later changes to the sink do not affect its bytes. Two sinks with the same recipe share their bodies.
 */
export interface PayloadRecipe {
  readonly format: PayloadFormat;
  readonly compression: Compression;
  /** Of CSV only, where it is not `escape`. */
  readonly csvFormulas?: CsvFormulas;
  /** Of PARQUET only, where it is not `snappy`. */
  readonly parquetCodec?: ParquetCodec;
  /** In the contract's order; null for those of a row. */
  readonly fields: readonly BodyField[] | null;
  /** Null when the job is pushed as one body. */
  readonly split: PartOfRows | null;
}

export type PartOfRows = PushPart & { readonly rowsPerPart: number };

/** A recipe for one part of a job. */
export type PartRecipe = PayloadRecipe & { readonly split: PartOfRows };

/** What a sink says of the bodies that it is sent. */
export type BodySettings = Pick<
  SinkConfig,
  'compression' | 'includeFields' | 'maxRowsPerPush' | 'csvFormulas' | 'parquetCodec'
>;

/** The part of a job that a recipe covers. Every job has at least one part, even an empty one. */
export function partsOf(totalRows: number, rowsPerPart: number): number {
  return Math.max(1, Math.ceil(totalRows / rowsPerPart));
}

/**
 * The recipes of a job's bodies for one sink, one per delivery. A job that needs more than `MAX_PARTS` gets only the
 * first; its delivery ends with `too_many_parts`.
 */
export function recipesFor(
  format: PayloadFormat,
  { compression, includeFields, maxRowsPerPush, csvFormulas, parquetCodec }: BodySettings,
  totalRows: number,
): PayloadRecipe[] {
  const whole = {
    ...{ format, compression, fields: someFields(includeFields) },
    ...(format === 'CSV' && csvFormulas === 'raw' && { csvFormulas }),
    ...(format === 'PARQUET' && parquetCodec === 'gzip' && { parquetCodec }),
  };
  if (maxRowsPerPush === null) return [{ ...whole, split: null }];
  const of = partsOf(totalRows, maxRowsPerPush);
  const length = of > MAX_PARTS ? 1 : of;
  return Array.from({ length }, (_, i) => ({
    ...whole,
    split: { number: i + 1, of, rowsPerPart: maxRowsPerPush },
  }));
}

/**
 * The name under which a body of this recipe is stored: `JSON`, `CSV;gzip`,
 * `PARQUET;codec=gzip`, `JSONL;fields=partnerRowId;rows=500;part=3/12`. A recipe has exactly one name. Listing all fields gives the same name
 * as listing none, so that such sinks share bodies.
 */
export function recipeName(recipe: PayloadRecipe): string {
  const { format, compression, csvFormulas, parquetCodec, fields, split } = recipe;
  return [
    format,
    ...(compression === 'none' ? [] : [compression]),
    ...(format === 'CSV' && csvFormulas === 'raw' ? ['formulas=raw'] : []),
    ...(format === 'PARQUET' && parquetCodec === 'gzip' ? ['codec=gzip'] : []),
    ...(fields ? [`fields=${fields.join(',')}`] : []),
    ...(split ? [`rows=${split.rowsPerPart}`, `part=${partText(split)}`] : []),
  ].join(';');
}

const NAME =
  /^([A-Z]+)(;gzip)?(;formulas=raw)?(;codec=gzip)?(?:;fields=([A-Za-z,]+))?(?:;rows=(\d+);part=(\d+)\/(\d+))?$/;

/** Recipes that consist only of a format: nearly all of them. */
const PLAIN: ReadonlyMap<string, PayloadRecipe> = new Map(
  PAYLOAD_FORMATS.map((format) => [format, { format, compression: 'none', fields: null, split: null }]),
);

/** @throws when the name is unknown, e.g. written by a later version */
export function parseRecipe(name: string): PayloadRecipe {
  const plain = PLAIN.get(name);
  if (plain) return plain;
  const [, format, gzip, raw, codec, fields, rowsPerPart, number, of] = NAME.exec(name) ?? [];
  const known = PAYLOAD_FORMATS.find((one) => one === format);
  const recipe: PayloadRecipe | undefined = known && {
    format: known,
    compression: gzip === undefined ? 'none' : 'gzip',
    ...(raw !== undefined && { csvFormulas: 'raw' }),
    ...(codec !== undefined && { parquetCodec: 'gzip' }),
    fields: fields === undefined ? null : BODY_FIELDS.filter((field) => fields.split(',').includes(field)),
    split: number === undefined ? null : { number: Number(number), of: Number(of), rowsPerPart: Number(rowsPerPart) },
  };
  if (!recipe || recipeName(recipe) !== name) throw new Error(`unknown recipe "${name}"`);
  return recipe;
}

/** The part in a stored recipe's name, or null. */
export function partOf(name: string): PushPart | null {
  const [, number, of] = /;part=(\d+)\/(\d+)$/.exec(name) ?? [];
  return number === undefined ? null : { number: Number(number), of: Number(of) };
}

/** `3/12`. */
export function partText({ number, of }: PushPart): string {
  return `${number}/${of}`;
}

/** Whether this part waits until the other parts are delivered. */
export function isLastOfSeveral(part: PushPart | null): boolean {
  return part !== null && part.of > 1 && part.number === part.of;
}

/** Whether the job's other rows are in other bodies. */
export function isOfSeveral(recipe: PayloadRecipe): recipe is PartRecipe {
  return recipe.split !== null && recipe.split.of > 1;
}

/** Whether a body is compressed in itself, so that compressing it for storage would gain nothing. */
export function isPacked({ format, compression }: Pick<PayloadRecipe, 'format' | 'compression'>): boolean {
  return compression !== 'none' || format === 'PARQUET';
}

function someFields(fields: readonly BodyField[] | null): readonly BodyField[] | null {
  return fields?.join() === ROW_FIELDS.join() ? null : fields;
}
