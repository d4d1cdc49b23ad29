// Writes the vectors files beside this script: node test/vectors/generate.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('./vectorFiles.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
});
const { vectorFiles } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`
);
for (const [name, text] of Object.entries(vectorFiles())) {
  writeFileSync(new URL(name, import.meta.url), text);
}
