import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const protocolErrors = fileURLToPath(import.meta.resolve('@parley/protocol/errors'));

export interface BundleSize {
  bytes: number;
  gzippedBytes: number;
}

/**
 * Of the protocol the package has types and pure functions only: its schemas are made when their module is loaded, and are left
 * out where nobody asks for them.
 */
const treeshake = { moduleSideEffects: false, manualPureFunctions: ['Type', 'storableText'] };

/**
 * Builds what is published, for browsers and Node alike: one module, and the types of each source file.
 * @returns The size of the module.
 * @throws Error where the types can't be told.
 */
export async function bundle(folder = join(root, 'dist')): Promise<BundleSize> {
  await rm(folder, { recursive: true, force: true });
  const file = join(folder, 'index.js');
  await build({
    input: join(root, 'src/index.ts'),
    cwd: root,
    platform: 'neutral',
    treeshake,
    output: { file, format: 'esm', minify: true, sourcemap: true },
  });
  await emitTypes(folder);
  const code = await readFile(file);
  return { bytes: code.length, gzippedBytes: gzipSync(code, { level: 9 }).length };
}

/** The protocol is not published: what the types need of it goes along. */
async function emitTypes(folder: string): Promise<void> {
  const base = ts.readConfigFile(join(root, '../../tsconfig.base.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, root, {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
  });
  const files = new Map<string, string>();
  const program = ts.createProgram([join(root, 'src/index.ts'), protocolErrors], options);
  const { emitSkipped } = program.emit(undefined, (_path, text, _mark, _onError, sources) => {
    const [source] = sources ?? [];
    if (source) files.set(source.fileName, text);
  });
  if (emitSkipped) throw new Error('the types of the package could not be told');
  for (const [source, text] of files) {
    const isOurs = source.startsWith(join(root, 'src'));
    if (!isOurs && source !== protocolErrors) continue;
    const name = isOurs ? source.slice(join(root, 'src/').length) : 'protocol-errors.ts';
    const types = text.replaceAll('@parley/protocol/errors', './protocol-errors.ts');
    await writeFile(
      join(folder, name.replace(/\.ts$/, '.d.ts')),
      types.replaceAll(/(?<=from '\.\/[\w-]+)\.ts/g, '.js'),
    );
  }
}
