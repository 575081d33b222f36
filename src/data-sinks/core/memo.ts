/**
 * Remembers what a function of a text answered, for functions whose answers never change.
 * @param most when so many are remembered, all are forgotten: simpler than an order, and as good where texts repeat
 */
export function memo<T>(compute: (text: string) => T, most = 1_000): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = compute(text);
    if (known.size >= most) known.clear();
    known.set(text, value);
    return value;
  };
}
