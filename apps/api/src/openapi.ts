import 'reflect-metadata';
import { openApiText } from './openapi/document.ts';

/* Prints the OpenAPI document; nothing needs to run for it. */
process.stdout.write(openApiText());
