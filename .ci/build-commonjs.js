import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/**
 * Builds `dist/cjs`, the published code as CommonJS, from tsc's output. Node and bundlers load the ES modules in any
 * case (conditions `module-sync` and `module` in package.json). CommonJS is for loaders that know nothing else, mainly
 * Jest in a CommonJS project. A process loads only one of the two, so there is one copy of every class.
 */
const FROM = 'dist';
const TO = 'dist/cjs';
const PUBLISHED = ['src/data-sinks', 'src/console', 'src/receiver', 'migrations'];
const THREAD = 'src/data-sinks/payload/body-thread.cjs';

const options = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2023,
  esModuleInterop: true,
  removeComments: true,
};

/** CommonJS has no `import.meta`; the file's URL is derived from `__filename`. */
const withoutImportMeta = (context) => (file) => {
  const { factory } = context;
  const visit = (node) =>
    ts.isPropertyAccessExpression(node) && ts.isMetaProperty(node.expression) && node.name.text === 'url'
      ? ownUrl(factory)
      : ts.visitEachChild(node, visit, context);
  return ts.visitNode(file, visit);
};

function ownUrl(factory) {
  const call = (callee, argument) => factory.createCallExpression(callee, undefined, [argument]);
  const nodeUrl = call(factory.createIdentifier('require'), factory.createStringLiteral('node:url'));
  const toUrl = factory.createPropertyAccessExpression(nodeUrl, 'pathToFileURL');
  return factory.createPropertyAccessExpression(call(toUrl, factory.createIdentifier('__filename')), 'href');
}

function toCommonJs(path) {
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''), {
    fileName: path,
    compilerOptions: options,
    transformers: { before: [withoutImportMeta] },
  });
  if (outputText.includes('import.meta')) throw new Error(`${path}: CommonJS has no import.meta but its url`);
  return outputText;
}

rmSync(TO, { recursive: true, force: true });
for (const folder of PUBLISHED) {
  for (const entry of readdirSync(join(FROM, folder), { recursive: true })) {
    const path = join(folder, String(entry));
    if (!/\.(js|cjs|d\.ts|d\.cts)$/.test(path) || /[\\/]public[\\/]/.test(path)) continue;
    const target = join(TO, path);
    mkdirSync(dirname(target), { recursive: true });
    if (path.endsWith('.js')) writeFileSync(target, toCommonJs(join(FROM, path)));
    // The types are the same; the folder's package.json declares the module format.
    else copyFileSync(join(FROM, path), target);
  }
}
writeFileSync(join(TO, 'package.json'), `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`);
// At a fixed path, which messages and docs can name.
copyFileSync(join(FROM, THREAD), join(FROM, 'body-thread.cjs'));
