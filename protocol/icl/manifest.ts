import { bytesToHex, keccak256, stringToBytes, type Hex } from 'viem';
import type { IclExpose } from './readServices.js';

/** What the tenant sends to the provider over mTLS: one placement, everything that is not on the chain. */
export interface Manifest {
  readonly version: '1.0';
  /** The placement's name. */
  readonly name: string;
  readonly services: readonly ManifestService[];
}

/** A service of a manifest; quantities are those of one replica. */
export interface ManifestService {
  readonly name: string;
  readonly count: number;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly pullPolicy: string | null;
  readonly credentials: { readonly registry: string; readonly username: string; readonly password: string } | null;
  readonly resources: {
    readonly cpuMilli: number;
    /** Decimal digits, since sizes may exceed 2^53. */
    readonly memoryBytes: string;
    readonly milliGpu: number;
    readonly models: readonly number[];
    readonly volumes: readonly ManifestVolume[];
  };
  readonly expose: readonly IclExpose[];
}

/** A volume of a service. */
export interface ManifestVolume {
  readonly name: string;
  readonly bytes: string;
  readonly persistent: boolean;
  readonly storageClass: string | null;
  readonly mount: string | null;
  readonly readOnly: boolean;
}

/**
 * The canonical bytes of a manifest: JSON without white space, members of every object sorted by the UTF-16 units of their names,
 * integers without fraction or exponent, strings as JSON.stringify writes them, all in UTF-8 (the form of RFC 8785). Two
 * manifests are the same iff these bytes are.
 */
export function canonicalManifest(manifest: Manifest): Uint8Array {
  return stringToBytes(canonicalJson(manifest));
}

/** manifestHash: keccak256 of the canonical bytes; what the tenant announces and the provider confirms. */
export function hashManifest(manifest: Manifest): Hex {
  return keccak256(bytesToHex(canonicalManifest(manifest)));
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
