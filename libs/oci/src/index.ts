export * from './digest.ts';
export * from './image-config.ts';
export * from './manifest.ts';
export * from './names.ts';
export * from './reference.ts';
export { RegistryClient, RegistryError } from './registry-client.ts';
