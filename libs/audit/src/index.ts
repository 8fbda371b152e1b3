export * from './seal.ts';
export * from './verify.ts';
