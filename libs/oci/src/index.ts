export * from './digest.ts';
export * from './manifest.ts';
export * from './names.ts';
export { RegistryClient } from './registry-client.ts';
