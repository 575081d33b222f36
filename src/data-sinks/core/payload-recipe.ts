import { type Compression, type HttpsWebhookConfig, PAYLOAD_FORMATS, type PayloadFormat } from './data-sink.js';
import { ROW_FIELDS, type RowField } from './job-completed.js';

/**
 * A job is pushed in at most so many parts; one that would need more is not pushed. Each is a row that is written in the
 * transaction which completes the job, for each sink: twenty sinks of a thousand parts cost it a second or two.
 */
export const MAX_PARTS = 1_000;

/** Which of a job's numbered parts a delivery carries. */
export interface PushPart {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

/**
 * All that decides how a job's results become the bytes of one body. A delivery keeps the recipe of the moment at which
 * it was made: what its sink becomes later changes no byte of it. Two sinks of the same recipe share their bodies.
 */
export interface PayloadRecipe {
  readonly format: PayloadFormat;
  readonly compression: Compression;
  /** In the contract's order; null for all. */
  readonly fields: readonly RowField[] | null;
  /** Null when the job is pushed in one piece. */
  readonly split: PartOfRows | null;
}

export type PartOfRows = PushPart & { readonly rowsPerPart: number };

/** A recipe that makes some of a job's rows. */
export type PartRecipe = PayloadRecipe & { readonly split: PartOfRows };

/** What a sink says of the bodies that it is sent. */
export type BodySettings = Pick<HttpsWebhookConfig, 'compression' | 'includeFields' | 'maxRowsPerPush'>;

/** The part that a recipe makes of a job of so many rows. Every job has at least one, also an empty one. */
export function partsOf(totalRows: number, rowsPerPart: number): number {
  return Math.max(1, Math.ceil(totalRows / rowsPerPart));
}

/**
 * The recipes of the bodies that a job becomes for one sink, one per delivery. A job of more than `MAX_PARTS` gets the
 * first alone, whose delivery then ends with `too_many_parts`.
 */
export function recipesFor(
  format: PayloadFormat,
  { compression, includeFields, maxRowsPerPush }: BodySettings,
  totalRows: number,
): PayloadRecipe[] {
  const whole = { format, compression, fields: someFields(includeFields) };
  if (maxRowsPerPush === null) return [{ ...whole, split: null }];
  const of = partsOf(totalRows, maxRowsPerPush);
  const length = of > MAX_PARTS ? 1 : of;
  return Array.from({ length }, (_, i) => ({
    ...whole,
    split: { number: i + 1, of, rowsPerPart: maxRowsPerPush },
  }));
}

/**
 * The name under which a body of this recipe is stored: `JSON`, `CSV;gzip`, `JSONL;fields=partnerRowId;rows=500;part=3/12`.
 * One recipe has one name. All fields have no name of their own, so that a sink that lists them all shares its bodies.
 */
export function recipeName({ format, compression, fields, split }: PayloadRecipe): string {
  return [
    format,
    ...(compression === 'none' ? [] : [compression]),
    ...(fields ? [`fields=${fields.join(',')}`] : []),
    ...(split ? [`rows=${split.rowsPerPart}`, `part=${partText(split)}`] : []),
  ].join(';');
}

const NAME = /^([A-Z]+)(;gzip)?(?:;fields=([A-Za-z,]+))?(?:;rows=(\d+);part=(\d+)\/(\d+))?$/;

/** The recipes that have nothing to their name but a format: nearly all. */
const PLAIN: ReadonlyMap<string, PayloadRecipe> = new Map(
  PAYLOAD_FORMATS.map((format) => [format, { format, compression: 'none', fields: null, split: null }]),
);

/** @throws when it is no name of `recipeName()`: a later version's, perhaps */
export function parseRecipe(name: string): PayloadRecipe {
  const plain = PLAIN.get(name);
  if (plain) return plain;
  const [, format, gzip, fields, rowsPerPart, number, of] = NAME.exec(name) ?? [];
  const known = PAYLOAD_FORMATS.find((one) => one === format);
  const recipe: PayloadRecipe | undefined = known && {
    format: known,
    compression: gzip === undefined ? 'none' : 'gzip',
    fields: fields === undefined ? null : ROW_FIELDS.filter((field) => fields.split(',').includes(field)),
    split: number === undefined ? null : { number: Number(number), of: Number(of), rowsPerPart: Number(rowsPerPart) },
  };
  if (!recipe || recipeName(recipe) !== name) throw new Error(`"${name}" is not a way in which a body is made here`);
  return recipe;
}

/** The part that a stored recipe's name speaks of, or null. */
export function partOf(name: string): PushPart | null {
  const [, number, of] = /;part=(\d+)\/(\d+)$/.exec(name) ?? [];
  return number === undefined ? null : { number: Number(number), of: Number(of) };
}

/** `3/12`. */
export function partText({ number, of }: PushPart): string {
  return `${number}/${of}`;
}

/** Whether others have to be delivered before this one is sent. */
export function isLastOfSeveral(part: PushPart | null): boolean {
  return part !== null && part.of > 1 && part.number === part.of;
}

/** Whether the job's other rows are in other bodies. */
export function isOfSeveral(recipe: PayloadRecipe): recipe is PartRecipe {
  return recipe.split !== null && recipe.split.of > 1;
}

function someFields(fields: readonly RowField[] | null): readonly RowField[] | null {
  return fields && fields.length < ROW_FIELDS.length ? fields : null;
}
