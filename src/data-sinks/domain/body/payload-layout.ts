import type { PayloadFormat } from '../data-sink.js';
import type { MappingResultRow } from '../job-completed.js';
import type { LayoutOf, PayloadFacts, PayloadLayout } from './layout.js';
import { csvLayout } from './csv-layout.js';
import { jsonLayout } from './json-layout.js';
import { jsonLinesLayout } from './json-lines-layout.js';
import type { PayloadRecipe } from './payload-recipe.js';

/** Formats whose bodies are text. */
export type TextFormat = Exclude<PayloadFormat, 'PARQUET'>;

const LAYOUTS: Readonly<Record<TextFormat, LayoutOf>> = {
  JSON: jsonLayout,
  JSONL: jsonLinesLayout,
  CSV: csvLayout,
};

const WITH_ALL_FIELDS: Readonly<Record<TextFormat, PayloadLayout>> = {
  JSON: jsonLayout(null, 'escape'),
  JSONL: jsonLinesLayout(null, 'escape'),
  CSV: csvLayout(null, 'escape'),
};

export type TextRecipe = Pick<PayloadRecipe, 'fields' | 'csvFormulas'> & { readonly format: TextFormat };

export function payloadLayout({ format, fields, csvFormulas = 'escape' }: TextRecipe): PayloadLayout {
  return fields || csvFormulas === 'raw' ? LAYOUTS[format](fields, csvFormulas) : WITH_ALL_FIELDS[format];
}

/** Builds a whole body from a few rows, such as a Test's. */
export function bodyText(
  layout: PayloadLayout,
  facts: PayloadFacts,
  rows: readonly MappingResultRow[],
  test: boolean,
): string {
  return `${layout.head(facts)}${rows.length === 0 ? '' : layout.rows(rows, facts)}${layout.tail(test)}`;
}
