import type { OpenApiDocument } from './document.ts';

let document: OpenApiDocument | null = null;

/** Set at boot: the document imports every controller, so no controller can import it. */
export function publishDocument(built: OpenApiDocument): void {
  document = built;
}

export function publishedDocument(): OpenApiDocument {
  if (document === null) throw new Error('the OpenAPI document was not published at boot');
  return document;
}
