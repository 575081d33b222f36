/** Encodes a key of several parts, such as workspace and job, as one text. Different keys have different texts. */
export function keyText(...parts: readonly (string | number)[]): string {
  return JSON.stringify(parts);
}
