/** `JSON.stringify()`, with times in ISO 8601 also where a host has its own `Date.prototype.toJSON`. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key: string, written: unknown) {
    const given = this[key];
    return given instanceof Date ? given.toISOString() : written;
  });
}
