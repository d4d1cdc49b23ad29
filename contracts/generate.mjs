// Writes typed ABIs and creation code of the contracts that the services call into chain/contracts/generated, from forge's output.
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contracts } from './generated-contracts.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const target = fileURLToPath(new URL('../chain/contracts/generated/', import.meta.url));
mkdirSync(target, { recursive: true });

for (const name of contracts) {
  const artifactFile = `${here}out/${name}.sol/${name}.json`;
  if (!existsSync(artifactFile)) throw new Error(`${name}: no artifact at ${artifactFile}; run forge build first`);
  const { abi, bytecode } = JSON.parse(readFileSync(artifactFile, 'utf8'));
  // The leading capitals of a name go lower case: MatchPolicy -> matchPolicy, ECDSACertificateVerifier -> ecdsaCertificateVerifier.
  const variable = name.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase());
  writeFileSync(
    `${target}${name}.ts`,
    `// Generated from contracts/ by contracts/generate.mjs.\n` +
      `export const ${variable}Abi = ${JSON.stringify(abi)} as const;\n\n` +
      `export const ${variable}Bytecode = '${bytecode.object}' as const;\n`,
  );
}
