export * from './digest.ts';
export * from './manifest.ts';
export * from './names.ts';
export { RegistryClient, RegistryError } from './registry-client.ts';
