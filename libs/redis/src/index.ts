export { connect, type Redis } from './connection.ts';
