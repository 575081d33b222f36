/**
 * As Nest 11's `nest new` writes it; the mapper is for the endings in our sources' imports, which other hosts here need.
 * @param name of the test file, before `.spec.ts`
 */
export function nestNewJest(name: string): string {
  return JSON.stringify({
    moduleFileExtensions: ['js', 'json', 'ts'],
    rootDir: '.',
    testRegex: `\\b${name}\\.spec\\.ts$`,
    transform: { '^.+\\.(t|j)s$': 'ts-jest' },
    testEnvironment: 'node',
    moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  });
}
